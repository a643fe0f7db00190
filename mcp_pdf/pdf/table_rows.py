"""Columns and rows of one table: which words make a cell, which lines make a row, and what a row is for.

Columns are the stretches between the gaps that grid lines leave free. A row is built around the line that fills the
columns of numbers; lines of text around it are continued cells, given to the row that they are closer to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mcp_pdf.pdf.lines import Segment, box_of
from mcp_pdf.pdf.page import Page, Word
from mcp_pdf.pdf.table_regions import LEAST_COLUMNS, SLACK_PT, GridLine, Region, is_number

FREE_SHARE = 0.86  # of the grid lines that leave a gap free
LEAST_GAP_PT = 1.0
ACROSS = 0.75  # of a table's width: a drawn line this long parts rows
_SUM = re.compile(
    r"^(?:grand|sub|sous|zwischen|gesamt|netto|brutto|net|gross)?[\s-]*(?:total|summe|gesamt|betrag|suma|razem|totaal|totale"
    r"|subtotal|amount due|balance|vat|tva|mwst|ust|steuer|iva|btw|moms|mva|toplam|celkem|zahlbetrag|rechnungsbetrag)\b"
    r"|^(?:total|summe|gesamt|suma|razem|totaal|totale|toplam|celkem)",
    re.IGNORECASE,
)
_AMOUNT_LAST = re.compile(r"\d[.,]\d\d(?: ?(?:[€$£%]|[A-Z]{3}))?$")
_LABELS = re.compile(r"(?:[^:\n]*:\n)*[^:\n]*:")
_CARRIED = re.compile(
    r"\b(?:carried|brought) (?:forward|over)|\b[üu]bertrag|\ba reporter\b|\breport\b|\briporto\b|\bsuma y sigue\b"
    r"|\btransport(?:e|o)\b|\bdo przeniesienia\b|\boverdracht\b|\boverf[øö]rt\b",
    re.IGNORECASE,
)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one column of one row; no box when nothing does."""

    text: str
    box: Box | None


@dataclass(slots=True)
class Row:
    """One row: `header`, `body`, `total`, or `carried` (a sum taken from or to another page)."""

    kind: str
    page: int
    cells: list[Cell]
    words: list[Word]

    @property
    def box(self) -> Box:
        """Around all cells."""
        return box_of(self.words)


def lay_out(region: Region) -> list[Row]:
    """The rows of a region; sets its columns. Empty when it is no table after all."""
    heads = _titles(region.lines)
    region.columns = _columns(region, heads)
    if len(region.columns) < 2:
        return []
    body = region.lines[heads:]
    rows = [_row(region, "header", region.lines[:heads])] if heads else []
    rows += [_row(region, _kind(lines), lines) for lines in _groups(region, body)]
    return _settled(rows)


def _titles(lines: Sequence[GridLine]) -> int:
    """How many of the first lines are titles: all before the first number, down to the last grid line among them."""
    first = next((at for at, line in enumerate(lines) if _has_values(line)), len(lines))
    grids = [at for at in range(first) if len(lines[at].segments) >= 2]
    if not grids or first == len(lines):
        return 1 if first == len(lines) and len(lines) > 1 else 0
    last = grids[0]
    for at in range(grids[0] + 1, first):
        step = lines[at].y0 - lines[at - 1].y1
        if step >= (0.5 if len(lines[at].segments) > 1 else 0.0) * (lines[at].y1 - lines[at].y0):
            break
        last = at
    return last + 1


def _has_values(line: GridLine) -> bool:
    return line.numbers >= 1 and any(character.isdigit() for character in line.segments[-1].text + line.text)


def _columns(region: Region, heads: int) -> list[tuple[float, float]]:
    """Stretches of ink between gaps that nearly every grid line leaves free; a title without values below and values
    without a title beside it are one column."""
    grids = [line for line in region.lines if len(line.segments) >= LEAST_COLUMNS] or region.lines
    edges = sorted({edge for line in grids for segment in line.segments for edge in (segment.x0, segment.x1)})
    least = FREE_SHARE * len(grids)
    found: list[tuple[float, float]] = []
    for left, right in pairwise(edges):
        inked = sum(any(s.x0 < right - 0.01 and s.x1 > left + 0.01 for s in line.segments) for line in grids)
        if len(grids) - inked >= least:
            continue
        if found and left - found[-1][1] < LEAST_GAP_PT:
            found[-1] = (found[-1][0], right)
        else:
            found.append((left, right))
    return _married(found, region.lines[:heads], [line for line in region.lines[heads:] if line in grids])


