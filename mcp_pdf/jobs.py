"""What a worker can be asked: each job is a function from an open PDF to JSON bytes. Never imported by the server.

Pages travel to and from the server as fragments of JSON (`PagePart`), made once here and stored by the server as they
are, so that neither side encodes a word twice: the server puts them together by joining bytes.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson
import pypdfium2

from mcp_pdf.errors import PdfError
from mcp_pdf.page_range import parse_pages
from mcp_pdf.pdf import lines, load, second_opinion, text
from mcp_pdf.pdf.page import Document, Page, Word

if TYPE_CHECKING:
    from mcp_pdf.extract.wish import Wish

Report = Callable[[int, int, str], None]

memory_file = -1  # an open /proc/self/smaps_rollup: the worker opens it before it loses the file system


@dataclass(slots=True)
class Answer:
    """The parts a job sends back: `answer` is the JSON for the caller, the others are for the server's cache."""

    names: list[str] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    def add(self, name: str, part: bytes) -> None:
        self.names.append(name)
        self.parts.append(part)


@dataclass(slots=True)
class Work:
    """One job: the request, the file as an open descriptor, and what the server already knows of its pages."""

    request: dict[str, Any]
    descriptor: int
    cached: bytes
    report: Report
    answer: Answer = field(default_factory=Answer)

    @property
    def password(self) -> str | None:
        given = self.request.get("password")
        return given if isinstance(given, str) else None

    def data(self) -> bytes:
        """The whole file; its size was checked by the server."""
        return load.read_bytes(self.descriptor)

    def reply(self, value: Any) -> Answer:
        self.answer.add("answer", orjson.dumps(value, default=_plain))
        return self.answer


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError


def open_pdf(data: bytes, password: str | None) -> pypdfium2.PdfDocument:
    """The parsed document, with at least one page. Raises PdfError."""
    pdf = load.open_pdf(data, password)
    if len(pdf) == 0:
        raise PdfError("damaged_pdf", "The file has no page.", "Send a complete PDF.")
    return pdf


# --- pages as fragments ---


def _fragment(page: Page) -> dict[str, bytes]:
    head: dict[str, Any] = {"page": page.number, "width": page.width, "height": page.height}
    head |= {"grade": page.grade, "source": page.source}
    if warnings := load.page_warnings([page]):
        head["warnings"] = warnings
    hidden = [tuple(word) for word in page.hidden]
    return {
        "head": orjson.dumps(head)[1:-1],
        "words": orjson.dumps([tuple(word) for word in page.words]),
        "extra": orjson.dumps([hidden, page.rulings], default=_plain) if hidden or page.rulings else b"",
    }


def _page(stored: dict[str, Any]) -> Page:
    hidden, rulings = stored.get("extra") or ([], [])
    told = {warning["code"] for warning in stored.get("warnings", ())}
    return Page(
        stored["page"],
        stored["width"],
        stored["height"],
        [Word(*word) for word in stored["words"]],
        grade=stored["grade"],
        source=stored["source"],
        repaired="page_repaired" in told,
        estimated="places_estimated" in told,
        hidden=[Word(*word) for word in hidden],
        rulings=[tuple(ruling) for ruling in rulings],
    )


def _selection(work: Work, count: int) -> list[int]:
    most = int(work.request["max_pages"])
    if count > most:
        raise PdfError("too_many_pages", f"The document has {count} pages, more than {most}.", "Split the document.")
    return parse_pages(work.request.get("pages"), count)


def _read(work: Work, pdf: pypdfium2.PdfDocument | None, numbers: list[int], known: dict[int, Page]) -> list[Page]:
    """The pages of these numbers: those the server knew, and the others read now and handed back as fragments."""
    missing = [number for number in numbers if number not in known]
    fresh: dict[int, Page] = {}
    if missing and pdf is None:
        pdf = open_pdf(work.data(), work.password)
    for done, page in enumerate(text.read_pages(pdf, missing)) if pdf is not None else ():
        if len(missing) > 1 and done % 5 == 0:
            work.report(done, len(missing), f"reading page {page.number} of {numbers[-1]}")
        fresh[page.number] = page
    _hand_back(work, list(fresh.values()))
    return [known[number] if number in known else fresh[number] for number in numbers]


