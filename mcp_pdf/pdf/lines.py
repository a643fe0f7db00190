"""From words to lines, segments and reading order. Pure: words in, words out.

A *line* is what shares a baseline across the whole page. A *segment* is a part of a line without a wide gap: a label,
a cell, a line of a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mcp_pdf.pdf.page import Word

WIDE_GAP = 0.85  # of the line height: wider than a space of justified text, narrower than most column gaps
MAX_CUTS = 24  # depth of the column search
MIN_COLUMN_LINES = 4
PROSE_WORDS = 4  # of most lines of prose
WIDE_PIECE = 0.22  # of the width of the print: a line of a column
OFF_THE_LEFT = 0.2  # of the same: where a second column may begin
SAME_LINE = 0.45  # of the smaller height: how far two middles on one line may stand apart

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Segment:
    """Words that stand together, left to right. A line is the widest segment there is."""

    words: list[Word]
    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def of(cls, words: list[Word]) -> Segment:
        """The segment of at least one word; the box is the union of theirs."""
        return cls(words, *box_of(words))

    @property
    def text(self) -> str:
        """The words with single spaces between."""
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        """The union of the words' boxes."""
        return (self.x0, self.y0, self.x1, self.y1)

    @property
    def height(self) -> float:
        """In points; a little more than the font size."""
        return self.y1 - self.y0


Line = Segment


def box_of(words: Iterable[Word]) -> Box:
    """The union of the boxes of at least one word."""
    left = top = float("inf")
    right = bottom = float("-inf")
    for _text, x0, y0, x1, y1 in words:  # plain comparisons: this runs for every segment of every page
        if x0 < left:
            left = x0
        if y0 < top:
            top = y0
        if x1 > right:
            right = x1
        if y1 > bottom:
            bottom = y1
    return (left, top, right, bottom)


def is_vertical(word: Word) -> bool:
    """Text set along the side of a page would otherwise tie many lines together."""
    text, x0, y0, x1, y1 = word
    return y1 - y0 > 1.8 * (x1 - x0) and len(text) > 2


def lines(words: Sequence[Word]) -> list[Line]:
    """Lines from top to bottom, the words of each from left to right; vertical words come last, each alone."""
    rows, upright = _rows(words)
    return [Segment.of(row) for row in rows] + [Segment.of([word]) for word in upright]


def _rows(words: Sequence[Word]) -> tuple[list[list[Word]], list[Word]]:
    """The words of each line, and the vertical words."""
    flat: list[tuple[float, Word]] = []
    upright: list[Word] = []
    for word in words:
        _text, x0, y0, x1, y1 = word
        if y1 - y0 > 1.8 * (x1 - x0) and is_vertical(word):
            upright.append(word)
        else:
            flat.append((y0 + y1, word))
    flat.sort(key=_first)
    rows: list[list[Word]] = []
    row: list[Word] = []
    middle = height = float("-inf")
    for twice, word in flat:
        tall = word[4] - word[2]
        if row and twice / 2 - middle <= SAME_LINE * (min(height, tall)):
            row.append(word)
            middle += (twice / 2 - middle) / len(row)
            height = max(height, tall)
        else:
            row = [word]
            rows.append(row)
            middle, height = twice / 2, tall
    for row in rows:
        row.sort(key=_left)
    return rows, upright


_first = itemgetter(0)
_left = itemgetter(1)


def split(line: Line, gap: float = WIDE_GAP) -> list[Segment]:
    """The line cut where the space between two words is wider than `gap` times the height of the words."""
    return _split(line.words, gap)


def _split(row: Sequence[Word], gap: float) -> list[Segment]:
    parts: list[list[Word]] = []
    part: list[Word] = []
    right = last_height = 0.0
    for word in row:
        _text, x0, y0, x1, y1 = word
        height = y1 - y0
        if part and x0 - right <= gap * (min(last_height, height)):
            part.append(word)
            right = max(right, x1)
        else:
            part = [word]
            parts.append(part)
            right = x1
        last_height = height
    return [Segment(part, *box_of(part)) for part in parts]


def segments(words: Sequence[Word], gap: float = WIDE_GAP) -> list[Segment]:
    """All segments of a page, line by line."""
    return _segments(*_rows(words), gap)


def _segments(rows: Sequence[Sequence[Word]], upright: Sequence[Word], gap: float = WIDE_GAP) -> list[Segment]:
    found = [segment for row in rows for segment in _split(row, gap)]
    return found + [Segment.of([word]) for word in upright]


def reading_order(words: Sequence[Word]) -> list[Word]:
    """The words as a person reads them: columns of prose one after the other, everything else line by line."""
    if is_in_order(words):
        return list(words)
    rows, upright = _rows(words)
    if not upright and not _may_have_columns(rows):
        return [word for row in rows for word in row]
    return [word for segment in _cut(_segments(rows, upright), MAX_CUTS) for word in segment.words]


def is_in_order(words: Sequence[Word]) -> bool:
    """True when each word stands right of the one before or on a lower line, and too few gaps are left for columns."""
    x, right, middle, bottom = 0.0, 0.0, 0.0, 0.0
    gaps = 0
    for _text, x0, y0, x1, y1 in words:
        this = (y0 + y1) / 2
        height = y1 - y0
        beside = this < bottom  # not wholly below the one before
        if beside and (this < middle - 0.3 * height or (x0 < x and this < middle + SAME_LINE * height)):
            return False
        gaps += beside and x0 - right > height
        x, right, middle, bottom = x0, x1, this, y1
    return gaps < MIN_COLUMN_LINES


