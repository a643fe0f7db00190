"""The rows of an `items` field as an answer: from the e-invoice, else from the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mcp_pdf.extract import evidence as proofs
from mcp_pdf.extract import values
from mcp_pdf.extract.amounts import as_number
from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.folding import tokens
from mcp_pdf.extract.line_items import Cell, Item
from mcp_pdf.extract.locating import place_of
from mcp_pdf.extract.schema import assemble, coerce
from mcp_pdf.extract.wish import COLUMNS, Field

_SPELLINGS = {
    "price": "unit_price", "qty": "quantity", "total": "amount", "line_total": "amount", "name": "description",
    "vat_rate": "tax_rate", "uom": "unit", "sku": "code", "article_number": "code", "item_number": "code",
}  # fmt: skip
_SAME = 0.6  # of the words of a column's name or description and of a printed title that must be the same


def _cell(item: Item, column: Field) -> Cell | None:
    """The cell of a row that a column asks for: by its role, else by the title printed over it."""
    role = _role(column)
    if role in item.cells:
        return item.cells[role]
    wanted = [set(tokens(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", text))) for text in (column.name, column.description)]
    best: tuple[float, Cell | None] = (_SAME, None)
    for title, cell in item.extra.items():
        own = set(tokens(title))
        score = max(len(own & words) / len(own | words) if own | words else 0.0 for words in wanted)
        best = max(best, (score, cell), key=lambda pair: pair[0])
    return best[1]


def _serves(items: Sequence[Item], columns: Sequence[Field]) -> bool:
    """Whether the table holds what is asked for: half of the columns, else it is another table's business."""
    known = sum(any(_cell(item, column) is not None for item in items) for column in columns)
    return 2 * known >= len(columns)


def stated_rows(reader: Reader, field: Field, rows: list[dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    """Rows that the e-invoice states, with an evidence entry a cell."""
    out, evidence = [], {}
    for index, row in enumerate(rows):
        cells: dict[tuple[str, ...], Any] = {}
        for column in field.columns or COLUMNS:
            raw = row.get(_role(column))
            value = None if raw is None else _typed(reader, column, str(raw))
            cells[column.path or (column.name,)] = value
            if value is not None:
                pointer = f"{field.pointer}/{index}{column.pointer}"
                evidence[pointer] = proofs.stated(value, "xml", place_of(reader, column, value), reader.layout, {})
        out.append(assemble(cells))
    return out, evidence


def read_rows(reader: Reader, field: Field, items: Sequence[Item], strictness: str) -> tuple[Any, dict[str, Any]]:
    """Rows of the page's item table; precise answers only rows whose product holds or that add up to a sum."""
    kept = [item for item in items if item.proven or item.summed or strictness != "precise"]
    columns = field.columns or COLUMNS
    if not kept or not _serves(kept, columns):
        return None, {field.pointer: {"reason": "doubtful" if items and not kept else "not_found"}}
    out, evidence = [], {}
    for index, item in enumerate(kept):
        cells: dict[tuple[str, ...], Any] = {}
        for column in columns:
            cell = _cell(item, column)
            value = _typed(reader, column, cell.value) if cell else None
            cells[column.path or (column.name,)] = value
            if cell is not None and value is not None:
                pointer = f"{field.pointer}/{index}{column.pointer}"
                evidence[pointer] = _proof(reader, cell, value, _checks(item, _role(column)))
        out.append(assemble(cells))
    return out, evidence


def _checks(item: Item, role: str) -> dict[str, bool]:
    """The checks that speak for a cell: the row's product for its three numbers and text, the sum for amounts."""
    found = {"quantity_times_price_is_amount": True} if item.proven else {}
    return found | ({"lines_add_up": True} if item.summed and role == "amount" else {})


def _proof(reader: Reader, cell: Cell, value: Any, checks: dict[str, bool]) -> dict[str, Any]:
    one = Candidate(value, cell.text, cell.words, cell.page, 0.9 if checks else 0.6, "below")
    word = proofs.confidence(one.score, rival=0.0, checks=checks)
    return proofs.leaf(reader.layout, one, word, checks)


def _role(column: Field) -> str:
    return _SPELLINGS.get(column.name, column.name)


def _typed(reader: Reader, column: Field, raw: str) -> Any:
    try:
        if column.type in ("number", "integer"):
            return coerce(column, as_number(raw))
    except ArithmeticError:
        return None
    found = raw if column.type in ("amount", "percent") else values.normalise(column.type, raw, reader.context)
    return coerce(column, found)
