"""Turns over the whole service: a wish carried over to another document, files together, a question and its answer."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.service import SAMPLES, Service, running

WISH = {"fields": ["invoice_number", "total"]}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("turns") / "data") as started:
        yield started


def send(service: Service, *parts: dict[str, Any], **more: Any) -> Any:
    message = {"messageId": "m", "role": "ROLE_USER", "parts": list(parts), **more}
    return service.call("SendMessage", {"message": message})["task"]


def attached(name: str) -> dict[str, Any]:
    raw = base64.b64encode((SAMPLES / name).read_bytes()).decode()
    return {"raw": raw, "filename": name, "mediaType": "application/pdf"}


@pytest.mark.parametrize(
    "words",
    [
        "The same fields from rechnung.pdf",
        "Extract the same fields from rechnung.pdf",
        "Extract the same from rechnung.pdf",
        "Now rechnung.pdf",
        "Extract the same data from rechnung.pdf, please",
    ],
)
def test_a_reference_carries_the_wish_to_another_document(service: Service, words: str) -> None:
    first = send(service, {"data": {"documents": ["invoice.pdf"], **WISH}})
    other = send(service, {"text": words}, referenceTaskIds=[first["id"]])
    assert other["status"]["state"] == "TASK_STATE_COMPLETED", other["status"]
    values, proof = (part["data"] for part in other["artifacts"][0]["parts"])
    assert (values.keys(), values["invoice_number"]) == ({"invoice_number", "total"}, "RE-10293")
    assert proof["document"]["id"] == "rechnung.pdf"


def test_a_reference_carries_the_wish_to_an_attached_file(service: Service) -> None:
    first = send(service, {"data": {"documents": ["invoice.pdf"], **WISH}})
    other = send(service, {"text": "the same fields"}, attached("facture.pdf"), referenceTaskIds=[first["id"]])
    assert other["artifacts"][0]["parts"][0]["data"] == {"invoice_number": "FA-2026-318", "total": "3040.20"}


def test_a_wish_of_its_own_wins_over_a_reference(service: Service) -> None:
    first = send(service, {"data": {"documents": ["invoice.pdf"], **WISH}})
    own = {"data": {"documents": ["rechnung.pdf"], "fields": ["issue_date"]}}
    other = send(service, own, referenceTaskIds=[first["id"]])
    assert other["artifacts"][0]["parts"][0]["data"] == {"issue_date": "2026-08-03"}


def test_a_reference_to_nothing_is_as_none(service: Service) -> None:
    task = send(service, {"text": "Extract the total from invoice.pdf"}, referenceTaskIds=["none"])
    assert task["artifacts"][0]["parts"][0]["data"] == {"total": "1190.00"}


def test_several_files_of_one_message_each_get_an_artifact(service: Service) -> None:
    files = [
        {
            "raw": base64.b64encode((SAMPLES / name).read_bytes()).decode(),
            "filename": name,
            "mediaType": "application/pdf",
        }
        for name in ("invoice.pdf", "facture.pdf")
    ]
    task = send(service, {"data": WISH}, *files)
    told = {a["artifactId"]: a["parts"][0]["data"]["invoice_number"] for a in task["artifacts"]}
    assert told == {"extraction-1": "INV-2026-0042", "extraction-2": "FA-2026-318"}
