"""Finding the place of a value that is already known: by its characters, as a value of its type, or nearly."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from mcp_pdf.extract import evidence as proofs
from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.folding import squash
from mcp_pdf.extract.found import Found
from mcp_pdf.extract.wish import COLUMNS, Field

if TYPE_CHECKING:
    from mcp_pdf.extract.answers import Answer, Reading


def place_of(reader: Reader, field: Field, value: Any) -> Candidate | None:
    """Where a known value is printed; None when it is not."""
    text = str(value)
    for segment in reader.layout.segments:
        at = segment.text.find(text)
        if at >= 0 and _whole(segment.text, at, at + len(text)):
            return reader.candidate(Found(value, at, at + len(text)), segment, 0, "same", 1.0, None)
    if field.type in ("date", "amount", "number", "integer", "percent"):
        return _typed_place(reader, field, value)
    return _folded_place(reader, value)


def _whole(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() or after.isalnum() or (before in ".,-" and text[start - 2 : start - 1].isdigit()))


def _typed_place(reader: Reader, field: Field, value: Any) -> Candidate | None:
    kind = "date" if field.type == "date" else "amount"
    for segment in reader.layout.segments:
        for one in reader.read(kind, segment.text):
            if _same(kind, one.value, value):
                return reader.candidate(one._replace(value=value), segment, 0, "same", 1.0, None)
    return None


def _same(kind: str, found: Any, value: Any) -> bool:
    if kind == "date":
        return bool(found == value)
    try:
        return Decimal(str(found)) == Decimal(str(value))
    except InvalidOperation:
        return False


def _folded_place(reader: Reader, value: Any) -> Candidate | None:
    wanted = squash(str(value))
    if len(wanted) < 3:
        return None
    for segment in reader.layout.segments:
        if wanted in squash(segment.text):
            words = segment.words
            for first in range(len(words)):
                for last in range(first + 1, len(words) + 1):
                    run = " ".join(word.text for word in words[first:last])
                    if squash(run) == wanted:
                        start = segment.offsets[first]
                        return reader.candidate(Found(value, start, start + len(run)), segment, 0, "same", 1.0, None)
    return None


def locate_answer(reading: Reading, field: Field, value: Any) -> list[Answer]:
    """The answer that a known value is, with evidence for each of its leaves; unlocated values are never high."""
    from mcp_pdf.extract.answers import Answer

    evidence: dict[str, Any] = {}
    if isinstance(value, list):
        columns = {column.name: column for column in field.columns or COLUMNS}
        for index, row in enumerate(value):
            cells = row.items() if isinstance(row, dict) else [("", row)]
            for name, cell in cells:
                pointer = f"{field.pointer}/{index}" + (f"/{name}" if name else "")
                evidence[pointer] = _entry(reading, columns.get(name, Field(name or field.name)), cell)
    else:
        evidence[field.pointer] = _entry(reading, field, value)
    return [Answer(field, value, evidence)]


def _entry(reading: Reading, field: Field, value: Any) -> dict[str, Any]:
    if value is None:
        return {"reason": "not_found"}
    place = place_of(reading.reader, field, value)
    entry = proofs.stated(value, "model", place, reading.reader.layout, {})
    own = reading.answer(field).value if field.type != "items" else None
    agrees = own is not None and str(own) == str(value)
    entry["confidence"] = "low" if place is None else "high" if agrees else "medium"
    return entry
