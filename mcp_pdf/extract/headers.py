"""Item tables by their header: where it stands and which columns it names.

The titles of one header may stand on several lines: wrapped titles under each other, and short titles centred beside
long ones, so that the lines overlap in height. All words of such a band are piled up by their place in x; each pile
is one column's title.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from mcp_pdf.extract.columns import MONEY, Column
from mcp_pdf.extract.folding import fold
from mcp_pdf.extract.layout import Layout, Line, Segment, union
from mcp_pdf.extract.titles import Title, find_titles
from mcp_pdf.pdf.page import Word

_LINES = 3  # a header wraps over at most this many lines above and below its fullest ones
_BAND = 6  # lines that overlap in height, at most
_GAP = 0.5  # of the line height: a wider space parts two titles
_PITCH = 0.45  # of the line height: a wider gap parts a header from what is not its own
_OVERLAP = 0.25  # of the line height: lines that share more of it stand beside each other
_TAX_WORDS = "excl excluding incl including inc ex eks ekskl exkl inkl sans hors bez con com met zonder w o"
_WITHOUT = frozenset(_TAX_WORDS.split())

_JOINERS = frozenset({"/", "&", "|", "-", "+"})  # what stands between two names of one column

Run = tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """The titles of a table: its page, the lines it takes (first, last) and its columns from left to right."""

    page: int
    first: int
    last: int
    columns: tuple[Column, ...]
    heads_items: bool = True  # False: the header of another table, which ends or interrupts the rows above it

    @property
    def signature(self) -> tuple[str, ...]:
        """What tells a repeated header from another table's."""
        return tuple(column.role for column in self.columns)


def find_headers(layout: Layout) -> list[Header]:
    """Headers of tables, top to bottom; `heads_items` tells those of item tables."""
    found: list[Header] = []
    for line in layout.lines:
        if found and line.index <= found[-1].last:
            continue
        if not _roles(line):
            continue
        band = _band(layout, line)
        if len(set().union(*map(_roles, band)) - {"other"}) < 2:
            continue
        header = _header(layout, band)
        if header is not None:
            found.append(header)
    return found


def _band(layout: Layout, seed: Line) -> list[Line]:
    """The line and those below that overlap it in height, while they hold titles alone."""
    band = [seed]
    for line in layout.lines[seed.index + 1 : seed.index + _BAND]:
        if line.page != seed.page or -_gap(band[-1], line) < _OVERLAP or _has_values(line):
            break
        band.append(line)
    return band


