"""The rows below a table's header: which lines make one row, and which text stands in it.

A row is anchored by the line, or the few lines close together, that hold its numbers. The text between two anchors
belongs to the row above it, unless a drawn rule parts them or the table centres its cells: then the first row's text
starts above its numbers, and the widest gap between two anchors parts their rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mcp_pdf.extract.columns import MONEY, Column
from mcp_pdf.extract.found import Context
from mcp_pdf.extract.layout import Layout, Line
from mcp_pdf.extract.row_proof import readings
from mcp_pdf.pdf.page import Word

Cells = dict[int, list[Word]]

_NEAR = 1.35  # line heights between two lines of numbers of one row
_HAIR = 0.5  # points: gaps that differ by less are the same
_APART = 0.25  # of a line height: how much wider the gap between rows is than the one between a row's lines
_LONG = 14  # letters: a cell with more is text, whatever number stands in it
_NO_NUMBER = re.compile(r"%|\d[/:]\d")  # percentages, dates, times and ratios
_SUMS = frozenset({"amount", "gross_amount"})
_COUNTED = frozenset({"quantity", *MONEY})


@dataclass(slots=True)
class Row:
    """One row: its cells by column index, and its description words line by line."""

    line: Line
    columns: Sequence[Column]
    cells: Cells
    last: Line
    text: int = 0  # the description's column
    limit: float = 0.0  # how far to the right the table's description lines go
    text_lines: list[tuple[Line, list[Word]]] = field(default_factory=list)


def numbers(words: Sequence[Word] | None, context: Context) -> list[str]:
    """What the number in a cell can mean, the likeliest first; empty for text and percentages."""
    if not words:
        return []
    text = " ".join(word.text for word in words)
    if _NO_NUMBER.search(text) or sum(char.isalpha() for char in text) > _LONG:
        return []
    return readings(text, context)


def rows_of(
    layout: Layout, columns: Sequence[Column], lines: Sequence[tuple[Line, Cells]], text: int, context: Context
) -> list[Row]:
    """Rows of a table's body, top to bottom; `text` is the description's column."""
    found = list(_anchored(columns, lines, text, context))
    rows = [row for row in found if isinstance(row, Row)]
    loose: list[tuple[Line, Cells]] = []
    before: Row | None = None
    printed = [line for line, _ in lines]
    centred = _is_centred(found) or _is_banded(found, printed)
    limit = _limit(text, found)
    for one in [*found, None]:
        if isinstance(one, tuple):
            loose.append(one)
            continue
        if one is not None:
            one.text, one.limit = text, limit
        at = _cut(layout, printed, before, one, loose, centred=centred) if loose else 0
        shared = [(line, cells[text]) for line, cells in loose]
        if before is not None:
            before.text_lines += shared[:at]
        if one is not None:
            one.text_lines = [*shared[at:], *one.text_lines]
        before, loose = one, []
    return rows


def _anchored(
    columns: Sequence[Column], lines: Sequence[tuple[Line, Cells]], text: int, context: Context
) -> Iterator[Row | tuple[Line, Cells]]:
    """Rows without their further text, and between them the lines that hold text alone."""
    group: list[tuple[Line, Cells]] = []
    for line, cells in lines:
        roles = _counted(columns, cells, context)
        if roles and group and not _goes_on(columns, group, line, roles, context):
            yield from _close(columns, group, text, context)
            group = []
        if roles or (group and _is_near(group[-1][0], line) and not _is_row(columns, _merged(group), context)):
            group.append((line, cells))
        else:
            yield from _close(columns, group, text, context)
            group = []
            if _is_text(columns, cells, text):
                yield line, cells
    yield from _close(columns, group, text, context)


def without_foreign(
    columns: Sequence[Column], lines: Sequence[tuple[Line, Cells]], titles: frozenset[int], context: Context
) -> list[tuple[Line, Cells]]:
    """The lines without those of other tables: from their titles (lines by index) to the next line with an amount."""
    kept = []
    foreign = False
    for line, cells in lines:
        foreign = line.index in titles or (
            foreign and not _counted(columns, cells, context) & {"amount", "gross_amount"}
        )
        if not foreign:
            kept.append((line, cells))
    return kept


def _counted(columns: Sequence[Column], cells: Cells, context: Context) -> set[str]:
    return {columns[i].role for i, words in cells.items() if columns[i].role in _COUNTED and numbers(words, context)}


def _is_near(above: Line, below: Line) -> bool:
    height = min(above.box[3] - above.box[1], below.box[3] - below.box[1])
    return above.page == below.page and below.box[1] - above.box[1] < _NEAR * height


def _goes_on(
    columns: Sequence[Column], group: list[tuple[Line, Cells]], line: Line, roles: set[str], context: Context
) -> bool:
    """Whether a line of numbers fills what the row above it still lacks."""
    held = _counted(columns, _merged(group), context)
    return _is_near(group[-1][0], line) and not held & roles


def _merged(group: Sequence[tuple[Line, Cells]]) -> Cells:
    cells: Cells = {}
    for _, more in group:
        for index, words in more.items():
            cells.setdefault(index, []).extend(words)
    return cells


def _close(
    columns: Sequence[Column], group: list[tuple[Line, Cells]], text: int, context: Context
) -> Iterator[Row | tuple[Line, Cells]]:
    """The row of a group of lines; lines that make no row are given back as text."""
    if not group:
        return
    cells = _merged(group)
    if not _is_row(columns, cells, context):
        yield from ((line, own) for line, own in group if _is_text(columns, own, text))
        return
    row = Row(group[0][0], columns, cells, group[-1][0])
    row.text_lines = [(line, own[text]) for line, own in group if text in own]
    yield row


def _is_row(columns: Sequence[Column], cells: Cells, context: Context) -> bool:
    has = _counted(columns, cells, context)
    titles = {column.role for column in columns}
    if titles & {"amount", "gross_amount"}:
        return bool(has & _SUMS) and bool(has & {"quantity", "unit_price"} or len(cells) >= 2)
    if titles & {"unit_price", "gross_price"}:
        return {"quantity", "unit_price"} <= has
    return "quantity" in has and len(cells) >= 2


def _is_text(columns: Sequence[Column], cells: Cells, text: int) -> bool:
    if any(words[-1].text.endswith(":") for i, words in cells.items() if i != text):
        return False  # a label in front: the text is its value
    priced = [word.text for i, words in cells.items() if columns[i].role in MONEY for word in words]
    return text in cells and not any(char.isdigit() for word in priced for char in word)


def _is_centred(found: Sequence[Row | tuple[Line, Cells]]) -> bool:
    """Whether cells stand in the middle of their rows: as much text stands above the numbers as below them.

    A note over an item or a code under it does not make a table centred.
    """
    votes = 0
    places = [i for i, one in enumerate(found) if isinstance(one, Row)]
    for number, at in enumerate(places):
        row = found[at]
        if not isinstance(row, Row):
            continue
        start = places[number - 1] + 1 if number else 0
        end = places[number + 1] if number + 1 < len(places) else len(found)
        above = _touching(row.line, [one[0] for one in reversed(found[start:at]) if isinstance(one, tuple)])
        below = _touching(row.last, [one[0] for one in found[at + 1 : end] if isinstance(one, tuple)])
        if above:
            votes += 1 if above == below or not row.text_lines else -1
    return votes > 0


def _limit(text: int, found: Sequence[Row | tuple[Line, Cells]]) -> float:
    """Where description lines break: at the end of the table's longest one."""
    limit = 0.0
    for one in found:
        lines = [words for _, words in one.text_lines] if isinstance(one, Row) else [one[1][text]]
        limit = max([limit, *(words[-1].x1 for words in lines)])
    return limit


