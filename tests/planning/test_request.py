"""What a request's data part and its follow-ups come to."""

from __future__ import annotations

from agent.planning.request import read_request
from agent.task import Message, Part


def said(*parts: Part) -> Message:
    return Message("m", "user", parts)


def data(value: object) -> Part:
    return Part(data=value, has_data=True)


def test_a_question_in_the_data_part_is_asked() -> None:
    request = read_request([said(data({"documents": ["a.pdf"], "question": "What is the due date?"}))])
    assert (request.kind, request.documents) == ("ask", ("a.pdf",))
    assert [field["name"] for field in request.wish["fields"]] == ["due_date"]


def test_a_password_alone_keeps_the_earlier_wish() -> None:
    first = said(data({"documents": ["locked.pdf"], "fields": ["total"]}))
    request = read_request([first, said(data({"password": "open"}))])
    assert (request.kind, request.documents, request.wish) == ("extract", ("locked.pdf",), {"fields": ["total"]})
