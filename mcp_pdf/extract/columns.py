"""Item tables by their header: where it stands, which columns it names, and which column a word below belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from mcp_pdf.extract.layout import Layout, Line, Segment, union
from mcp_pdf.extract.titles import find_titles
from mcp_pdf.pdf.page import Word

_NUMERIC = frozenset({"quantity", "unit_price", "amount", "gross_amount", "tax_amount", "discount", "tax_rate"})
_LINES = 3  # a header wraps over at most this many lines above and below its fullest one


@dataclass(slots=True)
class Column:
    """One column of a table; the span grows with the cells found under it."""

    role: str
    title: str
    x0: float
    x1: float


@dataclass(frozen=True, slots=True)
class Header:
    """The titles of a table: its page, the lines it takes (first, last) and its columns from left to right."""

    page: int
    first: int
    last: int
    columns: tuple[Column, ...]

    @property
    def signature(self) -> tuple[str, ...]:
        """What tells a repeated header from another table's."""
        return tuple(column.role for column in self.columns)


def find_headers(layout: Layout) -> list[Header]:
    """Headers of item tables, top to bottom."""
    found: list[Header] = []
    for line in layout.lines:
        if found and line.index <= found[-1].last:
            continue
        if _roles(line.segments) < 2:
            continue
        header = _header(layout, line)
        if header is not None:
            found.append(header)
    return found


def _roles(segments: Sequence[Segment]) -> int:
    titles = {t.role for s in segments if not _is_value(s) for t in find_titles([w.text for w in s.words])}
    return len(titles - {"other"})


def _is_value(segment: Segment) -> bool:
    return ":" in segment.text or any(char.isdigit() for char in segment.text)


def _header(layout: Layout, seed: Line) -> Header | None:
    """The header around its fullest line: lines above and below join while they hold titles alone."""
    if any(_is_value(segment) for segment in seed.segments):
        return None
    height = median(segment.height for segment in seed.segments)  # a watermark stands far above it
    piles = [[segment] for segment in seed.segments if segment.height < 2 * height]
    first = last = seed.index
    for step in (-1, 1):
        edge = seed
        for index in range(seed.index + step, seed.index + step * (_LINES + 1), step):
            if not 0 <= index < len(layout.lines) or layout.lines[index].page != seed.page:
                break
            line = layout.lines[index]
            gap = max(line.box[1] - edge.box[3], edge.box[1] - line.box[3])
            if gap > 0.45 * height or not _joins(line, piles, below=step > 0):
                break
            _pile(line, piles)
            edge, first, last = line, min(first, index), max(last, index)
    columns = tuple(sorted((c for pile in piles for c in _columns(pile)), key=lambda c: c.x0))
    return Header(seed.page, first, last, columns) if _is_item_table(columns) else None


def _joins(line: Line, piles: list[list[Segment]], *, below: bool) -> bool:
    """Whether a line next to the header goes on with it: no values, and over or under titles that it completes."""
    if any(_is_value(segment) for segment in line.segments):
        return False
    if not below and _roles(line.segments) == 0:
        return False
    met = [[pile for pile in piles if _overlap(pile, segment) > 0] for segment in line.segments]
    if any(len(piles_met) > 1 for piles_met in met):
        return False
    hits = [pile for piles_met in met for pile in piles_met]
    if len(hits) < len(line.segments):
        return not below and _roles(line.segments) >= len(line.segments)
    if not below or len(line.segments) > 1:
        return True
    titles = [t.role for s in hits[0] for t in find_titles([w.text for w in s.words])]
    return "description" not in titles


def _overlap(pile: Sequence[Segment], segment: Segment) -> float:
    box = union(member.box for member in pile)
    return min(box[2], segment.box[2]) - max(box[0], segment.box[0])


def _pile(line: Line, piles: list[list[Segment]]) -> None:
    for segment in line.segments:
        best = max(piles, key=lambda pile: _overlap(pile, segment))
        if _overlap(best, segment) > 0:
            best.append(segment)
        else:
            piles.append([segment])


