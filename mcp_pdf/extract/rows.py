"""The rows of an `items` field as an answer: from the e-invoice, else from the page."""

from __future__ import annotations

from typing import Any

from mcp_pdf.extract import evidence as proofs
from mcp_pdf.extract import values
from mcp_pdf.extract.amounts import as_number
from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.line_items import Cell, line_items
from mcp_pdf.extract.locating import place_of
from mcp_pdf.extract.wish import COLUMNS, Field

_SPELLINGS = {
    "price": "unit_price",
    "qty": "quantity",
    "total": "amount",
    "line_total": "amount",
    "name": "description",
}


def stated_rows(reader: Reader, field: Field, rows: list[dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    """Rows that the e-invoice states, with an evidence entry a cell."""
    out, evidence = [], {}
    for index, row in enumerate(rows):
        cells: dict[str, Any] = {}
        for column in field.columns or COLUMNS:
            raw = row.get(_role(column))
            value = None if raw is None else _typed(reader, column, str(raw))
            cells[column.name] = value
            if value is not None:
                pointer = f"{field.pointer}/{index}{column.pointer}"
                evidence[pointer] = proofs.stated(value, "xml", place_of(reader, column, value), reader.layout, {})
        out.append(cells)
    return out, evidence


def read_rows(reader: Reader, field: Field, strictness: str) -> tuple[Any, dict[str, Any]]:
    """Rows of the page's item table; precise answers only rows whose product holds."""
    items = [item for item in line_items(reader.layout, reader.context) if item.proven or strictness != "precise"]
    if not items:
        return None, {field.pointer: {"reason": "not_found"}}
    out, evidence = [], {}
    for index, item in enumerate(items):
        cells: dict[str, Any] = {}
        checks = {"quantity_times_price_is_amount": True} if item.proven else {}
        for column in field.columns or COLUMNS:
            cell = item.cells.get(_role(column)) or item.extra.get(column.name)
            value = _typed(reader, column, cell.value) if cell else None
            cells[column.name] = value
            if cell is not None and value is not None:
                pointer = f"{field.pointer}/{index}{column.pointer}"
                evidence[pointer] = _proof(reader, cell, value, checks)
        out.append(cells)
    return out, evidence


def _proof(reader: Reader, cell: Cell, value: Any, checks: dict[str, bool]) -> dict[str, Any]:
    one = Candidate(value, cell.text, cell.words, cell.page, 0.9 if checks else 0.6, "below")
    word = proofs.confidence(one.score, rival=0.0, checks=checks)
    return proofs.leaf(reader.layout, one, word, checks)


def _role(column: Field) -> str:
    return _SPELLINGS.get(column.name, column.name)


def _typed(reader: Reader, column: Field, raw: str) -> Any:
    try:
        if column.type in ("number", "integer"):
            return as_number(raw)
    except ArithmeticError:
        return None
    return raw if column.type in ("amount", "percent") else values.normalise(column.type, raw, reader.context)