def is_full(words: Sequence[Word], following: Sequence[Word], limit: float) -> bool:
    """Whether a line ended because the next word would not have fitted any more."""
    height = words[-1].y1 - words[-1].y0
    return limit - words[-1].x1 <= following[0].x1 - following[0].x0 + 0.3 * height


def _touching(edge: Line, lines: Sequence[Line]) -> int:
    """How many of the lines, nearest first, go on from an edge without a gap."""
    count = 0
    for line in lines:
        first, second = sorted((edge, line), key=lambda one: one.index)
        if not _is_near(first, second):
            break
        edge, count = line, count + 1
    return count


def _cut(
    layout: Layout,
    printed: Sequence[Line],
    above: Row | None,
    below: Row | None,
    loose: Sequence[tuple[Line, Cells]],
    *,
    centred: bool,
) -> int:
    """How many of the text lines between two rows belong to the upper one."""
    lines = [line for line, _ in loose]
    if below is None:
        return len(lines)
    numbered = _numbered(below, loose)
    if numbered is not None:
        return numbered
    if above is None:
        return len(lines) - _touching(below.line, lines[::-1]) if centred or not below.text_lines else len(lines)
    rule = _rule(layout, above.last, below.line)
    if rule is not None:
        return sum(line.box[1] < rule for line in lines if line.page == above.last.page)
    parted = _parted(printed, above, below)
    if parted is not None:
        return sum(line.index <= parted for line in lines)
    if not centred and below.text_lines:
        return len(lines) - _overhang(above.last, below, loose)
    return _widest([above.last, *lines, below.line])


