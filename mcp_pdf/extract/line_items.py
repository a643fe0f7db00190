"""Line items: the rows under an item table's header, over as many pages as it runs.

The description of a row starts on its first line and goes on below while a printed line was full, so that codes and
notes under an item stay out of it. Products (quantity times unit price is the amount) choose among columns, and the
sum of the amounts, when the document prints it, chooses among rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations, pairwise, product
from statistics import median

from mcp_pdf.extract.columns import MONEY, TIGHT, Column, assign, cell_edges, grow, ruled
from mcp_pdf.extract.found import PLAIN, Context
from mcp_pdf.extract.headers import Header, find_headers
from mcp_pdf.extract.layout import Layout, Line, Segment
from mcp_pdf.extract.records import Record, find_records
from mcp_pdf.extract.row_bands import Row, is_full, numbers, rows_of, without_foreign
from mcp_pdf.extract.row_proof import printed_amounts, proven_triple
from mcp_pdf.extract.titles import is_end, is_sum
from mcp_pdf.pdf.page import Word

_NOTE = re.compile(
    r"^[^:]{2,32}:\s?\S|^[^:]{2,24}:$|^[-=_*]{4,}|"
    r"^(?:art|item|artikel|articolo|article|sku|ref|cod|code|ean|gtin|isbn|serial|s/n|lot|charge|hs)\b[\w .#-]{0,12}\d",
    re.IGNORECASE,
)
_NEVER_COUNTED = frozenset({"description", "code", "position", "tax_rate", "tax_amount", "discount"})
_PAGES = 20  # a table runs over at most this many pages

# Which price goes with which amount, the likeliest pair first.
_PAIRS = (
    ("unit_price", "amount"),
    ("gross_price", "gross_amount"),
    ("unit_price", "gross_amount"),
    ("gross_price", "amount"),
)
_ROLES = ("quantity", "unit_price", "amount")


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
    summed: bool = False  # the amounts of all rows add up to a printed sum


def line_items(layout: Layout, context: Context = PLAIN) -> list[Item]:
    """The rows of the document's item table, in order; empty when no table says what it is."""
    tables: dict[tuple[str, ...], list[Item]] = {}
    headers = find_headers(layout)
    for number, header in enumerate(headers):
        if not header.heads_items:
            continue
        later = headers[number + 1 :]
        rows = _rows(layout, header, later, context)
        tables.setdefault(header.signature, []).extend(rows)
    tables["records",] = [_recorded(record) for record in find_records(layout, context)]
    return _summed(layout, max((_unnumbered(rows) for rows in tables.values()), key=_worth), context)


def _unnumbered(items: list[Item]) -> list[Item]:
    """Rows whose descriptions count 1, 2, 3 … without a column for it, without these numbers."""
    found = [item.cells.get("description") for item in items]
    counted = [
        cell is not None and cell.text.split(maxsplit=1)[0].strip(".") == str(at) for at, cell in enumerate(found, 1)
    ]
    if len(items) < 2 or not all(counted):
        return items
    for item in items:
        cell = item.cells["description"]
        text = cell.text.partition(" ")[2]
        if text:
            item.cells["description"] = Cell(text, text, cell.words[1:], cell.page)
    return items


def _recorded(record: Record) -> Item:
    cells = {
        role: Cell(record.numbers.get(role, pair.text), pair.text, pair.words, pair.line.page)
        for role, pair in record.pairs.items()
        if role in record.numbers or role not in _ROLES
    }
    return Item(cells, proven=record.proven)


def _summed(layout: Layout, items: Sequence[Item], context: Context) -> list[Item]:
    """The rows whose amounts add up to a sum that the document prints; without one, those that look like items."""
    printed = printed_amounts(layout, context)
    likely = _plausible(items)
    for rows in (list(items), likely, [item for item in items if item.proven]):
        amounts = [Decimal(item.cells["amount"].value) for item in rows if "amount" in item.cells]
        total = sum(amounts, Decimal(0))
        if len(amounts) > 1 and printed.get(abs(total), 0) > sum(abs(one) == abs(total) for one in amounts):
            for item in rows:
                item.summed = True
            return rows
    return likely