def _columns(pile: Sequence[Segment]) -> list[Column]:
    """The columns of one stack of title words; two titles side by side on one line are two columns."""
    words = [word for segment in sorted(pile, key=lambda s: s.box[1]) for word in segment.words]
    titles = find_titles([word.text for word in words])
    text = " ".join(word.text for word in words)
    box = union(words)
    roles = {title.role for title in titles}
    if len(pile) == 1 and len(roles) > 1 and len(titles) == len(roles):
        starts = [0, *(title.start for title in titles[1:]), len(words)]
        cut = []
        for title, start, end in zip(titles, starts, starts[1:], strict=False):
            part = words[start:end]
            if part:
                cut.append(Column(title.role, " ".join(w.text for w in part), part[0].x0, part[-1].x1))
        return cut
    role = titles[0].role if titles else "other"
    longest = max(titles, key=lambda t: t.end - t.start, default=None)
    if longest is not None and longest.end - longest.start > 1:
        role = longest.role
    return [Column(role, text, box[0], box[2])]


def _is_item_table(columns: Sequence[Column]) -> bool:
    roles = {column.role for column in columns}
    money = roles & {"amount", "unit_price", "gross_amount"}
    if not money:
        return False
    if "description" in roles or "code" in roles:
        return len(roles - {"other"}) >= 2
    return "quantity" in roles and "unit_price" in roles


def assign(columns: Sequence[Column], segments: Sequence[Segment], edges: frozenset[int]) -> dict[int, list[Word]]:
    """Words of one line by column index. `edges` are left edges (rounded points) where cells are known to start."""
    cells: dict[int, list[Word]] = {}
    for segment in segments:
        for run in _split(columns, segment, edges):
            cells.setdefault(_nearest(columns, run), []).extend(run)
    return cells


def _split(columns: Sequence[Column], segment: Segment, edges: frozenset[int]) -> list[list[Word]]:
    """A segment under several titles, cut where a known cell starts or a word stands under another title."""
    runs: list[list[Word]] = []
    under = -1
    for word in segment.words:
        hit = _under(columns, word)
        fresh = runs and (round(word.x0) in edges or (hit >= 0 and under >= 0 and hit != under))
        if not runs or fresh:
            runs.append([])
            under = -1
        runs[-1].append(word)
        under = hit if hit >= 0 else under
    return runs


def _under(columns: Sequence[Column], word: Word) -> int:
    spans = [min(c.x1, word.x1) - max(c.x0, word.x0) for c in columns]
    best = max(range(len(columns)), key=lambda i: spans[i])
    return best if spans[best] > 0 else -1


def _nearest(columns: Sequence[Column], run: Sequence[Word]) -> int:
    """The column a run belongs to: most overlap, else the nearest; plain text prefers text columns."""
    x0, x1 = run[0].x0, run[-1].x1
    spans = [min(c.x1, x1) - max(c.x0, x0) for c in columns]
    best = max(range(len(columns)), key=lambda i: spans[i])
    if spans[best] <= 0 and not any(char.isdigit() for word in run for char in word.text):
        texts = [i for i, c in enumerate(columns) if c.role not in _NUMERIC]
        if texts:
            best = max(texts, key=lambda i: spans[i])
    return best


def cell_edges(segments: Sequence[Segment]) -> frozenset[int]:
    """Left edges at which at least two segments of a table start."""
    counts: dict[int, int] = {}
    for segment in segments:
        counts[round(segment.box[0])] = counts.get(round(segment.box[0]), 0) + 1
    return frozenset(x for x, count in counts.items() if count >= 2)


def grow(columns: Sequence[Column], segments: Sequence[Segment]) -> tuple[Column, ...]:
    """Columns widened by the segments that stand under one title alone, never into a neighbour's title."""
    wide = [Column(c.role, c.title, c.x0, c.x1) for c in columns]
    for segment in segments:
        hits = [i for i, c in enumerate(columns) if min(c.x1, segment.box[2]) > max(c.x0, segment.box[0])]
        if len(hits) != 1:
            continue
        at = hits[0]
        left = columns[at - 1].x1 if at else 0.0
        right = columns[at + 1].x0 if at + 1 < len(columns) else segment.box[2]
        wide[at].x0 = max(min(wide[at].x0, segment.box[0]), min(left, wide[at].x0))
        wide[at].x1 = min(max(wide[at].x1, segment.box[2]), max(right, wide[at].x1))
    return tuple(wide)