def _married(
    columns: list[tuple[float, float]], heads: Sequence[GridLine], body: Sequence[GridLine]
) -> list[tuple[float, float]]:
    titled = _filled(columns, heads)
    valued = _filled(columns, body)
    at = 0
    while heads and at + 1 < len(columns):
        lone = (titled[at], valued[at], titled[at + 1], valued[at + 1])
        if lone in ((True, False, False, True), (False, True, True, False)):
            columns[at : at + 2] = [(columns[at][0], columns[at + 1][1])]
            titled[at : at + 2] = [True]
            valued[at : at + 2] = [True]
        else:
            at += 1
    return columns


def _filled(columns: Sequence[tuple[float, float]], lines: Sequence[GridLine]) -> list[bool]:
    return [any(s.x0 < x1 and s.x1 > x0 for line in lines for s in line.segments) for x0, x1 in columns]


def column_of(segment: Segment, columns: Sequence[tuple[float, float]]) -> int:
    """The column with the largest overlap, else the nearest one."""
    return max(
        range(len(columns)),
        key=lambda at: min(segment.x1, columns[at][1]) - max(segment.x0, columns[at][0]),
    )


def _cut(segment: Segment, columns: Sequence[tuple[float, float]]) -> list[Segment]:
    """The segment, or its words each for itself where it runs over several columns that words keep apart."""
    over = [column for column in columns if column[0] < segment.x1 - SLACK_PT and column[1] > segment.x0 + SLACK_PT]
    if len(over) < 2 or any(
        word.x0 < left[1] and word.x1 > right[0] for word in segment.words for left, right in pairwise(over)
    ):
        return [segment]
    return [Segment.of([word]) for word in segment.words]


def _groups(region: Region, lines: Sequence[GridLine]) -> list[list[GridLine]]:
    """The lines of each row."""
    anchors = _anchors(region, lines)
    if not anchors:
        return _bands(region, lines)
    starts = [_first(region.page, lines, anchors, number) for number in range(len(anchors))]
    starts[0] = 0
    return [list(lines[start:end]) for start, end in pairwise([*starts, len(lines)])]


def _bands(region: Region, lines: Sequence[GridLine]) -> list[list[GridLine]]:
    """The rows of a table of words: as drawn, lines across the table between them; where none are, each line."""
    borders = [at for at in range(1, len(lines)) if _parted(region, lines[at - 1], lines[at])]
    if not borders:
        return [[line] for line in lines]
    return [list(lines[start:end]) for start, end in pairwise([0, *borders, len(lines)])]


def _parted(region: Region, above: GridLine, below: GridLine) -> bool:
    """Whether drawn lines run across most of the table between these two."""
    top, bottom = (above.y0 + above.y1) / 2, (below.y0 + below.y1) / 2
    left, right = region.columns[0][0], region.columns[-1][1]
    inked = [
        (max(x0, left), min(x1, right))
        for x0, y0, x1, y1 in region.page.rulings
        if y1 - y0 < x1 - x0 and top < (y0 + y1) / 2 < bottom and x1 > left and x0 < right
    ]
    reach, covered = left, 0.0
    for x0, x1 in sorted(inked):
        covered += max(0.0, x1 - max(x0, reach))
        reach = max(reach, x1)
    return covered >= ACROSS * (right - left)