def _may_have_columns(rows: Sequence[Sequence[Word]]) -> bool:
    """Whether enough wide pieces of lines begin at one place for `_gutter`: most pages are spared the search."""
    pieces = _extents(rows)
    if len(pieces) < 2 * MIN_COLUMN_LINES:
        return False
    left, width = pieces[0][0], max(x1 for _, x1 in pieces) - min(x0 for x0, _ in pieces)
    starts = sorted(x0 for x0, x1 in pieces if x1 - x0 >= WIDE_PIECE * width)
    return any(
        last - first <= 4 and last - left > OFF_THE_LEFT * width - 4
        for first, last in zip(starts, starts[MIN_COLUMN_LINES - 1 :], strict=False)
    )


def _extents(rows: Sequence[Sequence[Word]]) -> list[tuple[float, float]]:
    """Both edges of each piece that `_split` would cut the lines into; plain comparisons, as in `box_of`."""
    found: list[tuple[float, float]] = []
    for row in rows:
        start, right, last_height = row[0][1], row[0][3], row[0][4] - row[0][2]
        for _text, x0, y0, x1, y1 in row:
            height = y1 - y0
            if x0 - right > WIDE_GAP * (last_height if last_height < height else height):  # noqa: FURB136
                found.append((start, right))
                start, right = x0, x1
            elif x1 > right:
                right = x1
            last_height = height
        found.append((start, right))
    return found


def ordered_segments(words: Sequence[Word]) -> list[Segment]:
    """Segments in reading order."""
    return _cut(segments(words), MAX_CUTS)


def _cut(parts: list[Segment], depth: int) -> list[Segment]:
    """Columns are looked for only where both sides look like prose: a table must be read across."""
    if depth == 0 or len(parts) < 2 * MIN_COLUMN_LINES:
        return parts
    gutter = _gutter(parts)
    if gutter is None:
        return parts
    top, bottom, x = gutter
    above = [part for part in parts if part.y1 <= top or (part.y0 < top and part.x0 < x < part.x1)]
    rest = [part for part in parts if part not in above] if above else parts
    below = [part for part in rest if part.y0 >= bottom]
    inner = [part for part in rest if part.y0 < bottom]
    left = [part for part in inner if part.x1 <= x]
    right = [part for part in inner if part.x1 > x]
    return [*above, *_cut(left, depth - 1), *_cut(right, depth - 1), *_cut(below, depth - 1)]


def _gutter(parts: list[Segment]) -> tuple[float, float, float] | None:
    """The first stretch (top, bottom, x) where prose stands on both sides of one vertical line."""
    width = max(part.x1 for part in parts) - min(part.x0 for part in parts)
    wide = [part for part in parts if part.x1 - part.x0 >= WIDE_PIECE * width]
    starts = sorted({round(part.x0) for part in wide if part.x0 - parts[0].x0 > OFF_THE_LEFT * width})
    for x in _candidates(starts, wide):
        stretch = _stretch(wide, x - 1.0)
        if stretch is not None:
            return (*stretch, x - 1.0)
    return None


def _candidates(starts: list[int], wide: list[Segment]) -> list[float]:
    """Left edges shared by enough wide segments to be a column."""
    counted = [(sum(abs(part.x0 - start) <= 2 for part in wide), start) for start in starts[:200]]
    return [
        min(part.x0 for part in wide if abs(part.x0 - start) <= 2)
        for n, start in sorted(counted, reverse=True)[:6]
        if n >= MIN_COLUMN_LINES
    ]


def _stretch(wide: list[Segment], x: float) -> tuple[float, float] | None:
    top = bottom = None
    left: list[Segment] = []
    right: list[Segment] = []
    for part in wide:
        if part.x0 < x < part.x1:
            if len(left) >= MIN_COLUMN_LINES and len(right) >= MIN_COLUMN_LINES:
                break
            left, right, top = [], [], None
            continue
        (left if part.x1 <= x else right).append(part)
        top = part.y0 if top is None else min(top, part.y0)
        bottom = part.y1 if bottom is None else max(bottom, part.y1)
    if top is None or bottom is None or min(len(left), len(right)) < MIN_COLUMN_LINES:
        return None
    if not (_is_prose(left) and _is_prose(right)):
        return None
    return (top - 0.1, max(part.y1 for part in (*left, *right)) - 0.1)


def _is_prose(parts: list[Segment]) -> bool:
    """Prose has several words to most of its lines."""
    return median(len(part.words) for part in parts) >= PROSE_WORDS


def plain_text(words: Sequence[Word]) -> str:
    """The page as text: a printed line a line, an empty line where the page leaves one."""
    rows: list[str] = []
    last: Segment | None = None
    for segment in ordered_segments(words):
        if (
            last is not None
            and abs(segment.y0 + segment.y1 - last.y0 - last.y1) / 2 < SAME_LINE * segment.height
            and segment.x0 >= last.x1
        ):
            rows[-1] += "   " + segment.text
        else:
            if last is not None and segment.y0 - last.y1 > 0.8 * segment.height:
                rows.append("")
            rows.append(segment.text)
        last = segment
    return "\n".join(rows)


def layout_text(words: Sequence[Word], width: float) -> str:
    """The page with columns kept in place by spaces, for a model or a person with a fixed-width font."""
    if not words:
        return ""
    letter = median((word.x1 - word.x0) / len(word.text) for word in words)
    letter = max(letter, width / 240, 0.5)
    rows = []
    for line in lines(words):
        row = ""
        for word in line.words:
            column = max(0, int(word.x0 / letter))
            row += " " * max(1 if row else 0, min(column, 240) - len(row)) + word.text
        rows.append(row)
    return "\n".join(rows)