def _hand_back(work: Work, pages: list[Page]) -> None:
    """The pages just read, as fragments for the server's cache."""
    second_opinion.add_words(pages, work.data, work.password)
    for page in pages:
        for name, part in _fragment(page).items():
            work.answer.add(f"{name}:{page.number}", part)


def _known(work: Work) -> dict[int, Page]:
    if not work.cached:
        return {}
    return {stored["page"]: _page(stored) for stored in orjson.loads(work.cached)}


def read(work: Work) -> Answer:
    """Reads pages into fragments; with `text`, their plain or columned text as well."""
    known = _known(work)
    pdf, count = _opened(work, known)
    numbers = _selection(work, count)
    layout = work.request.get("layout")
    for page in _read(work, pdf, numbers[: int(work.request["most"])], known):
        if layout == "plain":
            work.answer.add(f"text:{page.number}", orjson.dumps(lines.plain_text(page.words)))
        elif layout == "columns":
            work.answer.add(f"columns:{page.number}", orjson.dumps(lines.layout_text(page.words, page.width)))
    return work.reply({"pages": count, "selected": numbers})


def _opened(work: Work, known: dict[int, Page]) -> tuple[pypdfium2.PdfDocument | None, int]:
    """The document, unless all that is asked for is known; and its number of pages."""
    count = work.request.get("page_count")
    if isinstance(count, int) and all(number in known for number in parse_pages(work.request.get("pages"), count)):
        return None, count
    pdf = open_pdf(work.data(), work.password)
    return pdf, len(pdf)


def info(work: Work) -> Answer:
    """What the document says of itself."""
    from mcp_pdf.pdf import document

    data = work.data()
    pdf = open_pdf(data, work.password)
    _selection(work, len(pdf))
    return work.reply(document.read_info(pdf, data, work.password))


def form(work: Work) -> Answer:
    """The fields of the document's form."""
    from mcp_pdf.pdf.forms import read_form

    data = work.data()
    pdf = open_pdf(data, work.password)
    fields, warnings = read_form(pdf, data, work.password)
    most = int(work.request["most"])
    shown = [asdict(one) for one in fields[:most]]
    return work.reply({"fields": shown, "truncated": len(fields) > most, "warnings": warnings})


def attachments(work: Work) -> Answer:
    """The files inside the document, or the content of one."""
    from mcp_pdf.pdf.attachments import list_attachments, read_attachment

    pdf = open_pdf(work.data(), work.password)
    index = work.request.get("index")
    if index is None:
        found, cut = list_attachments(pdf)
        return work.reply({"attachments": found, "truncated": cut})
    content = read_attachment(pdf, int(index), int(work.request["most"]))
    return work.reply(
        {
            "index": index,
            "size_bytes": len(content),
            "sha256": sha256(content).hexdigest(),
            "base64": b64encode(content).decode("ascii"),
        }
    )


def _load(work: Work) -> tuple[Document, int, list[int]]:
    """The document, unless more is to be done first: the number of pages still unread, and the pages that want OCR."""
    known = _known(work)
    data = work.data()
    pdf = open_pdf(data, work.password)
    numbers = _selection(work, len(pdf))
    most = int(work.request["most"])
    unread = [number for number in numbers if number not in known]
    if len(unread) > most:
        _hand_back(work, list(text.read_pages(pdf, unread[:most])))
        return Document([], len(pdf)), len(unread) - most, []
    pages = _read(work, pdf, numbers, known)
    scans = [page.number for page in pages if page.needs_ocr] if work.request["ocr"] else []
    if scans:
        return Document([], len(pdf)), 0, scans
    document = load.assemble(pdf, data, pages, password=work.password)
    text.read_rulings(pdf, pages)  # they part the rows of item tables
    return document, 0, []