def _plausible(items: Sequence[Item]) -> list[Item]:
    """Rows of a table whose products hold, without the lines between them that only look like rows."""
    if not any(item.proven for item in items):
        return list(items)
    return [item for item in items if item.proven or {"quantity", "unit_price"} & item.cells.keys()]


def _worth(items: Sequence[Item]) -> tuple[int, int, int, int]:
    full = sum("description" in item.cells for item in items)
    priced = sum(bool(MONEY & item.cells.keys()) for item in items)
    counted = sum(len(item.cells.keys() & _ROLES) > 1 for item in items)
    return sum(item.proven for item in items), counted, priced, full


def _body(layout: Layout, header: Header, end: int) -> Iterator[Line]:
    """The lines below a header that can hold its rows: to the totals."""
    for line in layout.lines[header.last + 1 : end]:
        is_total = is_end(line.segments[0].text) and len(line.segments) < len(header.columns) - 1
        if is_total and line.segments[0].box[0] > header.columns[0].x0 - 60:
            return
        if len(line.segments) > 2 and is_sum(line.segments[-2].text):
            return
        if line.page > header.page + _PAGES:
            return
        yield line


def _rows(layout: Layout, header: Header, later: Sequence[Header], context: Context) -> list[Item]:
    """The items below a header. Behind another table's header only rows that prove themselves still count."""
    again = next((h for h in later if h.signature == header.signature), None)
    end = again.first if again is not None else len(layout.lines)
    foreign = min((h.first for h in later[:1]), default=end)
    lines = list(_body(layout, header, end))
    heights = [s.height for line in lines for s in line.segments]
    usual = median(heights) if heights else 0.0
    kept = [(line, [s for s in line.segments if s.height < 1.8 * usual]) for line in lines]
    segments = [s for _, found in kept for s in found]
    edges = cell_edges([s for s in segments if s.page == header.page])
    columns = grow(ruled(header.columns, _rules(layout, header)), [s for s in segments if s.line < foreign])
    titles = frozenset(index for h in later for index in range(h.first, h.last + 1))
    cells = [(line, assign(columns, found, edges)) for line, found in _together(kept, usual)]
    body = without_foreign(columns, cells, titles, context)
    rows = rows_of(layout, columns, body, text_column(columns), context)
    items = [(row, _item(row, context)) for row in rows]
    return [item for row, item in items if item is not None and (item.proven or row.line.index < foreign)]


def _rules(layout: Layout, header: Header) -> list[float]:
    """Where upright rules cross the height of a header's titles."""
    box = layout.lines[header.last].box
    page = next(page for page in layout.pages if page.number == header.page)
    middle = (box[1] + box[3]) / 2
    return [x0 for x0, y0, x1, y1 in page.rulings if x1 - x0 < 2 and y0 <= middle <= y1]


def _together(kept: Sequence[tuple[Line, list[Segment]]], usual: float) -> Iterator[tuple[Line, list[Segment]]]:
    """Lines up to a gap that no table leaves between two of its lines."""
    last: Line | None = None
    for line, found in kept:
        far = last is not None and line.page == last.page and line.box[1] - last.box[3] > 9 * usual
        if far and any(len(one.segments) > 2 for one, _ in kept if one.index < line.index):
            return
        last = line
        yield line, found


def text_column(columns: Sequence[Column]) -> int:
    """The column of the description: so titled, else the widest that holds no numbers."""
    named = [i for i, column in enumerate(columns) if column.role == "description"]
    if named:
        return max(named, key=lambda i: columns[i].x1 - columns[i].x0)
    others = [i for i, column in enumerate(columns) if column.role in ("other", "code", "position")]
    return max(others, key=lambda i: columns[i].x1 - columns[i].x0, default=0)


