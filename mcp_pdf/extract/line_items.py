"""Line items: the rows under an item table's header, over as many pages as it runs.

A row is anchored by the line that holds its amount (or its quantity and price). Its description starts on that line
and goes on below while a printed line was full, so that codes and notes under an item stay out of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from mcp_pdf.extract.columns import Column, Header, assign, cell_edges, find_headers, grow
from mcp_pdf.extract.folding import fold
from mcp_pdf.extract.found import PLAIN, Context
from mcp_pdf.extract.layout import Layout, Line
from mcp_pdf.extract.row_proof import proven_triple, readings
from mcp_pdf.pdf.page import Word

_TOTALS = re.compile(
    r"^\W*(?:sub\s?-?total|(?:grand |order |invoice |net |gross )?total\b|total (?:amount|due|net|ht|excl)|"
    r"amount due|balance|"
    r"summe|zwischensumme|gesamt|netto(?:betrag|summe)?\b|rechnungs(?:betrag|summe)|positionssumme|"
    r"zahlbetrag|"
    r"montant total|base imponible|suma\b|importe total|totale|imponibile|riepilogh|subtotaal|totaal|"
    r"razem|kwota naleznosci|podsumowanie|do zaplaty|wartosc ogolem|soma|valor total|calculo|dados adicionais|"
    r"sum\b|netto\b|i alt|a betale|subtotal|moms|mva\b|att betala|delsumma|summa|"
    r"ara toplam|toplam|genel toplam|odenecek|"
    r"celkem|soucet|zaklad|total de plata|vat\b|mwst|ust\b|iva\b|tva\b|btw\b|plus \d+|zzgl)"
)
_SUM = re.compile(r"^(?:sub\s?)?total|^summe|^gesamt|^razem|^totale|^toplam|^celkem")
_NOTE = re.compile(r"^[^:]{2,32}:\s?\S|^[^:]{2,24}:$|^[-=_*]{4,}")


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row with the words that print it."""

    value: str
    text: str
    words: tuple[Word, ...]
    page: int


@dataclass(slots=True)
class Item:
    """One row. Cells by role (`description quantity unit unit_price amount tax_rate …`); `extra` by column title."""

    cells: dict[str, Cell] = field(default_factory=dict)
    extra: dict[str, Cell] = field(default_factory=dict)
    proven: bool = False  # quantity times unit price is the amount


@dataclass(slots=True)
class _Row:
    line: Line
    columns: tuple[Column, ...]
    cells: dict[int, list[Word]]
    text_lines: list[tuple[Line, list[Word]]] = field(default_factory=list)  # description words, line by line


def line_items(layout: Layout, context: Context = PLAIN) -> list[Item]:
    """The rows of the document's item table, in order; empty when no table says what it is."""
    tables: dict[tuple[str, ...], list[Item]] = {}
    headers = find_headers(layout)
    for number, header in enumerate(headers):
        end = headers[number + 1].first if number + 1 < len(headers) else len(layout.lines)
        rows = _rows(layout, header, end, context)
        items = [item for row in rows if (item := _item(row, context)) is not None]
        tables.setdefault(header.signature, []).extend(items)
    return _plausible(max(tables.values(), key=_worth, default=[]))


def _plausible(items: Sequence[Item]) -> list[Item]:
    """Rows of a table whose products hold, without the lines between them that only look like rows."""
    if 2 * sum(item.proven for item in items) < len(items):
        return list(items)
    return [item for item in items if item.proven or {"amount", "unit_price"} <= item.cells.keys()]


def _worth(items: Sequence[Item]) -> tuple[int, int, int]:
    full = sum("description" in item.cells for item in items)
    return sum(item.proven for item in items), full, len(items)


def _body(layout: Layout, header: Header, end: int) -> Iterator[Line]:
    """The lines below a header that can hold its rows: to the totals, at most twenty pages on."""
    for line in layout.lines[header.last + 1 : end]:
        is_total = _TOTALS.match(fold(line.segments[0].text)) and len(line.segments) < len(header.columns) - 1
        if is_total and line.segments[0].box[0] > header.columns[0].x0 - 60:
            return
        if len(line.segments) > 2 and _SUM.match(fold(line.segments[-2].text)):
            return
        if line.page > header.page + 20:
            return
        yield line


def _rows(layout: Layout, header: Header, end: int, context: Context) -> list[_Row]:
    lines = list(_body(layout, header, end))
    heights = [s.height for line in lines for s in line.segments]
    usual = median(heights) if heights else 0.0
    kept = [(line, [s for s in line.segments if s.height < 1.8 * usual]) for line in lines]
    segments = [s for _, found in kept for s in found]
    edges = cell_edges([s for s in segments if s.page == header.page])
    columns = grow(header.columns, segments)
    rows: list[_Row] = []
    loose: list[tuple[Line, list[Word]]] = []  # description lines that no row has taken yet
    text = _text_column(columns)
    last: Line | None = None
    for line, found in kept:
        if last is not None and _is_far(last, line, usual, bool(rows)):
            break
        last = line
        cells = assign(columns, found, edges)
        if _is_anchor(columns, cells, context):
            row = _Row(line, columns, cells)
            if text in cells:
                row.text_lines.append((line, cells[text]))
            elif loose:
                row.text_lines.append(loose[-1])
            rows.append(row)
            loose = []
        elif _is_text_only(columns, cells, text):
            (rows[-1].text_lines if rows and rows[-1].text_lines else loose).append((line, cells[text]))
            if rows:
                loose.append((line, cells[text]))
    return rows


