"""Where a known value stands: the same characters, the same value, nearly, or nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_pdf.extract.extraction import locate
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.page import Document
from tests.extract.placed import page

LETTER = Document(
    [
        page((40, 40, "Northwind Instruments GmbH"), (40, 52, "Hauptstrasse 12"), (40, 64, "80331 München"),
             (300, 40, "Order"), (300, 52, "PO-77"), (300, 64, "3 March 2026"),
             (40, 200, "Pressure sensor"), (300, 200, "PS-200"), (400, 200, "1,190.00")),
        page((40, 40, "Pressure sensors of the series are calibrated once"), (40, 300, "total 2,380.00"), number=2),
    ],
    2,
)  # fmt: skip


def proof(kind: str, value: Any) -> dict[str, Any]:
    wish = Wish.parse({"fields": [{"name": "wanted_thing", "type": kind}]})
    found: dict[str, Any] = locate(LETTER, {"wanted_thing": value}, wish)["evidence"]["/wanted_thing"]
    return found


@pytest.mark.parametrize(
    ("kind", "value", "match", "number", "text"),
    [
        ("string", "PO-77", "exact", 1, "PO-77"),
        ("amount", "1190.00", "normalised", 1, "1,190.00"),
        ("amount", "2380.00", "normalised", 2, "2,380.00"),
        ("date", "2026-03-03", "normalised", 1, "3 March 2026"),
        ("name", "NORTHWIND INSTRUMENTS GMBH", "normalised", 1, "Northwind Instruments GmbH"),
        ("name", "Northwnd Instruments GmbH", "fuzzy", 1, "Northwind Instruments GmbH"),
        ("string", "Pressure sensor", "exact", 1, "Pressure sensor"),
        ("string", "Pressure sensor PS-200", "exact", 1, "Pressure sensor PS-200"),
    ],
)
def test_a_value_is_found_by_characters_by_value_or_nearly(
    kind: str, value: str, match: str, number: int, text: str
) -> None:
    found = proof(kind, value)
    assert (found["match"], found["page"], found["text"]) == (match, number, text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "PO-7"),  # a part of a word is not the word
        ("id", "PO-78"),
        ("amount", "190.00"),
        ("date", "2026-03-04"),
        ("address", "Hauptstrasse 13, 80331 München"),  # nearly, but for a digit
        ("name", "Southwind Holding AG"),
        ("string", "ürich"),
        ("string", ""),
    ],
)
def test_what_is_not_printed_is_nowhere_and_low(kind: str, value: str) -> None:
    found = proof(kind, value)
    assert (found["match"], found["confidence"], found["boxes"]) == ("unlocated", "low", [])


def test_an_address_over_two_lines_has_a_box_for_each() -> None:
    found = proof("address", "Hauptstrasse 12, 80331 München")
    assert (found["match"], len(found["boxes"])) == ("normalised", 2)


def test_what_is_only_nearly_there_is_low() -> None:
    assert proof("name", "Northwnd Instruments GmbH")["confidence"] == "low"


def test_a_cell_is_never_confirmed_by_a_value_of_the_whole_document() -> None:
    """The document's total may be a row's amount, which proves nothing about the row."""
    wish = Wish.parse({"fields": [{"name": "line_items", "type": "items"}]})
    found = locate(LETTER, {"line_items": [{"description": "Pressure sensor", "amount": "2380.00"}]}, wish)["evidence"]
    assert found["/line_items/0/amount"]["confidence"] == "medium"
    assert found["/line_items/0/description"]["match"] == "exact"