def _with_document(work: Work, function: Callable[[Document], dict[str, Any]]) -> Answer:
    document, left, scans = _load(work)
    head = {"pages": document.page_count, "left": left, "scans": scans}
    if left or scans:  # a long selection is read in several jobs, each with its own deadline
        return work.reply(head)
    work.report(1, 1, "extracting")
    return work.reply(head | {"result": function(document)})


def classify(work: Work) -> Answer:
    """Which type of document this is, and why."""
    from mcp_pdf.extract import extraction

    return _with_document(work, extraction.classify)


def tables(work: Work) -> Answer:
    """Tables with their cells; stops before the answer grows over its limit."""
    from mcp_pdf.pdf.tables import find_tables

    def found(document: Document) -> dict[str, Any]:
        shown: list[dict[str, Any]] = []
        left = int(work.request["most_bytes"])
        tables = find_tables(document.pages)
        for table in tables:
            told = table.told()
            left -= len(orjson.dumps(told))
            if left < 0:
                break
            shown.append(told)
        return {"tables": shown, "truncated": len(shown) < len(tables), "warnings": document.warnings}

    return _with_document(work, found)


def _wish(work: Work) -> Wish:
    from mcp_pdf.extract.wish import Wish

    return Wish.parse(work.request["wish"])


def extract(work: Work) -> Answer:
    """Typed values with evidence."""
    from mcp_pdf.extract import extraction

    wish = _wish(work)
    return _with_document(
        work, lambda document: extraction.extract(document, wish, lambda words: work.report(1, 1, words))
    )


def locate(work: Work) -> Answer:
    """Evidence and checks for values found elsewhere."""
    from mcp_pdf.extract import extraction

    wish, values = _wish(work), work.request["values"]
    return _with_document(work, lambda document: extraction.locate(document, values, wish))


def recognise(work: Work) -> Answer:
    """The words of one page by OCR; only in a process that has loaded an engine."""
    from mcp_pdf.pdf.ocr import read_page

    page = read_page(open_pdf(work.data(), work.password), int(work.request["page"]))
    for name, part in _fragment(page).items():
        work.answer.add(f"{name}:{page.number}", part)
    work.answer.add(f"text:{page.number}", orjson.dumps(lines.plain_text(page.words)))
    work.answer.add(f"columns:{page.number}", orjson.dumps(lines.layout_text(page.words, page.width)))
    return work.reply({})


def render(work: Work) -> Answer:
    """One page as a JPEG: the bytes travel beside the answer."""
    from mcp_pdf.pdf.render import render

    pdf = open_pdf(work.data(), work.password)
    asked = work.request
    (number,) = parse_pages(str(asked["page"]), len(pdf))
    picture = render(pdf, number, dpi=asked["dpi"], highlight=asked["highlight"], most_bytes=asked["most"])
    work.answer.add("jpeg", picture.jpeg)
    size = {"width": picture.width, "height": picture.height, "dpi": picture.dpi, "page_size": picture.page_size}
    return work.reply({"page": number, "mime_type": "image/jpeg"} | size)


def memory(work: Work) -> Answer:
    """The proportional share of memory of this process."""
    report = os.pread(memory_file, 4096, 0).decode("ascii")
    share = next(line.split()[1] for line in report.splitlines() if line.startswith("Pss:"))
    return work.reply({"pss_kb": int(share)})


JOBS: Final[dict[str, Callable[[Work], Answer]]] = {
    "read": read,
    "info": info,
    "form": form,
    "attachments": attachments,
    "classify": classify,
    "extract": extract,
    "locate": locate,
    "tables": tables,
    "recognise": recognise,
    "render": render,
    "memory": memory,
}


def run(request: dict[str, Any], descriptor: int, cached: bytes, report: Report) -> Answer:
    """Runs the job that the request names. Raises PdfError, or whatever an engine raises."""
    return JOBS[request["job"]](Work(request, descriptor, cached, report))