def _is_far(last: Line, line: Line, usual: float, started: bool) -> bool:
    """A gap that no table leaves between two of its lines."""
    return started and line.page == last.page and line.box[1] - last.box[3] > 9 * usual


def _text_column(columns: Sequence[Column]) -> int:
    """The column of the description: so titled, else the widest that holds no numbers."""
    named = [i for i, column in enumerate(columns) if column.role == "description"]
    if named:
        return max(named, key=lambda i: columns[i].x1 - columns[i].x0)
    others = [i for i, column in enumerate(columns) if column.role in ("other", "code", "position")]
    return max(others, key=lambda i: columns[i].x1 - columns[i].x0, default=0)


def _numbers(words: Sequence[Word] | None, context: Context) -> list[str]:
    if not words:
        return []
    text = " ".join(word.text for word in words)
    if "%" in text or sum(char.isalpha() for char in text) > 14:
        return []
    return readings(text, context)


def _is_anchor(columns: Sequence[Column], cells: dict[int, list[Word]], context: Context) -> bool:
    has = {columns[i].role for i, words in cells.items() if _numbers(words, context)}
    titles = {column.role for column in columns}
    if titles & {"amount", "gross_amount"}:
        return bool(has & {"amount", "gross_amount"}) and bool(has & {"quantity", "unit_price"} or len(cells) >= 2)
    return {"quantity", "unit_price"} <= has


def _is_text_only(columns: Sequence[Column], cells: dict[int, list[Word]], text: int) -> bool:
    return text in cells and all(columns[i].role not in ("amount", "unit_price", "gross_amount") for i in cells)


def _item(row: _Row, context: Context) -> Item | None:
    item = Item()
    _fill_numbers(item, row, context)
    description = _description(row)
    if description is not None:
        item.cells["description"] = description
    for index, words in row.cells.items():
        column = row.columns[index]
        text = " ".join(word.text for word in words)
        cell = Cell(text, text, tuple(words), row.line.page)
        if column.role in ("code", "unit", "tax_rate", "discount", "position"):
            item.cells.setdefault(column.role, cell)
        item.extra.setdefault(column.title, cell)
    if "description" not in item.cells and not item.proven:
        return None
    return item


def _fill_numbers(item: Item, row: _Row, context: Context) -> None:
    """Quantity, price and amount: of several columns of one role those whose product holds, else the first ones."""
    options: dict[str, list[tuple[list[str], list[Word]]]] = {"quantity": [], "unit_price": [], "amount": []}
    for index in sorted(row.cells):
        role = row.columns[index].role
        words = row.cells[index]
        values = _numbers(words, context)
        if values and role in ("gross_amount", *options):
            options["amount" if role == "gross_amount" else role].append((values, words))
    # `Amount` may head the quantities: any column of numbers is tried as the quantity when none is titled so.
    for q_values, q_words in options["quantity"] or options["amount"]:
        for u_values, u_words in options["unit_price"]:
            for a_values, a_words in options["amount"]:
                if a_words is q_words:
                    continue
                triple = proven_triple(q_values, u_values, a_values)
                if triple is not None:
                    item.proven = True
                    _put(item, row, zip(options, triple, (q_words, u_words, a_words), strict=True))
                    return
    _put(item, row, ((role, found[0][0][0], found[0][1]) for role, found in options.items() if found))


def _put(item: Item, row: _Row, cells: Iterator[tuple[str, str, list[Word]]]) -> None:
    for role, value, words in cells:
        item.cells[role] = Cell(value, " ".join(word.text for word in words), tuple(words), row.line.page)


def _description(row: _Row) -> Cell | None:
    """The first description line and those that it wraps to."""
    if not row.text_lines:
        return None
    limit = max(words[-1].x1 for _, words in row.text_lines)
    words = list(row.text_lines[0][1])
    for (_, before), (line, after) in zip(row.text_lines, row.text_lines[1:], strict=False):
        text = " ".join(word.text for word in after)
        room = limit - before[-1].x1
        height = before[-1].y1 - before[-1].y0
        # The line was full when the next word would not have fitted into the column any more.
        if _NOTE.match(text) or room > after[0].x1 - after[0].x0 + 0.3 * height:
            break
        if line.page == row.line.page and after[0].y0 - before[-1].y1 > 0.9 * height:
            break
        words.extend(after)
    text = " ".join(word.text for word in words)
    return Cell(text, text, tuple(words), row.line.page) if any(char.isalpha() for char in text) else None
