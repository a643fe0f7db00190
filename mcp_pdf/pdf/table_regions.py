"""Where tables lie on a page: stretches of lines whose segments keep to the same columns.

A line with at least LEAST_COLUMNS segments is a *grid line*: a row of titles or of cells. Grid lines whose segments
stand over one another make a region; lines between them belong to it while they keep to its columns: continued cells.
Titles and notes of the page are not: their words run across the columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from mcp_pdf.pdf.lines import Segment, split
from mcp_pdf.pdf.page import Page, Word

LEAST_COLUMNS = 3
MAX_BETWEEN = 14  # lines of one cell between two grid lines
WIDEST_STEP = 3.2  # of the line height: a wider empty stretch ends a table without rulings
RULED_STEP = 9.0  # of the line height: the same inside a drawn frame
CONTINUED_STEP = 1.0  # of the line height: what follows closer, in one column, is the same cell
STAGGERED = 0.15  # of the line height: lines that overlap by more belong to one row
SLACK_PT = 2.0
_NUMBER = re.compile(r"^[(\[+\-–€$£¥]*\s*\d[\d.,'’ \u00a0\u202f/:-]*\s*(?:%|€|\$|£|[A-Za-z²³.]{1,4})?[)\]*-]*$")


@dataclass(slots=True)
class GridLine:
    """One printed line, cut into segments at wide gaps and at vertical rulings."""

    segments: list[Segment]
    y0: float
    y1: float

    @property
    def numbers(self) -> int:
        """How many segments are numbers."""
        return sum(is_number(segment.text) for segment in self.segments)

    @property
    def text(self) -> str:
        """Of the whole line."""
        return " ".join(segment.text for segment in self.segments)


@dataclass(slots=True)
class Region:
    """The lines of one table on one page, top to bottom, and the edges of its columns."""

    page: Page
    lines: list[GridLine]
    columns: list[tuple[float, float]] = field(default_factory=list)


def is_number(text: str) -> bool:
    """Whether the whole text is one amount, count, date or rate, with its unit."""
    return _NUMBER.match(text) is not None


def grid_lines(page: Page, lines: Sequence[Segment]) -> list[GridLine]:
    """The lines of a page, cut into segments."""
    upright = [ruling for ruling in page.rulings if ruling[3] - ruling[1] > ruling[2] - ruling[0]]
    found = []
    for line in lines:
        walls = [(x0 + x1) / 2 for x0, y0, x1, y1 in upright if y0 <= line.y1 and y1 >= line.y0]
        parts = [part for segment in split(line) for part in _walled(segment, walls)]
        found.append(GridLine(parts, line.y0, line.y1))
    return found


def _walled(segment: Segment, walls: Sequence[float]) -> Iterator[Segment]:
    """The segment cut where a wall stands between two of its words."""
    part: list[Word] = []
    for word in segment.words:
        if part and any(part[-1].x1 - SLACK_PT <= wall <= word.x0 + SLACK_PT for wall in walls):
            yield Segment.of(part)
            part = []
        part.append(word)
    yield Segment.of(part)


def find_regions(page: Page, lines: Sequence[GridLine]) -> list[Region]:
    """The tables of a page, without their columns."""
    regions: list[Region] = []
    height = median([line.y1 - line.y0 for line in lines]) if lines else 0.0
    at = 0
    while at < len(lines):
        if len(lines[at].segments) < LEAST_COLUMNS:
            at += 1
            continue
        end = _end(page, lines, at, height)
        if end - at >= 2:  # a row of titles and a row of cells
            first = _titles_above(lines, at, regions, height)
            regions.append(Region(page, list(lines[first:end])))
        at = max(end, at + 1)
    return regions


def _end(page: Page, lines: Sequence[GridLine], start: int, height: float) -> int:
    """One after the last line of the table that begins at `start`."""
    last = start
    columns = [(segment.x0, segment.x1) for segment in lines[start].segments]
    for at in range(start + 1, len(lines)):
        line = lines[at]
        step = (line.y0 - lines[at - 1].y1) / height if height else 0.0
        if step > (RULED_STEP if _framed(page, lines[at - 1], line) else WIDEST_STEP) or at - last > MAX_BETWEEN:
            break
        staggered = step < -STAGGERED  # cells of one row that are set at different heights
        if not (staggered or _keeps(line, columns)) or (step > CONTINUED_STEP and _begins(lines, at)):
            break
        if len(line.segments) >= LEAST_COLUMNS or (len(line.segments) == 2 and line.numbers):
            columns = _joined(columns, line)
            last = at
    return _tail(lines, last, columns, height)


def _begins(lines: Sequence[GridLine], at: int) -> bool:
    """Whether these lines are the titles of another table: a grid line of words before any number."""
    for line in lines[at : at + 3]:
        if any(character.isdigit() for character in line.text):
            return False
        if len(line.segments) >= LEAST_COLUMNS:
            return True
    return False


def _tail(lines: Sequence[GridLine], last: int, columns: Sequence[tuple[float, float]], height: float) -> int:
    """The last cell may go on below its grid line, close and in one column."""
    end = last + 1
    while end < len(lines) and (step := lines[end].y0 - lines[end - 1].y1) < CONTINUED_STEP * height:
        most = 2 if step < CONTINUED_STEP * height / 2 else 1  # columns that one segment may touch
        segments = lines[end].segments
        if any(not 1 <= _covered(segment, columns) <= most or _beyond(segment, columns) for segment in segments):
            break
        end += 1
    return end


def _framed(page: Page, above: GridLine, below: GridLine) -> bool:
    """Whether a drawn wall runs from one line to the next."""
    return any(
        x1 - x0 < y1 - y0 and y0 <= above.y1 + SLACK_PT and y1 >= below.y0 - SLACK_PT for x0, y0, x1, y1 in page.rulings
    )


def _covered(segment: Segment, columns: Sequence[tuple[float, float]]) -> int:
    return sum(x0 < segment.x1 - SLACK_PT and x1 > segment.x0 + SLACK_PT for x0, x1 in columns)


def _beyond(segment: Segment, columns: Sequence[tuple[float, float]]) -> bool:
    return segment.x0 < columns[0][0] - 10 or segment.x1 > columns[-1][1] + 10


def _keeps(line: GridLine, columns: Sequence[tuple[float, float]]) -> bool:
    """Whether a line fits the columns: its segments stand in one each, or it is a grid line over most of them."""
    met = [_covered(segment, columns) for segment in line.segments]
    if len(line.segments) >= LEAST_COLUMNS:
        return sum(count >= 1 for count in met) * 2 >= len(met)
    if len(line.segments) == 2:
        return line.numbers >= 1 or max(met) <= 2
    return met[0] <= 2 or line.numbers == 1


def _joined(columns: Sequence[tuple[float, float]], line: GridLine) -> list[tuple[float, float]]:
    """The columns with a grid line's segments: wider where one stands in one, more where it stands between."""
    found = list(columns)
    for segment in line.segments:
        over = [i for i, (x0, x1) in enumerate(found) if x0 < segment.x1 and x1 > segment.x0]
        if not over:
            found.append((segment.x0, segment.x1))
        elif len(over) == 1:
            x0, x1 = found[over[0]]
            found[over[0]] = (min(x0, segment.x0), max(x1, segment.x1))
    return sorted(found)


def _titles_above(lines: Sequence[GridLine], start: int, regions: Sequence[Region], height: float) -> int:
    """The first line of a row of titles that is set in several lines."""
    taken = {id(line) for region in regions for line in region.lines}
    columns = [(segment.x0, segment.x1) for segment in lines[start].segments]
    first = start
    while first > 0 and lines[start].numbers == 0:
        line = lines[first - 1]
        if id(line) in taken or line.numbers or lines[first].y0 - line.y1 > 0.5 * height or len(line.segments) < 2:
            break
        if any(_covered(segment, columns) > 1 for segment in line.segments):
            break
        first -= 1
    return first
