"""Words to lines, lines to segments, segments to blocks.

A line is what stands on one height of a page. A segment is a run of words of a line without a wide gap
between them: a label, a value, a cell. A block is a stack of segments that start, end or centre on
the same x with the line pitch of a paragraph: an address, a cell of several lines, a column of labels.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mcp_pdf.extract.folding import fold
from mcp_pdf.pdf.page import Page, Word

Box = tuple[float, float, float, float]

_GAP = 0.85  # of the line height: wider spaces part two segments
_CONTINUED = 0.25  # of the line height: a smaller gap goes on in the same cell
_BAR = 2.0  # points: drawn lines are thinner, and taller
_LEVEL = 0.55  # of the smaller height: rows side by side that share more are one
_PITCH = 0.75  # of the line height: taller gaps part two blocks


@dataclass(frozen=True, eq=False)
class Segment:
    """A run of words without a wide gap. `index` counts segments over the document in reading order."""

    text: str
    words: tuple[Word, ...]
    box: Box
    page: int
    index: int
    line: int
    column: int  # which segment of its line, from the left

    @cached_property
    def folded(self) -> str:
        """The text without accents and case, for comparing with labels."""
        return fold(self.text)

    @property
    def height(self) -> float:
        """Height in points, which stands for the font size."""
        return self.box[3] - self.box[1]

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each word starts in `text`."""
        starts, at = [], 0
        for word in self.words:
            starts.append(at)
            at += len(word.text) + 1
        return tuple(starts)

    def span(self, start: int, end: int) -> tuple[Word, ...]:
        """The words that text[start:end] touches."""
        first = max(0, bisect.bisect_right(self.offsets, start) - 1)
        last = bisect.bisect_left(self.offsets, max(end, start + 1))
        return self.words[first:last]


@dataclass(frozen=True, eq=False)
class Line:
    """All segments on one height of a page, left to right. `index` counts lines over the document."""

    segments: tuple[Segment, ...]
    box: Box
    page: int
    index: int

    @cached_property
    def text(self) -> str:
        """The whole line; segments are parted by two spaces."""
        return "  ".join(segment.text for segment in self.segments)


@dataclass(frozen=True, eq=False)
class Block:
    """Segments stacked like a paragraph or an address."""

    segments: tuple[Segment, ...]
    box: Box
    page: int

    @cached_property
    def text(self) -> str:
        """One line of text a segment."""
        return "\n".join(segment.text for segment in self.segments)


@dataclass(eq=False)
class Layout:
    """The geometry of a document: everything extraction reads stands here once, already folded."""

    pages: tuple[Page, ...]
    lines: tuple[Line, ...]
    segments: tuple[Segment, ...]
    _blocks: tuple[Block, ...] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, pages: Iterable[Page]) -> Layout:
        """Lines and segments of all pages; words may come in any order."""
        kept = tuple(pages)
        lines: list[Line] = []
        segments: list[Segment] = []
        for page in kept:
            bars = sorted((x0, y0, y1) for x0, y0, x1, y1 in page.rulings if x1 - x0 < _BAR and y1 - y0 > _BAR)
            for words in _rows(page.words):
                found = []
                for column, run in enumerate(_runs(words, bars)):
                    text = " ".join(word.text for word in run)
                    segment = Segment(text, run, union(run), page.number, len(segments), len(lines), column)
                    segments.append(segment)
                    found.append(segment)
                if found:
                    lines.append(Line(tuple(found), union(s.box for s in found), page.number, len(lines)))
        return cls(kept, tuple(lines), tuple(segments))

    @cached_property
    def text(self) -> str:
        """The whole document, one printed line a line."""
        return "\n".join(line.text for line in self.lines)

    @cached_property
    def sizes(self) -> dict[int, tuple[float, float]]:
        """Width and height of each page in points."""
        return {page.number: (page.width, page.height) for page in self.pages}

    @cached_property
    def sources(self) -> dict[int, str]:
        """Where the words of each page come from: layout or ocr."""
        return {page.number: page.source for page in self.pages}

    @cached_property
    def by_page(self) -> dict[int, tuple[Segment, ...]]:
        """Segments of each page in reading order."""
        found: dict[int, list[Segment]] = {page.number: [] for page in self.pages}
        for segment in self.segments:
            found[segment.page].append(segment)
        return {number: tuple(segments) for number, segments in found.items()}

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, page by page, in the order of their first segment."""
        if self._blocks is None:
            self._blocks = tuple(_blocks(self.by_page.values()))
        return self._blocks

    def right_of(self, segment: Segment) -> tuple[Segment, ...]:
        """Segments right of it on its line, nearest first."""
        return self.lines[segment.line].segments[segment.column + 1 :]

    def below(self, segment: Segment, *, lines: int = 6, right: float | None = None) -> Iterator[Segment]:
        """Segments that overlap it in x on the next lines of the page, nearest first; `right`: where its cell ends."""
        yield from self._stack(segment, range(segment.line + 1, segment.line + 1 + lines), right)

    def above(self, segment: Segment, *, lines: int = 3) -> Iterator[Segment]:
        """Segments that overlap it in x on the lines before, nearest first."""
        yield from self._stack(segment, range(segment.line - 1, segment.line - 1 - lines, -1))

    def continued(self, segment: Segment, x: float | None = None) -> Iterator[Segment]:
        """The lines that a value goes on in: close under it at its own start (or `x`), with nothing below its key."""
        start = segment.box[0] if x is None else x
        key = segment if x is not None else self.lines[segment.line].segments[max(0, segment.column - 1)]
        if key is segment and start - segment.box[0] < 3:
            return
        last = segment
        for line in self.lines[segment.line + 1 : segment.line + 3]:
            more = next((s for s in line.segments if abs(s.box[0] - start) <= 2), None)
            if more is None or line.page != last.page or more.box[1] - last.box[3] > _CONTINUED * last.height:
                return
            if any(abs(s.box[0] - key.box[0]) <= 5 for s in line.segments):
                return
            yield more
            last = more

    def _stack(self, segment: Segment, order: range, right: float | None = None) -> Iterator[Segment]:
        x0, _, x1, _ = segment.box
        x1 = max(x1, right or 0.0)
        cell = min((s.box[0] for s in self.right_of(segment)), default=x1)
        x1 = max(x1, cell - 2)  # a value may stand anywhere in its label's cell
        for index in order:
            if not 0 <= index < len(self.lines) or self.lines[index].page != segment.page:
                return
            for other in self.lines[index].segments:
                if other.box[0] < x1 and other.box[2] > x0:
                    yield other


def union(boxes: Iterable[Word | Box]) -> Box:
    """The smallest box around words or boxes (at least one)."""
    sides = [box[-4:] for box in boxes]
    return (
        min(side[0] for side in sides),
        min(side[1] for side in sides),
        max(side[2] for side in sides),
        max(side[3] for side in sides),
    )


def _rows(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words grouped by height, top to bottom, each group left to right."""
    rows: list[tuple[float, float, list[Word]]] = []  # centre, height, words
    for word in sorted((w for w in words if w.text.strip() and w.x1 > w.x0), key=lambda w: (w.y0 + w.y1, w.x0)):
        centre, height = (word.y0 + word.y1) / 2, max(word.y1 - word.y0, 0.1)
        for at in range(len(rows) - 1, max(-1, len(rows) - 5), -1):
            middle, tall, members = rows[at]
            if abs(centre - middle) < 0.42 * min(height, tall):
                members.append(word)
                break
        else:
            rows.append((centre, height, [word]))
    rows.sort(key=lambda row: row[0])
    kept: list[list[Word]] = []
    for _, _, members in rows:
        if kept and _level(kept[-1], members):
            kept[-1] += members
        else:
            kept.append(members)
    for row in kept:
        yield sorted(row, key=lambda w: (w.x0, w.x1))