def _overhang(above: Line, below: Row, loose: Sequence[tuple[Line, Cells]]) -> int:
    """How many lines the lower row's text starts on, when its numbers stand at the foot: all or none."""
    lines = [line for line, _ in loose]
    parts = [cells[below.text] for _, cells in loose]
    following = [*parts[1:], below.text_lines[0][1]]
    wrapped = all(is_full(words, after, below.limit) for words, after in zip(parts, following, strict=True))
    gaps = [_space(one, other) for one, other in pairwise([above, *lines, below.line])]
    noted = any(":" in word.text for words in parts for word in words)
    return len(lines) if wrapped and not noted and gaps[0] > max(gaps[1:]) + _HAIR else 0


def _numbered(row: Row, loose: Sequence[tuple[Line, Cells]]) -> int | None:
    """The line that carries the row's position number, when its numbers stand on a later one."""
    at = next((i for i, column in enumerate(row.columns) if column.role == "position"), None)
    if at is None or at in row.cells:
        return None
    found = [i for i, (_, cells) in enumerate(loose) if at in cells and cells[at][0].text.strip(".").isdigit()]
    return found[-1] if found else None


def _parted(printed: Sequence[Line], above: Row, below: Row) -> int | None:
    """The line (by index) behind which the one gap between two rows stands that is wider than all others."""
    between = [line for line in printed if above.line.index <= line.index <= below.line.index]
    if any(line.page != above.line.page for line in between):
        return None
    bottom = between[0].box[3]
    gaps = []
    for line in between[1:]:
        gaps.append(line.box[1] - bottom)
        bottom = max(bottom, line.box[3])
    if len(gaps) < 2:
        return None
    height = above.line.box[3] - above.line.box[1]
    second, widest = sorted(gaps)[-2:]
    return between[gaps.index(widest)].index if widest - second > _APART * height else None


def _is_banded(found: Sequence[Row | tuple[Line, Cells]], printed: Sequence[Line]) -> bool:
    """Whether gaps between rows give text above its numbers to some row."""
    rows = [one for one in found if isinstance(one, Row)]
    texts = [one[0].index for one in found if isinstance(one, tuple)]
    for above, below in pairwise(rows):
        parted = _parted(printed, above, below)
        if parted is not None and any(parted < index < below.line.index for index in texts):
            return True
    return False


def _space(above: Line, below: Line) -> float:
    return below.box[1] - above.box[3] if above.page == below.page else 0.0


def _widest(lines: Sequence[Line]) -> int:
    """The index after which the widest gap stands; the last one when all gaps are alike."""
    gaps = [_space(above, below) for above, below in pairwise(lines)]
    height = lines[0].box[3] - lines[0].box[1]
    if max(gaps) - min(gaps) < _APART * height:
        return len(lines) - 2
    return gaps.index(max(gaps))


def _rule(layout: Layout, above: Line, below: Line) -> float | None:
    """The height of the one drawn line that parts two rows, None without."""
    if above.page != below.page:
        return None
    page = next(page for page in layout.pages if page.number == above.page)
    top, bottom = above.box[3] - 1, below.box[1] + 1
    found = {
        round(y0)
        for x0, y0, x1, y1 in page.rulings
        if y1 - y0 < 2 and top <= y0 <= bottom and x1 - x0 > 20 and x0 < below.box[2] and x1 > below.box[0]
    }
    return min(found) if found and max(found) - min(found) <= 3 else None
