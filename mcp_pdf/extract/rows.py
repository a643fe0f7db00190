"""The rows of an `items` field as an answer: from the e-invoice, else from the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mcp_pdf.extract import evidence as proofs
from mcp_pdf.extract import values
from mcp_pdf.extract.amounts import as_number
from mcp_pdf.extract.asked_tables import asked_rows
from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.folding import tokens
from mcp_pdf.extract.line_items import Cell, Item
from mcp_pdf.extract.locating import place_of
from mcp_pdf.extract.row_proof import readings
from mcp_pdf.extract.schema import assemble, coerce
from mcp_pdf.extract.titles import find_titles
from mcp_pdf.extract.wish import COLUMNS, Field

_SPELLINGS = {
    "price": "unit_price", "qty": "quantity", "total": "amount", "line_total": "amount", "name": "description",
    "vat_rate": "tax_rate", "uom": "unit", "sku": "code", "article_number": "code", "item_number": "code",
}  # fmt: skip
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")  # a number as it is told, no longer as it was printed
_SAME = 0.6  # of the words of a column's name or description and of a printed title that must be the same


def _cell(item: Item, column: Field) -> Cell | None:
    """The cell of a row that a column asks for: by its role, by the title that it is described as, or printed so."""
    for role in (_role(column), *map(_meant, (column.description, column.name))):
        if role in item.cells:
            return item.cells[role]
    wanted = [set(tokens(_spaced(text))) for text in (column.name, column.description)]
    best: tuple[float, Cell | None] = (_SAME, None)
    for title, cell in item.extra.items():
        own = set(tokens(title))
        score = max(len(own & words) / len(own | words) if own | words else 0.0 for words in wanted)
        best = max(best, (score, cell), key=lambda pair: pair[0])
    return best[1]


def _meant(text: str) -> str:
    """The role of a title, when a text is nothing else."""
    words = _spaced(text).split()
    titles = find_titles(words)
    return titles[0].role if titles and titles[0].start == 0 and titles[-1].end == len(words) else ""


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", name)


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
    """Rows of the page's item table, or of the table that has the columns asked for; None when there is neither.

    `precise` answers only rows whose product holds or that add up to a printed sum.
    """
    kept = [item for item in items if item.proven or item.summed or strictness != "precise"]
    columns = field.columns or COLUMNS
    if kept and _serves(kept, columns):
        rows = [_asked(item, columns) for item in kept]
        return _told(reader, field, rows, [item.proven for item in kept], [item.summed for item in kept])
    wanted: dict[str, Sequence[str]] = {
        c.name: [_spaced(text) for text in (c.name, c.description) if text] for c in columns
    }
    others = asked_rows(reader.layout, wanted) if columns != COLUMNS and strictness != "precise" else []
    if not others:
        return None, {field.pointer: {"reason": "doubtful" if items and not kept else "not_found"}}
    return _told(reader, field, others, [False] * len(others), [False] * len(others))


def _asked(item: Item, columns: Sequence[Field]) -> dict[str, Cell]:
    cells = {column.name: _cell(item, column) for column in columns}
    return {name: cell for name, cell in cells.items() if cell is not None}


def _told(
    reader: Reader, field: Field, rows: Sequence[dict[str, Cell]], proven: Sequence[bool], summed: Sequence[bool]
) -> tuple[Any, dict[str, Any]]:
    """Rows as values, with an evidence entry a cell."""
    out, evidence = [], {}
    for index, row in enumerate(rows):
        cells: dict[tuple[str, ...], Any] = {}
        for column in field.columns or COLUMNS:
            cell = row.get(column.name)
            value = _typed(reader, column, cell.value) if cell else None
            cells[column.path or (column.name,)] = value
            if cell is not None and value is not None:
                checks = _checks(_role(column), proven=proven[index], summed=summed[index])
                evidence[f"{field.pointer}/{index}{column.pointer}"] = _proof(reader, cell, value, checks)
        out.append(assemble(cells))
    return out, evidence


def _checks(role: str, *, proven: bool, summed: bool) -> dict[str, bool]:
    """The checks that speak for a cell: the row's product for all of it, the sum for amounts."""
    found = {"quantity_times_price_is_amount": True} if proven else {}
    return found | ({"lines_add_up": True} if summed and role == "amount" else {})


def _proof(reader: Reader, cell: Cell, value: Any, checks: dict[str, bool]) -> dict[str, Any]:
    one = Candidate(value, cell.text, cell.words, cell.page, 0.9 if checks else 0.6, "below")
    word = proofs.confidence(one.score, "string", rival=0.0, checks=checks)
    return proofs.leaf(reader.layout, one, word, checks)


def _role(column: Field) -> str:
    return _SPELLINGS.get(column.name, column.name)


def _typed(reader: Reader, column: Field, raw: str) -> Any:
    if column.type in ("number", "integer", "amount", "percent"):
        if not _PLAIN.fullmatch(raw):
            raw = next(iter(readings(raw, reader.context)), "")
        if column.type in ("amount", "percent"):
            return coerce(column, raw or None)
        try:
            return coerce(column, as_number(raw))
        except ArithmeticError:
            return None
    return coerce(column, values.normalise(column.type, raw, reader.context))
