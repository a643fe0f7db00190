"""Sources in their order, and what happens where two of them disagree."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.invoice import Invoice
from mcp_pdf.pdf.page import Document, FormField
from tests.extract.placed import page

PAGE = page(
    (40, 40, "Invoice number: INV-2024-17"), (40, 60, "Invoice date: 15 March 2024"),
    (40, 80, "Net total 100.00"), (40, 100, "VAT 19% 19.00"), (40, 120, "Total 119.00"),
)  # fmt: skip


def evidence(document: Document, name: str) -> dict[str, Any]:
    result = extract(document, Wish.parse({"fields": [{"name": name}]}))
    found: dict[str, Any] = result["evidence"][f"/{name}"] | {"value": result["values"][name]}
    return found


@pytest.mark.parametrize(
    ("name", "stated", "printed"),
    [
        ("invoice_number", "INV-2024-71", "INV-2024-17"),
        ("issue_date", "2024-03-16", "2024-03-15"),
        ("total", "191.00", "119.00"),
    ],
)
def test_the_xml_wins_over_the_page_but_the_conflict_is_told(name: str, stated: str, printed: str) -> None:
    invoice = Invoice(**{{"invoice_number": "number"}.get(name, name): stated})
    found = evidence(Document([PAGE], 1, invoice=invoice), name)
    assert (found["value"], found["source"], found["confidence"]) == (stated, "xml", "medium")
    assert [(one["value"], one["page"], one["source"]) for one in found["conflicts"]] == [(printed, 1, "layout")]


def test_sources_that_agree_have_no_conflict() -> None:
    found = evidence(Document([PAGE], 1, invoice=Invoice(total="119.00")), "total")
    assert "conflicts" not in found
    assert found["confidence"] == "high"


def test_a_page_without_the_label_does_not_contradict() -> None:
    found = evidence(Document([PAGE], 1, invoice=Invoice(due_date="2024-04-14")), "due_date")
    assert "conflicts" not in found
    assert found["confidence"] == "high"


def test_a_form_field_that_the_page_contradicts_is_told_too() -> None:
    form = [FormField("invoice_number", "text", "A-1", page=1, box=(10.0, 10.0, 60.0, 20.0))]
    found = evidence(Document([PAGE], 1, form=form), "invoice_number")
    assert (found["value"], found["source"], found["confidence"]) == ("A-1", "form", "medium")
    assert found["conflicts"][0]["value"] == "INV-2024-17"
