"""The columns of a table below its titles: which column a word belongs to, and how wide each column is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_pdf.extract.layout import Segment
from mcp_pdf.pdf.page import Word

MONEY = frozenset({"amount", "unit_price", "gross_amount", "gross_price"})
TIGHT = 0.4  # of the line height: words of one value stand closer
_NUMERIC = MONEY | {"quantity", "tax_amount", "discount", "tax_rate"}


@dataclass(slots=True)
class Column:
    """One column of a table; the span grows with the cells found under it."""

    role: str
    title: str
    x0: float
    x1: float


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
    for part in _tight(segment, columns):
        hit = _under(columns, part[0])
        hit = hit if hit >= 0 else max(_under(columns, word) for word in part)
        fresh = runs and (round(part[0].x0) in edges or (hit >= 0 and under >= 0 and hit != under))
        if not runs or fresh:
            runs.append([])
            under = -1
        runs[-1] += part
        under = hit if hit >= 0 else under
    return runs


def _tight(segment: Segment, columns: Sequence[Column]) -> list[list[Word]]:
    """Words that stand closer than words of two cells do, such as `1 234,00`; never numbers of two titles."""
    parts: list[list[Word]] = []
    for close in close_words(segment):
        under = -1
        for at, word in enumerate(close):
            hit = _under(columns, word)
            numeric = at > 0 and any(char.isdigit() for char in word.text + close[at - 1].text)
            if at == 0 or (numeric and hit >= 0 and under >= 0 and hit != under):
                parts.append([])
                under = -1
            parts[-1].append(word)
            under = hit if hit >= 0 else under
    return parts


def close_words(segment: Segment) -> list[list[Word]]:
    """The words of a segment cut where a space is wider than inside a value."""
    parts: list[list[Word]] = []
    for word in segment.words:
        if not parts or word.x0 - parts[-1][-1].x1 > TIGHT * segment.height:
            parts.append([])
        parts[-1].append(word)
    return parts


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
        # Plain words under no title: beside the description's title they are its text, whatever title is nearer.
        near = [i for i in (best - 1, best, best + 1) if 0 <= i < len(columns) and columns[i].role == "description"]
        texts = near or [i for i, c in enumerate(columns) if c.role not in _NUMERIC]
        if texts:
            best = max(texts, key=lambda i: spans[i])
    return best


def cell_edges(segments: Sequence[Segment]) -> frozenset[int]:
    """Left edges at which at least two segments of a table start."""
    counts: dict[int, int] = {}
    for segment in segments:
        counts[round(segment.box[0])] = counts.get(round(segment.box[0]), 0) + 1
    return frozenset(x for x, count in counts.items() if count >= 2)


def ruled(columns: Sequence[Column], rules: Sequence[float]) -> tuple[Column, ...]:
    """Columns widened to the upright rules that part them (their x), where there is one on a side."""
    found = []
    for at, column in enumerate(columns):
        left = columns[at - 1].x1 if at else 0.0
        right = columns[at + 1].x0 if at + 1 < len(columns) else column.x1 + 200
        x0 = max((x for x in rules if left - 1 <= x <= column.x0 + 1), default=column.x0)
        x1 = min((x for x in rules if column.x1 - 1 <= x <= right + 1), default=column.x1)
        found.append(Column(column.role, column.title, min(x0, column.x0), max(x1, column.x1)))
    return tuple(found)


def grow(columns: Sequence[Column], segments: Sequence[Segment]) -> tuple[Column, ...]:
    """Columns widened by the segments that stand under one title alone, never into a neighbour's title."""
    wide = [Column(c.role, c.title, c.x0, c.x1) for c in columns]
    for part in (part for segment in segments for part in close_words(segment)):
        x0, x1 = part[0].x0, part[-1].x1
        hits = [i for i, c in enumerate(columns) if min(c.x1, x1) > max(c.x0, x0)]
        if len(hits) != 1:
            continue
        at = hits[0]
        left = columns[at - 1].x1 if at else 0.0
        right = columns[at + 1].x0 if at + 1 < len(columns) else x1
        wide[at].x0 = max(min(wide[at].x0, x0), min(left, wide[at].x0))
        wide[at].x1 = min(max(wide[at].x1, x1), max(right, wide[at].x1))
    return tuple(wide)