def _item(row: Row, context: Context) -> Item | None:
    item = Item()
    _fill_numbers(item, row, context)
    description = _description(row)
    if description is not None:
        item.cells["description"] = description
    for index, words in row.cells.items():
        column = row.columns[index]
        text = " ".join(word.text for word in words)
        cell = Cell(text, text, tuple(words), row.line.page)
        if column.role in ("code", "unit", "tax_rate", "tax_amount", "discount", "position"):
            item.cells.setdefault(column.role, cell)
        item.extra.setdefault(column.title, cell)
    if "description" not in item.cells and not item.proven:
        return None
    return item


_Option = tuple[list[str], list[Word]]


def _fill_numbers(item: Item, row: Row, context: Context) -> None:
    """Quantity, price and amount: of several columns of one role those whose product holds, else the first ones."""
    options: dict[str, list[_Option]] = {role: [] for role in ("quantity", *MONEY)}
    for index in sorted(row.cells):
        role = row.columns[index].role
        words = row.cells[index]
        values = numbers(words, context) if role in options else []
        if values:
            options[role].append((values, words))
    # `Amount` may head the quantities: any column of numbers is tried as the quantity when none is titled so.
    counts = options["quantity"] or options["amount"]
    for price, amount in _PAIRS:
        for q, u, a in product(counts, options[price], options[amount]):
            triple = None if q is a else proven_triple(q[0], u[0], a[0])
            if triple is not None:
                item.proven = True
                _put(item, row, zip(_ROLES, triple, (q[1], u[1], a[1]), strict=True))
                return
    if _fill_by_order(item, row, context):
        return
    first = {
        "quantity": options["quantity"],
        "unit_price": options["unit_price"] or options["gross_price"],
        "amount": options["amount"] or options["gross_amount"],
    }
    _put(item, row, ((role, found[0][0][0], found[0][1]) for role, found in first.items() if found))


def _fill_by_order(item: Item, row: Row, context: Context) -> bool:
    """Any three numbers of the row, in the order of the titles, whose product holds: titles may stand off their cells.

    A price without a known title stands between the quantity and the amount.
    """
    roles = {column.role: at for at, column in reversed(list(enumerate(row.columns)))}
    amount = roles.get("amount", roles.get("gross_amount"))
    if amount is None or "quantity" not in roles:
        return False
    price_first = roles.get("unit_price", amount) < roles["quantity"]
    skipped = [i for i in row.cells if row.columns[i].role in _NEVER_COUNTED]
    words = [word for i, cell in row.cells.items() if i not in skipped for word in cell]
    found = [(values, part) for part in _parts(words) if (values := numbers(part, context))]
    for first, second, last in combinations(found, 3):
        q, u = (second, first) if price_first else (first, second)
        triple = proven_triple(q[0][:1], u[0][:1], last[0][:1])
        if triple is not None:
            item.proven = True
            _put(item, row, zip(_ROLES, triple, (q[1], u[1], last[1]), strict=True))
            return True
    return False


def _parts(words: Sequence[Word]) -> list[list[Word]]:
    """Words from left to right, those of one value together."""
    parts: list[list[Word]] = []
    for word in sorted(words, key=lambda one: one.x0):
        if not parts or word.x0 - parts[-1][-1].x1 > TIGHT * (word.y1 - word.y0):
            parts.append([])
        parts[-1].append(word)
    return parts


def _put(item: Item, row: Row, cells: Iterator[tuple[str, str, list[Word]]]) -> None:
    for role, value, words in cells:
        item.cells[role] = Cell(value, " ".join(word.text for word in words), tuple(words), row.line.page)


def _description(row: Row) -> Cell | None:
    """The first description line and those that it wraps to."""
    if not row.text_lines:
        return None
    words = list(row.text_lines[0][1])
    for (_, before), (line, after) in pairwise(row.text_lines):
        text = " ".join(word.text for word in after)
        is_note = _NOTE.match(text) or not any(char.isalpha() for char in text)
        if is_note or not is_full(before, after, row.limit):
            break
        if line.page == row.line.page and after[0].y0 - before[-1].y1 > 0.9 * (before[-1].y1 - before[-1].y0):
            break
        words.extend(after)
    text = " ".join(word.text for word in words)
    return Cell(text, text, tuple(words), row.line.page) if any(char.isalpha() for char in text) else None
