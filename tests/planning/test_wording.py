"""Sentences become requests by rules alone."""

from __future__ import annotations

import pytest

from agent.errors import InvalidParams
from agent.planning.request import Question, choose, read_request
from agent.planning.wording import alike, resolve, type_of, understand
from agent.task import Message, Part

LIBRARY = ["acme/invoice.pdf", "bill_of_lading.pdf", "invoice.pdf", "old/Report.PDF"]


@pytest.mark.parametrize(
    ("text", "kind", "mentions", "fields"),
    [
        ("What PDFs are available?", "list", (), []),
        ("list all documents", "list", (), []),
        ("Read invoice.pdf", "read", ("invoice.pdf",), []),
        (
            "Extract the invoice number and total from invoice.pdf",
            "extract",
            ("invoice.pdf",),
            [("invoice_number", "id"), ("total", "amount")],
        ),
        ("Extract data from bill_of_lading.pdf", "extract", ("bill_of_lading.pdf",), []),
        ("What is the due date of rechnung.pdf?", "ask", ("rechnung.pdf",), [("due_date", "date")]),
        ("What is the due date of this invoice?", "ask", (), [("due_date", "date")]),
        ("What is the number of the invoice?", "ask", (), [("invoice_number", "id")]),
        ("When was the date of my purchase order?", "ask", (), [("purchase_order_date", "date")]),
        ("Who is the seller on this bill?", "ask", (), [("seller", "name")]),
        (
            "extract the total and the currency of the receipt",
            "extract",
            (),
            [("total", "amount"), ("currency", "currency")],
        ),
        ("What kind of document is receipt.pdf?", "classify", ("receipt.pdf",), []),
        ("From invoice.pdf extract the total", "extract", ("invoice.pdf",), [("total", "amount")]),
        (
            "extract seller name, due date and IBAN from 'my file.pdf'",
            "extract",
            ("my file.pdf",),
            [("seller_name", "name"), ("due_date", "date"), ("iban", "iban")],
        ),
        ("hello", None, (), []),
    ],
)
def test_words_give_kind_documents_and_fields(
    text: str, kind: str | None, mentions: tuple[str, ...], fields: list[tuple[str, str]]
) -> None:
    said = understand(text)
    assert (said.kind, said.mentions) == (kind, mentions)
    assert [(f["name"], f["type"]) for f in said.fields] == fields


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("issue_date", "date"),
        ("grand_total", "amount"),
        ("vat_id", "id"),
        ("line_items", "items"),
        ("currency", "currency"),
        ("tax_rate", "percent"),
        ("seller_address", "address"),
        ("contact_email", "email"),
        ("remarks", "string"),
    ],
)
def test_a_fields_name_tells_its_type(name: str, kind: str) -> None:
    assert type_of(name) == kind


@pytest.mark.parametrize(
    ("mention", "found"),
    [
        ("invoice.pdf", ["invoice.pdf"]),
        ("INVOICE.pdf", ["invoice.pdf"]),
        ("report.pdf", ["old/Report.PDF"]),
        ("Bill_of_Lading.pdf", ["bill_of_lading.pdf"]),
        ("missing.pdf", []),
    ],
)
def test_a_mention_is_resolved_without_guessing(mention: str, found: list[str]) -> None:
    assert resolve(mention, LIBRARY) == found


def test_a_near_name_is_offered_never_taken() -> None:
    assert alike("invoise.pdf", LIBRARY)[0] == "invoice.pdf"


def message(*parts: Part) -> Message:
    return Message("m", "user", parts)


def test_a_follow_up_completes_the_earlier_wish() -> None:
    request = read_request(
        [message(Part(text="Extract the total from nothing.pdf")), message(Part(text="invoice.pdf"))]
    )
    assert request.kind == "extract"
    assert request.documents == ("invoice.pdf",)
    assert request.wish["fields"][0]["name"] == "total"


def test_an_unknown_document_is_a_question_with_candidates() -> None:
    chosen = choose(read_request([message(Part(text="Read invoise.pdf"))]), LIBRARY)
    assert isinstance(chosen, Question)
    assert "invoice.pdf" in chosen.candidates


def test_an_upload_needs_no_library() -> None:
    upload = Part(upload="a" * 64, filename="x.pdf")
    assert choose(read_request([message(upload)]), []) == ["upload/" + "a" * 64]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "data"),
        ({"colour": 1}, "data.colour"),
        ({"documents": "a.pdf"}, "data.documents"),
        ({"documents": []}, "data.documents"),
        ({"fields": []}, "data.fields"),
        ({"fields": [{"type": "id"}]}, "data.fields[0]"),
        ({"fields": ["a"], "document_type": "invoice"}, "data.document_type"),
        ({"strictness": "mild"}, "data.strictness"),
        ({"mode": "magic"}, "data.mode"),
        ({"pages": 3}, "data.pages"),
        ({"schema": {"$ref": "file:///etc/passwd"}}, "data.schema"),
        ({"schema": {"$ref": "http://127.0.0.1/x"}}, "data.schema"),
        ({"schema": {"type": "no such type"}}, "data.schema"),
    ],
)
def test_what_is_wrong_in_the_data_part_is_named(data: object, field: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        read_request([message(Part(data=data, has_data=True))])
    assert caught.value.field is not None
    assert caught.value.field.endswith(field)


def test_a_schema_may_not_be_too_deep_or_too_wide() -> None:
    deep: dict[str, object] = {"type": "object"}
    for _ in range(40):
        deep = {"type": "object", "properties": {"a": deep}}
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(600)}}
    for schema in (deep, wide):
        with pytest.raises(InvalidParams):
            read_request([message(Part(data={"schema": schema}, has_data=True))])