def _level(above: Sequence[Word], below: Sequence[Word]) -> bool:
    """Whether two rows are one that a scan has tilted, or that is set in two sizes: side by side, at one height."""
    left, right = sorted((union(above), union(below)))
    shared = min(left[3], right[3]) - max(left[1], right[1])
    return left[2] <= right[0] and shared > _LEVEL * min(left[3] - left[1], right[3] - right[1])


def _runs(words: Sequence[Word], bars: Sequence[tuple[float, float, float]]) -> Iterator[tuple[Word, ...]]:
    run: list[Word] = []
    for word in words:
        if run and (_parted(run[-1], word) or (bars and _barred(run[-1], word, bars))):
            yield tuple(run)
            run = []
        run.append(word)
    if run:
        yield tuple(run)


def _barred(left: Word, right: Word, bars: Sequence[tuple[float, float, float]]) -> bool:
    """Whether a drawn line stands between two words: they are of two cells, however close."""
    middle = (left.y0 + left.y1) / 2
    first = bisect.bisect_left(bars, (left.x1 - 1, 0.0, 0.0))
    for x, top, bottom in bars[first:]:
        if x > right.x0 + 1:
            return False
        if top <= middle <= bottom:
            return True
    return False


def _parted(left: Word, right: Word) -> bool:
    height = min(left.y1 - left.y0, right.y1 - right.y0)
    return right.x0 - left.x1 > _GAP * height


def _blocks(pages: Iterable[Sequence[Segment]]) -> Iterator[Block]:
    for segments in pages:
        stacks: list[list[Segment]] = []
        live: list[list[Segment]] = []
        for segment in segments:
            live = [stack for stack in live if segment.box[1] - stack[-1].box[3] < 3 * segment.height]
            stack = next((s for s in reversed(live) if _continues(s[-1], segment)), None)
            if stack is None:
                stack = []
                stacks.append(stack)
                live.append(stack)
            stack.append(segment)
        for stack in stacks:
            yield Block(tuple(stack), union(s.box for s in stack), stack[0].page)


def _continues(last: Segment, segment: Segment) -> bool:
    small, tall = sorted((last.height, segment.height))
    gap = segment.box[1] - last.box[3]
    if last.line == segment.line or not -0.5 * small <= gap <= _PITCH * tall or tall > 1.5 * small:
        return False
    slack = 0.35 * tall
    left = abs(last.box[0] - segment.box[0]) <= slack
    right = abs(last.box[2] - segment.box[2]) <= slack
    centre = abs(last.box[0] + last.box[2] - segment.box[0] - segment.box[2]) <= 2 * slack
    return left or right or centre
