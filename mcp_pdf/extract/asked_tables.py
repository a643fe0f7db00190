"""Tables that only the caller describes: transactions, containers, positions held. Titles are matched by their words.

The header is the line most of whose titles are worded like the columns asked for. A row below it is a line with cells
under several of these titles; a line with text under one alone goes on with the cell above.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mcp_pdf.extract.columns import Column, assign, cell_edges, close_words, grow
from mcp_pdf.extract.folding import tokens
from mcp_pdf.extract.headers import find_headers
from mcp_pdf.extract.layout import Layout, Line
from mcp_pdf.extract.line_items import Cell
from mcp_pdf.extract.titles import is_end
from mcp_pdf.pdf.page import Word

_ALIKE = 0.5  # of the words of a title and of a column's name or description that must be the same
_FAR = 3.0  # line heights without a line end a table
_LEAST = 2  # columns that must be found


class _Head(NamedTuple):
    """A line of titles: where it ends, its columns, and which of them each asked name is."""

    line: Line
    columns: tuple[Column, ...]
    asked: dict[str, int]


def asked_rows(layout: Layout, wanted: dict[str, Sequence[str]]) -> list[dict[str, Cell]]:
    """Cells by the asked names, row by row; `wanted` tells each name's spellings. Empty when no header is found."""
    heads = [head for columns, line in _title_lines(layout) if (head := _matched(columns, line, wanted)) is not None]
    best = max((len(head.asked) for head in heads), default=0)
    if best < max(_LEAST, len(wanted) / 2):
        return []
    chosen = [head for head in heads if len(head.asked) == best]
    return [row for head in chosen if _same_titles(head, chosen[0]) for row in _below(layout, head)]


def _same_titles(head: _Head, first: _Head) -> bool:
    return [column.title for column in head.columns] == [column.title for column in first.columns]


def _title_lines(layout: Layout) -> Iterator[tuple[tuple[Column, ...], Line]]:
    """Headers that the lexicon knows, which may wrap, and every other line as if it were one."""
    taken: set[int] = set()
    for header in find_headers(layout):
        taken |= set(range(header.first, header.last + 1))
        yield header.columns, layout.lines[header.last]
    for line in layout.lines:
        if line.index not in taken and len(line.segments) >= _LEAST:
            parts = [part for segment in line.segments for part in close_words(segment)]
            yield tuple(Column("other", _text(part), part[0].x0, part[-1].x1) for part in parts), line


def _matched(columns: tuple[Column, ...], line: Line, wanted: dict[str, Sequence[str]]) -> _Head | None:
    asked: dict[str, int] = {}
    for name, spellings in wanted.items():
        scores = [max((_alike(column.title, one) for one in spellings), default=0.0) for column in columns]
        at = max(range(len(columns)), key=lambda i: scores[i])
        if scores[at] >= _ALIKE and at not in asked.values():
            asked[name] = at
    return _Head(line, columns, asked) if len(asked) >= _LEAST else None


def _alike(title: str, spelling: str) -> float:
    first, second = set(tokens(title)), set(tokens(spelling))
    return len(first & second) / len(first | second) if first and second else 0.0


def _below(layout: Layout, head: _Head) -> list[dict[str, Cell]]:
    lines = list(_body(layout, head))
    segments = [segment for line in lines for segment in line.segments]
    columns, edges = grow(head.columns, segments), cell_edges(segments)
    rows: list[dict[str, Cell]] = []
    for line in lines:
        cells = assign(columns, line.segments, edges)
        found = {name: cells[at] for name, at in head.asked.items() if at in cells}
        if len(found) >= max(_LEAST, len(head.asked) / 2):
            rows.append({name: _cell(words, line.page) for name, words in found.items()})
        elif rows and len(cells) == 1 and len(found) == 1:
            (name, words) = next(iter(found.items()))
            before = rows[-1].get(name)
            rows[-1][name] = _cell([*(before.words if before else ()), *words], line.page)
    return rows


def _body(layout: Layout, head: _Head) -> Iterator[Line]:
    edge = head.line
    for line in layout.lines[head.line.index + 1 :]:
        height = line.segments[0].height
        if line.page != edge.page or line.box[1] - edge.box[3] > _FAR * height or is_end(line.segments[0].text):
            return
        yield line
        edge = line


def _cell(words: Sequence[Word], page: int) -> Cell:
    return Cell(_text(words), _text(words), tuple(words), page)


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