def _anchors(region: Region, lines: Sequence[GridLine]) -> list[int]:
    """The lines that begin rows: those that fill the columns of numbers that most rows fill, sums among them."""
    filled: Counter[int] = Counter()
    shapes = []
    for line in lines:
        columns = {column_of(s, region.columns) for s in line.segments if is_number(s.text)}
        shapes.append(columns)
        if len(line.segments) >= LEAST_COLUMNS:
            filled.update(columns)
    most = max(filled.values(), default=0)
    keys = {column for column, count in filled.items() if count * 2 >= most}
    always = {column for column in keys if filled[column] == most and column * 2 >= len(region.columns)}
    found = []
    for at, line in enumerate(lines):
        filling = len(shapes[at] & keys) * 2 >= len(keys) or bool(always and always <= shapes[at])
        if (len(line.segments) >= LEAST_COLUMNS and filling) or is_sum(line):
            found.append(at)
    return found


def is_sum(line: GridLine) -> bool:
    """Whether the line is a labelled sum, of the table or of a page."""
    labelled = _SUM.match(line.text) or _CARRIED.search(line.text)
    valued = line.numbers >= 1 or _AMOUNT_LAST.search(line.text)
    return labelled is not None and bool(valued) and len(line.segments) <= LEAST_COLUMNS + 1


def _first(page: Page, lines: Sequence[GridLine], anchors: Sequence[int], number: int) -> int:
    """The first line of a row: a drawn line above it decides, else the widest space between it and the row before."""
    at = anchors[number]
    before = anchors[number - 1] if number else -1
    steps = {start: lines[start].y0 - lines[start - 1].y1 for start in range(before + 1, at + 1) if start > 0}
    if len(steps) < 2:
        return at
    ruled = [start for start in steps if _ruled(page, lines[start - 1], lines[start])]
    if ruled:
        return ruled[-1]
    widest = max(steps.values())
    if widest > min(steps.values()) + 0.35 * (lines[at].y1 - lines[at].y0):
        return max(start for start, step in steps.items() if step >= widest - 0.5)
    return at


def _ruled(page: Page, above: GridLine, below: GridLine) -> bool:
    middle = sorted(((above.y0 + above.y1) / 2, (below.y0 + below.y1) / 2))
    left, right = min(s.x0 for s in below.segments), max(s.x1 for s in below.segments)
    return any(
        y1 - y0 < x1 - x0 and middle[0] <= (y0 + y1) / 2 <= middle[1] and x0 <= (left + right) / 2 <= x1
        for x0, y0, x1, y1 in page.rulings
    )


def _kind(lines: Sequence[GridLine]) -> str:
    for line in lines:
        if is_sum(line):
            return "carried" if _CARRIED.search(line.text) else "total"
    return "body"


def _row(region: Region, kind: str, lines: Sequence[GridLine]) -> Row:
    places: list[list[list[Word]]] = [[] for _ in region.columns]
    for line in lines:
        here: dict[int, list[Word]] = {}
        for segment in line.segments:
            for part in _cut(segment, region.columns):
                here.setdefault(column_of(part, region.columns), []).extend(part.words)
        for column, words in here.items():
            places[column].append(words)
    cells = []
    for parts in places:
        text = "\n".join(" ".join(word.text for word in words) for words in parts)
        cells.append(Cell(text, box_of(word for words in parts for word in words) if parts else None))
    return Row(kind, region.page.number, cells, [w for parts in places for words in parts for w in words])


def _settled(rows: list[Row]) -> list[Row]:
    """A body of at least one row with two filled cells; what follows the sums is none of the table."""
    last = max((at for at, row in enumerate(rows) if row.kind == "body"), default=-1)
    sums = [at for at, row in enumerate(rows) if row.kind == "total"]
    if sums and last > sums[0]:
        after = [row for row in rows[sums[0] :] if row.kind == "body"]
        if all(sum(cell.box is not None for cell in row.cells) <= 2 for row in after):
            rows = [row for at, row in enumerate(rows) if at < sums[0] or row.kind != "body"]
    body = [row for row in rows if row.kind == "body"]
    filled = max((sum(cell.box is not None for cell in row.cells) for row in body), default=0)
    return rows if filled >= LEAST_COLUMNS and not _is_form(body) else []


def _is_form(body: Sequence[Row]) -> bool:
    """Whether a column is made of labels: then values stand beside them, and nothing under titles."""
    columns = list(zip(*(row.cells for row in body), strict=True))
    return any(sum(_LABELS.fullmatch(cell.text) is not None for cell in cells) * 2 > len(cells) for cells in columns)
