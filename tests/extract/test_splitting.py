"""Files that hold several documents."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.invoice import Invoice
from mcp_pdf.pdf.page import Document, Page
from tests.extract.placed import Placed, page


def leaf(number: int, *more: Placed, title: str = "INVOICE", label: str = "Invoice number", own: str = "") -> Page:
    head: list[Placed] = [(40, 40, title)] if title else []
    return page(*head, *([(40, 80, f"{label}: {own}")] if own else []), *more, number=number)


def ranges(*pages: Page, **parts: Any) -> list[tuple[str | None, Any]]:
    """Page range and invoice number of each document that is found."""
    result = extract(Document(list(pages), len(pages), **parts), Wish.parse({"fields": ["invoice_number"]}))
    return [(one.get("page_range"), one["values"]["invoice_number"]) for one in (result, *result.get("more", ()))]


def test_a_title_with_another_number_starts_a_document() -> None:
    pages = (leaf(1, own="A-1001"), leaf(2, title=""), leaf(3, own="A-1002"))
    assert ranges(*pages) == [("1-2", "A-1001"), ("3", "A-1002")]


def test_receipts_of_several_shops_are_documents_of_their_own() -> None:
    pages = [
        leaf(1, (40, 20, "Corner Shop Ltd"), title="RECEIPT", label="Receipt no", own="R-1"),
        leaf(2, (40, 20, "Harbour Cafe"), title="CASH BILL", label="Receipt no", own="R-9"),
    ]
    assert ranges(*pages) == [("1", "R-1"), ("2", "R-9")]


def test_a_letterhead_with_the_same_number_starts_none() -> None:
    assert ranges(leaf(1, own="A-1001"), leaf(2, own="A-1001")) == [(None, "A-1001")]


@pytest.mark.parametrize("marker", ["Page {} of {}", "Seite {} von {}", "Strona {} z {}", "{} / {}"])
def test_pages_that_count_from_one_again_start_a_document(marker: str) -> None:
    pages = [
        leaf(1, (40, 780, marker.format(1, 2)), own="A-1001"),
        leaf(2, (40, 780, marker.format(2, 2)), title=""),
        leaf(3, (40, 780, marker.format(1, 1)), title="", own="A-1002"),
    ]
    assert ranges(*pages) == [("1-2", "A-1001"), ("3", "A-1002")]


def test_a_page_two_with_another_number_starts_none() -> None:
    pages = (leaf(1, (40, 780, "Page 1 of 2"), own="A-1001"), leaf(2, (40, 780, "Page 2 of 2"), own="A-9"))
    assert [found for found, _ in ranges(*pages)] == [None]


def test_a_packing_list_behind_an_invoice_is_a_document_of_its_own_type() -> None:
    packing = leaf(
        2, (40, 100, "Gross weight: 12.5 kg"), (40, 120, "Net weight: 11 kg"), (40, 140, "Number of packages: 3"),
        title="PACKING LIST", label="Packing list number", own="P-77",
    )  # fmt: skip
    result = extract(Document([leaf(1, own="A-1001"), packing], 2), Wish.parse({}))
    assert result["document"]["document_type"] == "invoice"
    assert [(one["page_range"], one["document"]["document_type"]) for one in result["more"]] == [("2", "packing_list")]
    assert result["more"][0]["values"]["packing_list_number"] == "P-77"


def test_the_xml_and_warnings_of_the_file_stay_with_the_first_document() -> None:
    warnings = [{"code": "page_garbled", "page": 2, "message": ""}, {"code": "other", "message": ""}]
    pages = [leaf(1, own="A-1001"), leaf(2, own="A-1002")]
    document = Document(pages, 2, invoice=Invoice(number="XML-1"), warnings=warnings)
    result = extract(document, Wish.parse({"fields": ["invoice_number"]}))
    assert result["values"] == {"invoice_number": "XML-1"}
    assert [one["code"] for one in result["warnings"]] == ["other"]
    (second,) = result["more"]
    assert second["values"] == {"invoice_number": "A-1002"}
    assert [one["code"] for one in second["warnings"]] == ["page_garbled"]
