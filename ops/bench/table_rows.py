"""Line items of e-invoices found as table rows on the visible page; the XML inside each file is the truth.

A row finds an item when the item's amount stands in it as a number (a credit note may print it negative), and at least
half of the words of its description. Items that the page does not print like that anywhere are left out: there the XML
says something else than the page. Each item is found once. Recall: items found ÷ items. Precision: items found ÷ body
rows of the tables in which any item was found; a document's other tables (taxes, payment) have no truth here.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pypdfium2

from mcp_pdf.pdf.attachments import find_invoice
from mcp_pdf.pdf.invoice import Line

Rows = list[list[str]]  # of one table
_NUMBER = re.compile(r"\d{1,3}(?:[ '’\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d[\d.,]*")
_WORD = re.compile(r"\w+")


@dataclass
class Score:
    """Counts over documents for one reader of tables."""

    items: int = 0
    found: int = 0
    rows: int = 0
    seconds: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found / self.items if self.items else 0.0

    @property
    def precision(self) -> float:
        return self.found / self.rows if self.rows else 0.0

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)


def invoices(paths: Sequence[Path]) -> Iterator[tuple[Path, list[Line]]]:
    """The documents that carry an e-invoice, with those of its items that are printed."""
    for path in paths:
        try:
            pdf = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            continue
        invoice, _ = find_invoice(pdf)
        printed = "\n".join(page.get_textpage().get_text_range() for page in pdf) if invoice is not None else ""
        lines = [line for line in invoice.lines if _matches(line, printed)] if invoice is not None else []
        if lines:
            yield path, lines


def numbers(text: str) -> set[Decimal]:
    """Every number that stands in the text, whichever of point and comma parts its decimals."""
    found: set[Decimal] = set()
    for match in _NUMBER.finditer(text):
        plain = re.sub(r"[ '’\u00a0\u202f]", "", match.group()).rstrip(".,")
        for group, point in ((",", "."), (".", ",")):
            try:
                found.add(Decimal(plain.replace(group, "").replace(point, ".")))
            except InvalidOperation:
                continue
    return found


def _matches(line: Line, row: str) -> bool:
    if line.amount is None or abs(Decimal(line.amount)) not in numbers(row):
        return False
    words = _WORD.findall((line.description or "").casefold())
    present = set(_WORD.findall(row.casefold()))
    return sum(word in present for word in words) * 2 >= len(words)


def judge(score: Score, name: str, lines: Sequence[Line], tables: Sequence[Rows]) -> None:
    """Adds one document to the score."""
    left = list(lines)
    score.items += len(left)
    for rows in tables:
        hits = 0
        for row in rows:
            text = " | ".join(row)
            hit = next((line for line in left if _matches(line, text)), None)
            if hit is not None:
                left.remove(hit)
                hits += 1
        if hits:
            score.found += hits
            score.rows += len(rows)
    score.missed += [f"{name}: {line.description} {line.amount}" for line in left]


def our_tables(result: dict[str, Any]) -> list[Rows]:
    """The body rows of the answer of `extract_tables`."""
    return [
        [[cell["text"] for cell in row["cells"]] for row in table["rows"] if row["kind"] == "body"]
        for table in result["tables"]
    ]


def _without_titles(tables: Sequence[Sequence[Sequence[Any]]]) -> list[Rows]:
    """The tables of a reader that does not tell rows of titles: their first row is taken for one."""
    return [[[str(cell or "") for cell in row] for row in table[1:]] for table in tables]


def plumber_tables(path: Path) -> list[Rows]:
    import pdfplumber

    with pdfplumber.open(path) as pdf:
        return _without_titles([table for page in pdf.pages for table in page.extract_tables()])


def camelot_tables(path: Path) -> list[Rows]:
    import camelot

    found = camelot.read_pdf(str(path), pages="all", flavor="hybrid")
    return _without_titles([table.df.values.tolist() for table in found])


def img2table_tables(path: Path) -> list[Rows]:
    from img2table.document import PDF

    found = PDF(str(path)).extract_tables(borderless_tables=True, implicit_rows=True)
    return _without_titles([table.df.values.tolist() for tables in found.values() for table in tables])


PEERS: dict[str, Callable[[Path], list[Rows]]] = {
    "camelot hybrid": camelot_tables,
    "pdfplumber": plumber_tables,
    "img2table": img2table_tables,
}


def judge_peers(documents: Sequence[tuple[Path, list[Line]]]) -> dict[str, Score]:
    """Each peer over the same documents; one that raises has found nothing in that document."""
    scores = {name: Score() for name in PEERS}
    for path, lines in documents:
        for name, read in PEERS.items():
            began = time.perf_counter()
            try:
                tables = read(path)
            except Exception:  # noqa: BLE001  # a peer's fault is its own result
                tables = []
            scores[name].seconds.append(time.perf_counter() - began)
            judge(scores[name], path.name, lines, tables)
    return scores


async def judge_ours(client: Any, documents: Sequence[tuple[Path, list[Line]]]) -> Score:
    """The same through MCP; the client serves the directory of the documents."""
    score = Score()
    for path, lines in documents:
        began = time.perf_counter()
        result = await client.call_tool("extract_tables", {"doc_id": path.name})
        score.seconds.append(time.perf_counter() - began)
        judge(score, path.name, lines, our_tables(json.loads(result.content[0].text)))
    return score
