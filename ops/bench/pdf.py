"""Reading PDFs through MCP beside bare engines: cost of a page, of a second read, of one extraction, memory, tables.

    .venv/bin/python ops/bench/pdf.py [--quick] [--cases DIRECTORY] [--part NAME …]

Documents of 20 pages are put together from the samples (or the PDFs of DIRECTORY), each with a content of its own. Each
round reads some of them through MCP (CPU of server, forkserver and worker) and then with every engine alone (CPU of
this process); the ratios are medians over rounds. The peers need the extra `bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kreuzberg
import pypdf
import pypdfium2
from mcp import Client, StdioServerParameters
from pypdfium2 import raw

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from table_rows import PEERS, Score, invoices, judge_ours, judge_peers  # noqa: E402  # it lies beside this file

from mcp_pdf.pdf.invoice import Line  # noqa: E402  # the root must be on the path first

SAMPLES = ROOT / "agent" / "samples"
PAGES = 20
SOURCES = 40  # files that the pages come from
WORD = re.compile(r"\S+")
SETTLED = 0.2  # of the documents of the memory run: before, caches and pools still fill


@dataclass
class Rounds:
    """CPU milliseconds a page by reader, one entry a round."""

    cost: dict[str, list[float]] = field(default_factory=dict)

    def add(self, reader: str, value: float) -> None:
        self.cost.setdefault(reader, []).append(value)

    def ratio(self, reader: str, to: str) -> float:
        """The median of how many times dearer `reader` is than `to`."""
        return statistics.median(a / b for a, b in zip(self.cost[reader], self.cost[to], strict=True))


def make_documents(sources: Sequence[Path], count: int) -> list[bytes]:
    """Documents of PAGES pages: of many sources one page each, of few all pages in turn."""
    book = pypdfium2.PdfDocument.new()
    opened = [pypdfium2.PdfDocument(source) for source in sources]
    number = 0
    while len(book) < PAGES:
        for pdf in opened:
            if len(book) < PAGES and (number < len(pdf) or len(opened) < PAGES):
                book.import_pages(pdf, [number % len(pdf)])
        number += 1
    out = io.BytesIO()
    book.save(out)
    return [out.getvalue() + b"\n%%%d\n" % number for number in range(count)]


def bare_words(data: bytes) -> None:
    """The same words and boxes with nothing around them."""
    pdf = pypdfium2.PdfDocument(data)
    box = raw.FS_RECTF()
    words = []
    for page in pdf:
        text_page = page.get_textpage()
        text = text_page.get_text_range()
        for match in WORD.finditer(text):
            raw.FPDFText_GetLooseCharBox(text_page.raw, match.start(), box)
            x0, y0 = box.left, box.top
            raw.FPDFText_GetLooseCharBox(text_page.raw, match.end() - 1, box)
            words.append((match.group(), x0, y0, box.right, box.bottom))


def pypdf_text(data: bytes) -> None:
    for page in pypdf.PdfReader(io.BytesIO(data)).pages:
        page.extract_text()


def kreuzberg_text(data: bytes) -> None:
    kreuzberg.extract_bytes_sync(data, "application/pdf", kreuzberg.ExtractionConfig(use_cache=False, disable_ocr=True))


def kreuzberg_boxes(data: bytes) -> None:
    """Its blocks with their boxes: the nearest it has to words with boxes."""
    options = kreuzberg.PdfConfig(hierarchy=kreuzberg.HierarchyConfig(enabled=True, include_bbox=True))
    pages = kreuzberg.PageConfig(extract_pages=True)
    config = kreuzberg.ExtractionConfig(use_cache=False, disable_ocr=True, pages=pages, pdf_options=options)
    kreuzberg.extract_bytes_sync(data, "application/pdf", config)


ALONE: dict[str, Callable[[bytes], None]] = {
    "pdfium alone": bare_words,
    "pypdf": pypdf_text,
    "kreuzberg, text": kreuzberg_text,
    "kreuzberg, boxes": kreuzberg_boxes,
}


def cpu_s(pids: Sequence[int]) -> float:
    """CPU seconds of all threads of these processes, by the scheduler's nanoseconds."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(task.read_text(encoding="ascii").split()[0])
    return total / 1e9


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])


def serve(directory: Path) -> StdioServerParameters:
    environment = {"MCP_PDF_WORKERS": "1", "MCP_PDF_OCR": "off", "PYTHONPATH": str(ROOT)}
    arguments = ["-m", "mcp_pdf", "--dir", str(directory)]
    return StdioServerParameters(command=sys.executable, args=arguments, env=environment)


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text
    return json.loads(result.content[0].text)


