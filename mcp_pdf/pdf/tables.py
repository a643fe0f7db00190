"""Tables of a document: regions of pages (`table_regions`), their rows and cells (`table_rows`), joined over pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcp_pdf.pdf.lines import lines
from mcp_pdf.pdf.page import Page
from mcp_pdf.pdf.table_regions import Region, find_regions, grid_lines
from mcp_pdf.pdf.table_rows import Row, lay_out

SAME_EDGE_PT = 6.0
NEAR_FOOT = 0.55  # of the page height: a table that ends above cannot go on overleaf


@dataclass(slots=True)
class Table:
    """Rows over one page or several; every row has as many cells as the table has columns."""

    columns: list[tuple[float, float]]
    rows: list[Row] = field(default_factory=list)

    @property
    def pages(self) -> list[int]:
        """The pages it runs over."""
        return sorted({row.page for row in self.rows})

    def told(self) -> dict[str, Any]:
        """The table as the tool gives it: its titles, its rows with their kinds, each cell with its box."""
        return {
            "pages": self.pages,
            "columns": len(self.columns),
            "header": next(([cell.text for cell in row.cells] for row in self.rows if row.kind == "header"), None),
            "rows": [
                {
                    "kind": row.kind,
                    "page": row.page,
                    "cells": [{"text": cell.text, "box": _rounded(cell.box)} for cell in row.cells],
                }
                for row in self.rows
            ],
        }


def _rounded(box: Sequence[float] | None) -> list[float] | None:
    return None if box is None else [round(edge, 1) for edge in box]


def find_tables(pages: Sequence[Page]) -> list[Table]:
    """The tables of these pages (with their rulings) in reading order."""
    found: list[Table] = []
    for page in pages:
        first = True
        for region, rows in _on_page(page):
            if first and found and _goes_on(found[-1], region, rows, pages):
                _append(found[-1], rows)
            else:
                found.append(Table(region.columns, rows))
            first = False
    return found


def _on_page(page: Page) -> Iterator[tuple[Region, list[Row]]]:
    for region in find_regions(page, grid_lines(page, lines(page.words))):
        rows = lay_out(region)
        if rows:
            yield region, rows


def _goes_on(table: Table, region: Region, rows: Sequence[Row], pages: Sequence[Page]) -> bool:
    """Whether a page's first table continues the last one of the page before: the same titles again, or the same
    columns without titles."""
    last = table.rows[-1]
    heights = {page.number: page.height for page in pages}
    if region.page.number != last.page + 1 or last.box[3] < NEAR_FOOT * heights.get(last.page, 0.0):
        return False
    if len(region.columns) != len(table.columns):
        return False
    titles = _titles(rows)
    if titles is not None:
        return titles == _titles(table.rows)
    edges = zip(table.columns, region.columns, strict=True)
    near = sum(min(abs(a - c), abs(b - d)) <= SAME_EDGE_PT for (a, b), (c, d) in edges)
    return near * 3 >= 2 * len(table.columns)


def _titles(rows: Sequence[Row]) -> list[str] | None:
    return next(([cell.text for cell in row.cells] for row in rows if row.kind == "header"), None)


def _append(table: Table, rows: Sequence[Row]) -> None:
    """The rows of the next page without its repeated titles; a sum carried over is kept, and says so."""
    table.rows += [row for row in rows if row.kind != "header"]
