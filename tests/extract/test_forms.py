"""Printed forms without fields: captions above or below what was filled in, and silence where nothing decides."""

from __future__ import annotations

from typing import Any

from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.page import Document
from tests.extract.placed import Placed, page


def values(*texts: Placed, fields: str) -> dict[str, Any]:
    wish = Wish.parse({"fields": [{"name": name, "type": "name"} for name in fields.split()]})
    found: dict[str, Any] = extract(Document([page(*texts)], 1), wish)["values"]
    return found


FIELDS = "maiden_name birthplace occupation"
FILLED = (("Novak", "Maiden name"), ("Split", "Birthplace"), ("Baker", "Occupation"))


def stacked(pairs: tuple[tuple[str, str], ...], *, caption_below: bool) -> list[Placed]:
    """A column of values and captions, one close under the other."""
    lines = [text for value, label in pairs for text in ((value, label) if caption_below else (label, value))]
    return [(40.0, 100.0 + 12 * step, text) for step, text in enumerate(lines)]


def test_captions_below_their_values_are_read_upwards() -> None:
    found = values(*stacked(FILLED, caption_below=True), fields=FIELDS)
    assert found == {"maiden_name": "Novak", "birthplace": "Split", "occupation": "Baker"}


def test_captions_above_their_values_are_read_downwards() -> None:
    found = values(*stacked(FILLED, caption_below=False), fields=FIELDS)
    assert found == {"maiden_name": "Novak", "birthplace": "Split", "occupation": "Baker"}


def test_a_form_whose_captions_may_be_of_either_side_is_left_empty() -> None:
    lines = ("Novak", "Maiden name", "Split", "Birthplace", "Baker", "Occupation", "Retired")
    placed = [(40.0, 100.0 + 12 * step, text) for step, text in enumerate(lines)]
    assert set(values(*placed, fields=FIELDS).values()) == {None}