def _gap(above: Line, below: Line) -> float:
    """The space between two lines in line heights, negative where they overlap; one tall word does not count."""
    top, bottom = (sorted(above.segments, key=lambda s: s.height), sorted(below.segments, key=lambda s: s.height))
    first, second = top[len(top) // 2], bottom[len(bottom) // 2]
    return max(second.box[1] - first.box[3], first.box[1] - second.box[3]) / min(first.height, second.height)


def _roles(line: Line) -> set[str]:
    return {t.role for s in line.segments if not _is_value(s) for run in _runs(s) for t in _titles(run)}


def _titles(run: Sequence[Word]) -> list[Title]:
    return find_titles([word.text for word in run])


def _is_value(segment: Segment) -> bool:
    return ":" in segment.text or any(char.isdigit() for char in segment.text)


def _has_values(line: Line) -> bool:
    return any(_is_value(segment) for segment in line.segments)


def _runs(segment: Segment) -> Iterator[Run]:
    """A segment cut where a space is wider than between the words of one title."""
    run: list[Word] = []
    for word in segment.words:
        if run and word.x0 - run[-1].x1 > _GAP * segment.height:
            yield tuple(run)
            run = []
        run.append(word)
    yield tuple(run)


def _header(layout: Layout, band: Sequence[Line]) -> Header | None:
    """The header around a band of titles: lines above and below join while they hold titles alone."""
    if any(_has_values(line) for line in band):
        return None
    height = median(segment.height for line in band for segment in line.segments)  # a watermark stands far above it
    piles: list[list[Run]] = []
    for line in band:
        _pile(line, piles, height)
    above, below = (list(_around(layout, band, piles, height, step)) for step in (-1, 1))
    lines = [*above, *band, *below]
    first, last = min(line.index for line in lines), max(line.index for line in lines)
    columns = tuple(sorted((c for pile in piles for c in _columns(pile)), key=lambda c: c.x0))
    if _is_item_table(columns):
        return Header(band[0].page, first, last, columns)
    return Header(band[0].page, first, last, columns, heads_items=False) if len(columns) > 2 else None


def _around(layout: Layout, band: Sequence[Line], piles: list[list[Run]], height: float, step: int) -> Iterator[Line]:
    """The lines above (step -1) or below (1) that go on with a header, nearest first, piled up as they join."""
    edge = band[-1] if step > 0 else band[0]
    for index in range(edge.index + step, edge.index + step * (_LINES + 1), step):
        if not 0 <= index < len(layout.lines) or layout.lines[index].page != edge.page:
            return
        line = layout.lines[index]
        gap = _gap(edge, line)
        if gap > _PITCH or not _joins(line, piles, beside=gap < -_OVERLAP, below=step > 0):
            return
        _pile(line, piles, height)
        yield line
        edge = line


def _joins(line: Line, piles: list[list[Run]], *, beside: bool, below: bool) -> bool:
    """Whether a line next to the header goes on with it: no values, and over or under titles that it completes."""
    if _has_values(line):
        return False
    runs = [run for segment in line.segments for run in _runs(segment)]
    met = [[pile for pile in piles if _overlap(pile, run) > 0] for run in runs]
    if any(len(piles_met) > 1 for piles_met in met):
        return False
    if beside or (not below and not _roles(line) - {"other"}):
        return beside
    bare = [run for run, piles_met in zip(runs, met, strict=True) if not piles_met]
    if bare:
        named = all(_titles(run) for run in bare)
        return named and (len(runs) > 1 if below else len(_roles(line) - {"other"}) >= len(runs))
    if not below or len(runs) > 1:
        return True
    if {title.role for title in _titles(runs[0])} - {"description", "other"}:
        return True
    return "description" not in [title.role for run in met[0][0] for title in _titles(run)]


def _overlap(pile: Sequence[Run], run: Run) -> float:
    box = union(word for member in pile for word in member)
    return min(box[2], run[-1].x1) - max(box[0], run[0].x0)


def _pile(line: Line, piles: list[list[Run]], height: float) -> None:
    for segment in line.segments:
        if segment.height >= 2 * height:
            continue
        for run in _runs(segment):
            best = max(piles, key=lambda pile: _overlap(pile, run), default=None)
            if best is not None and _overlap(best, run) > 0:
                best.append(run)
            else:
                piles.append([run])


def _columns(pile: Sequence[Run]) -> list[Column]:
    """The columns of one stack of title words; two titles side by side on one line are two columns."""
    words = [word for run in sorted(pile, key=lambda run: run[0].y0) for word in run]
    titles = _titles(words)
    text = " ".join(word.text for word in words)
    box = union(words)
    if len(pile) == 1 and _are_two(titles, words):
        starts = [0, *(title.start for title in titles[1:]), len(words)]
        cut = []
        for title, start, end in zip(titles, starts, starts[1:], strict=False):
            part = words[start:end]
            if part:
                cut.append(Column(title.role, " ".join(w.text for w in part), part[0].x0, part[-1].x1))
        return cut
    role = titles[0].role if titles else "other"
    if role in ("code", "position") and any(title.role == "description" for title in titles):
        role = "description"
    longest = max(titles, key=lambda t: t.end - t.start, default=None)
    if longest is not None and longest.end - longest.start > 1 and role != "description":
        role = longest.role
    return [Column(role, text, box[0], box[2])]


def _are_two(titles: Sequence[Title], words: Sequence[Word]) -> bool:
    """Whether a run names several columns: other roles side by side, not an amount `excl. VAT`."""
    roles = {title.role for title in titles}
    if any(word.text.strip(",") in _JOINERS or word.text.endswith(("/", ",")) for word in words):
        return False  # one column for both
    return (
        len(roles) > 1 and len(titles) == len(roles) and not any(fold(w.text).strip("().") in _WITHOUT for w in words)
    )


def _is_item_table(columns: Sequence[Column]) -> bool:
    roles = {column.role for column in columns}
    if not roles & MONEY:
        return {"description", "quantity"} <= roles and len(columns) > 2
    if "description" in roles or "code" in roles:
        return len(roles - {"other"}) >= 2
    return "quantity" in roles and "unit_price" in roles
