"""Finding the place of a value that is already known: by its characters, as a value of its type, or nearly."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from mcp_pdf.extract import evidence as proofs
from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.found import Found
from mcp_pdf.extract.wish import COLUMNS, Field
from mcp_pdf.extract.word_index import Run

if TYPE_CHECKING:
    from mcp_pdf.extract.answers import Answer, Reading

WORDED = ("string", "name", "namelist", "address")  # types of which a nearly equal text is worth a place


def place_of(reader: Reader, field: Field, value: Any) -> Candidate | None:
    """Where a known value is printed, in the same words or as the same value; None when it is not."""
    text = str(value)
    if (at := reader.index.exact(text)) is not None:
        segment, start = at
        return reader.candidate(Found(value, start, start + len(text)), segment, 0, "same", 1.0, None)
    if field.type in ("date", "amount", "number", "integer", "percent"):
        return _typed_place(reader, field, value)
    return _candidate(value, reader.index.folded(text))


def _typed_place(reader: Reader, field: Field, value: Any) -> Candidate | None:
    kind = "date" if field.type == "date" else "amount"
    at = reader.typed(kind).get(_key(kind, value))
    return None if at is None else reader.candidate(at[0]._replace(value=value), at[1], 0, "same", 1.0, None)


def _key(kind: str, value: Any) -> Any:
    """What two values of a kind have in common when they are the same."""
    try:
        return value if kind == "date" else Decimal(str(value))
    except InvalidOperation:
        return None


def _candidate(value: Any, run: Run | None) -> Candidate | None:
    return None if run is None else Candidate(value, run.text, run.words, run.page, 1.0, "same")


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
                evidence[pointer] = _entry(reading.reader, columns.get(name, Field(name or field.name)), cell)
    else:
        entry = evidence[field.pointer] = _entry(reading.reader, field, value)
        if entry.get("confidence") == "medium" and field.type != "items":
            own = reading.answer(field).value
            entry["confidence"] = "high" if own is not None and str(own) == str(value) else "medium"
    return [Answer(field, value, evidence)]


def _entry(reader: Reader, field: Field, value: Any) -> dict[str, Any]:
    """Its evidence. A value that stands there only nearly (`fuzzy`) is low: a letter may make another name of it."""
    if value is None:
        return {"reason": "not_found"}
    place = place_of(reader, field, value)
    if place is None and field.type in WORDED:
        nearly = _candidate(value, reader.index.nearest(str(value)))
        if nearly is not None:
            return proofs.stated(value, "model", nearly, reader.layout, {}) | {"match": "fuzzy", "confidence": "low"}
    entry = proofs.stated(value, "model", place, reader.layout, {})
    return entry | {"confidence": "low" if place is None else "medium"}
