"""Reading PDFs through MCP beside bare engines: CPU of server and workers for each page, first and second time.

    .venv/bin/python ops/bench/pdf.py [--quick] [--cases DIRECTORY]

Documents of 20 pages are put together from the samples (or the PDFs of DIRECTORY), each with a content of its own.
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
from collections.abc import Callable
from pathlib import Path

import pypdf
import pypdfium2
from mcp import Client, StdioServerParameters
from pypdfium2 import raw

SAMPLES = Path(__file__).parents[2] / "agent" / "samples"
PAGES = 20
TICKS_PER_S = 100
WORD = re.compile(r"\S+")


def make_documents(sources: list[Path], count: int) -> list[bytes]:
    """Documents of PAGES pages with the sources' pages in turn."""
    book = pypdfium2.PdfDocument.new()
    while len(book) < PAGES:
        for source in sources:
            book.import_pages(pypdfium2.PdfDocument(source))
    while len(book) > PAGES:
        book.del_page(len(book) - 1)
    out = io.BytesIO()
    book.save(out)
    return [out.getvalue() + b"\n%%%d\n" % number for number in range(count)]


def bare_words(data: bytes) -> int:
    """The same words and boxes with nothing around them; returns the number of words."""
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
    return len(words)


def pypdf_text(data: bytes) -> int:
    return sum(len(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def cpu_s(pids: list[int]) -> float:
    """User and system time of live processes."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_S


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])


async def through_mcp(directory: Path, names: list[str], rounds: int) -> dict[str, float]:
    """CPU seconds for a page the first and the second time; the median time of one extraction."""
    environment = {"MCP_PDF_WORKERS": "1", "PYTHONPATH": ":".join(sys.path)}
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_pdf", "--dir", str(directory)], env=environment
    )
    figures = {}
    async with Client(server) as client:
        status = json.loads((await client.call_tool("server_status", {})).content[0].text)
        pids = [*status["workers"]["pids"], status["forkserver_pid"], parent(status["forkserver_pid"])]
        await client.call_tool("extract_fields", {"doc_id": "invoice.pdf"})
        for label in ("first", "second"):
            before = cpu_s(pids)
            for name in names:
                result = await client.call_tool("read_doc_contents", {"doc_id": name, "layout": "boxes"})
                assert not result.is_error, result.content[0].text
            figures[label] = (cpu_s(pids) - before) / (len(names) * PAGES)
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            await client.call_tool("extract_fields", {"doc_id": "invoice.pdf", "document_type": "invoice"})
            times.append(time.perf_counter() - began)
        figures["extract_ms"] = 1000 * statistics.median(times)
    return figures


def measured(function: Callable[[bytes], int], documents: list[bytes]) -> float:
    """CPU seconds for a page in this process."""
    function(documents[0])
    began = time.process_time()
    for data in documents:
        function(data)
    return (time.process_time() - began) / (len(documents) * PAGES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cases", type=Path, default=SAMPLES)
    options = parser.parse_args()
    documents = make_documents(sorted(options.cases.glob("**/*.pdf"))[:PAGES], 30 if options.quick else 150)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "invoice.pdf").write_bytes((SAMPLES / "invoice.pdf").read_bytes())
        for number, data in enumerate(documents):
            (directory / f"{number:04}.pdf").write_bytes(data)
        names = [f"{number:04}.pdf" for number in range(len(documents))]
        mcp = asyncio.run(through_mcp(directory, names, 20 if options.quick else 100))
    bare = measured(bare_words, documents)
    peer = measured(pypdf_text, documents[:5])
    rows = (
        ("pdfium alone", bare),
        ("pypdf", peer),
        ("mcp_pdf, first", mcp["first"]),
        ("mcp_pdf, again", mcp["second"]),
    )
    for label, value in rows:
        print(f"{label:16} {1000 * value:8.3f} CPU ms a page")
    print(
        f"x_of_pdfium={bare / mcp['first']:.2f} x_faster_than_pypdf={peer / mcp['first']:.2f} "
        f"x_cached={mcp['second'] / mcp['first']:.3f} extract_ms={mcp['extract_ms']:.1f}"
    )


if __name__ == "__main__":
    main()
