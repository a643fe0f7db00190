"""Sums of columns: the row that calls itself the total, under the title of a weight, a volume or a count."""

from __future__ import annotations

from collections.abc import Iterator

from mcp_pdf.extract.candidates import Candidate, Mark, Reader
from mcp_pdf.extract.layout import Segment

CONCEPTS = frozenset({"gross_weight", "net_weight", "package_count", "quantity_total", "volume"})
_LINES = 60
_TOTAL = 1.02  # a total row under the title is what the title means for the whole document
_ONE_OF_SEVERAL = 0.55  # what the first of several rows is worth


def totals(reader: Reader, concept: str, kind: str, found: list[Candidate]) -> list[Candidate]:
    """The candidates with those of total rows; a value with another one right below it is a row's, not the sum."""
    rows = {mark.segment.line for mark in reader.marks.get("total", ()) if mark.segment.column == 0}
    sums = [one for mark in reader.marks.get(concept, ()) for one in _in_rows(reader, mark, kind, rows)]
    doubted = [
        one.scaled(_ONE_OF_SEVERAL) if one.direction == "below" and _goes_on(reader, one, kind) else one
        for one in found
    ]
    return sums + doubted


def _in_rows(reader: Reader, mark: Mark, kind: str, rows: set[int]) -> Iterator[Candidate]:
    title = mark.segment
    for line in reader.layout.lines[title.line + 1 : title.line + 1 + _LINES]:
        if line.page != title.page or line.index not in rows:
            continue
        for segment in line.segments:
            if segment.box[0] < title.box[2] and segment.box[2] > title.box[0]:
                yield from _value(reader, mark, segment, kind)
        return


def _value(reader: Reader, mark: Mark, segment: Segment, kind: str) -> Iterator[Candidate]:
    numbers = reader.read(kind, segment.text)
    if len(numbers) == 1:
        score = _TOTAL * mark.hit.strength * (0.5 + 0.5 * mark.cover)
        yield reader.candidate(numbers[0], segment, 0, "below", score, mark)


def _goes_on(reader: Reader, one: Candidate, kind: str) -> bool:
    """Whether another number stands right above or below in the same column."""
    x0, y0, y1, x1 = one.words[0].x0, one.words[0].y0, one.words[0].y1, one.words[-1].x1
    for segment in reader.layout.by_page[one.page]:
        left, top, right, bottom = segment.box
        near = -2 <= max(top - y1, y0 - bottom) < 1.6 * (bottom - top)
        if near and left < x1 and right > x0 and len(reader.read(kind, segment.text)) == 1:
            return True
    return False