async def throughput(documents: list[bytes], rounds: int) -> Rounds:
    """Each round has documents of its own, so that the first read is one."""
    found = Rounds()
    each = len(documents) // rounds
    with tempfile.TemporaryDirectory() as name:
        for number, data in enumerate(documents):
            (Path(name) / f"{number}.pdf").write_bytes(data)
        async with Client(serve(Path(name))) as client:
            status = await call(client, "server_status")
            pids = [*status["workers"]["pids"], status["forkserver_pid"], parent(status["forkserver_pid"])]
            await call(client, "read_doc_contents", doc_id="0.pdf", layout="boxes")
            for number in range(rounds):
                chosen = range(number * each + 1, (number + 1) * each)
                for label in ("mcp_pdf, first", "mcp_pdf, again"):
                    before = cpu_s(pids)
                    for document in chosen:
                        await client.call_tool("read_doc_contents", {"doc_id": f"{document}.pdf", "layout": "boxes"})
                    found.add(label, 1000 * (cpu_s(pids) - before) / (len(chosen) * PAGES))
                for label, read in ALONE.items():
                    few = [documents[one] for one in chosen][: None if read is bare_words else 3]
                    before = time.process_time()
                    for data in few:
                        read(data)
                    found.add(label, 1000 * (time.process_time() - before) / (len(few) * PAGES))
    return found


async def extraction_ms(rounds: int) -> float:
    """The median wall time of `extract_fields` on a one-page invoice whose pages are not in the cache."""
    data = (SAMPLES / "invoice.pdf").read_bytes()
    times = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(rounds + 1):
            (Path(name) / f"{number}.pdf").write_bytes(data + b"\n%%%d\n" % number)
        async with Client(serve(Path(name))) as client:
            for number in range(rounds + 1):
                began = time.perf_counter()
                found = await call(client, "extract_fields", doc_id=f"{number}.pdf", document_type="invoice")
                times.append(time.perf_counter() - began)
                assert found["values"]["total"] == "1190.00"
    return 1000 * statistics.median(times[1:])


async def memory_growth_percent(count: int) -> float:
    """Proportional memory of server, forkserver and worker: its median over the last fifth of `count` documents against
    that over the second fifth."""
    samples = [path.read_bytes() for path in sorted(SAMPLES.glob("*.pdf"))]
    shares: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "one.pdf"
        async with Client(serve(Path(name))) as client:
            for number in range(count):
                path.write_bytes(samples[number % len(samples)] + b"\n%%%d\n" % number)
                tool = "extract_fields" if number % 4 == 0 else "read_doc_contents"
                await client.call_tool(tool, {"doc_id": path.name})
                if number % max(1, count // 100) == 0:
                    memory = (await call(client, "server_status", memory=True))["pss_kb"]
                    shares.append(memory["server"] + memory["forkserver"] + sum(memory["workers"]))
    fifth = int(len(shares) * SETTLED)
    return 100 * (statistics.median(shares[-fifth:]) / statistics.median(shares[fifth : 2 * fifth]) - 1)


async def table_scores(directory: Path, documents: list[tuple[Path, list[Line]]]) -> dict[str, Score]:
    async with Client(serve(directory)) as client:
        scores = {"mcp_pdf": await judge_ours(client, documents)}
    return scores | judge_peers(documents)


def reading(options: argparse.Namespace) -> dict[str, str]:
    count, rounds = (24, 3) if options.quick else (126, 9)
    documents = make_documents(sorted(options.cases.glob("*.pdf"))[:SOURCES], count)
    found = asyncio.run(throughput(documents, rounds))
    for label, values in found.cost.items():
        print(f"{label:16} {statistics.median(values):8.3f} CPU ms a page")
    ours = "mcp_pdf, first"
    return {
        "x_of_pdfium": f"{found.ratio('pdfium alone', ours):.2f}",
        "x_faster_than_pypdf": f"{found.ratio('pypdf', ours):.2f}",
        "x_faster_than_kreuzberg": f"{found.ratio('kreuzberg, boxes', ours):.2f}",
        "x_cached": f"{found.ratio('mcp_pdf, again', ours):.3f}",
    }


def extraction(options: argparse.Namespace) -> dict[str, str]:
    return {"extract_ms": f"{asyncio.run(extraction_ms(20 if options.quick else 100)):.1f}"}


def memory(options: argparse.Namespace) -> dict[str, str]:
    growth = asyncio.run(memory_growth_percent(400 if options.quick else 5_000))
    return {"rss_growth_percent": f"{growth:.1f}"}


def tables(options: argparse.Namespace) -> dict[str, str]:
    carrying = list(invoices(sorted(options.cases.glob("*.pdf"))))[: 5 if options.quick else None]
    scores = asyncio.run(table_scores(options.cases, carrying))
    ours = scores["mcp_pdf"]
    print(f"\n{'tables of ' + str(ours.items) + ' items':16} recall precision  s a file")
    for name in ("mcp_pdf", *PEERS):
        score = scores[name]
        print(f"{name:16} {score.recall:6.3f} {score.precision:9.3f} {score.median_s:9.3f}")
    for missed in ours.missed:
        print("missed", missed)
    return {"table_row_recall": f"{ours.recall:.3f}", "table_row_precision": f"{ours.precision:.3f}"}


PARTS = {"reading": reading, "extraction": extraction, "memory": memory, "tables": tables}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="within a minute")
    parser.add_argument("--cases", type=Path, default=SAMPLES, help="directory of PDFs in place of the samples")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this (may be repeated)")
    options = parser.parse_args()
    figures: dict[str, str] = {}
    for name in options.part or PARTS:
        figures |= PARTS[name](options)
    print(*(f"{key}={value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
