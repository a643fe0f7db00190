"""Where questions about documents are answered: open the file, look into the cache, ask a worker, keep what it read.

The server's only knowledge of a PDF is its bytes' hash and what workers send back.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from mcp_pdf.book import Book
from mcp_pdf.cache import PageCache
from mcp_pdf.library import Library, OpenFile
from mcp_pdf.limits import LIMITS, Limits
from mcp_pdf.page_range import parse_pages, spell_pages
from mcp_pdf.processes import Answer
from mcp_pdf.quarantine import Quarantine
from mcp_pdf.recognition import Recognition
from mcp_pdf.workers import Job, Pool

if TYPE_CHECKING:
    from mcp_pdf.search import Search

Tell = Callable[[int, int, str], Awaitable[None]]


@dataclass(slots=True)
class Question:
    """One document, the pages that matter, and the password for it."""

    doc_id: str
    pages: str | None = None
    password: str | None = None
    tell: Tell | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A page picture for the caller, and what is said of it."""

    jpeg: bytes
    told: dict[str, Any]


@dataclass(slots=True)
class Desk:
    """The one entry to documents for every tool."""

    library: Library
    pool: Pool
    cache: PageCache
    quarantine: Quarantine
    recognition: Recognition | None = None  # None: no OCR engine is installed, or it is switched off
    limits: Limits = LIMITS
    search: Search = field(init=False)  # set where both are made: it asks the desk for pages
    started: float = field(default_factory=time.monotonic)

    async def result(self, question: Question, job: str, **request: Any) -> dict[str, Any]:
        """The result of an extraction job, with the document's id and hash and the time it took."""
        began = time.perf_counter()
        with self._open(question.doc_id) as file:
            numbers = range(1, self.limits.pages + 1)
            book = Book.open(file, self.cache, numbers, private=question.password is not None)
            found = await self._complete(book, question, {"job": job, **request})
        document = {"id": question.doc_id, "sha256": file.sha256} | found.get("document", {})
        result = found | {"document": document}
        for one in result.get("more", ()):  # further documents of the same file
            one["document"] = {"id": question.doc_id, "sha256": file.sha256} | one["document"]
        if "usage" in found:
            result["usage"] = found["usage"] | {"seconds": round(time.perf_counter() - began, 3)}
        return result

    async def _complete(self, book: Book, question: Question, request: dict[str, Any]) -> dict[str, Any]:
        """A long selection takes several jobs: each reads some pages, the last one has them all and answers; before
        it, pages that are pictures are recognised."""
        request |= {"max_pages": self.limits.pages, "most": self.limits.pages_per_job}
        request["ocr"] = self.recognition is not None
        while True:
            body, _ = await self._run(book, question, request)
            if body["scans"] and self.recognition is not None:
                request["ocr"] = False
                await self.recognition.read(book, body["scans"][: self.limits.scans_per_extraction], question)
            elif not body["left"]:
                found: dict[str, Any] = body["result"]
                return found

    async def read(self, question: Question, layout: str, *, hidden: bool = False, recognise: bool = True) -> bytes:
        """The pages' text or words as JSON; stops before the result grows over its limit and says where to go on."""
        with self._open(question.doc_id) as file:
            first = parse_pages(question.pages, self.limits.pages)[: self.limits.pages_per_read]
            book = Book.open(file, self.cache, first, private=question.password is not None)
            numbers = await self._read(book, question, layout)
            shown = numbers[: self.limits.pages_per_read]
            if recognise:
                shown = await self._recognised(book, shown, question)
            return self._pages(book, numbers, shown, layout, hidden=hidden)

    async def _read(self, book: Book, question: Question, layout: str) -> list[int]:
        if book.page_count is not None:
            numbers = parse_pages(question.pages, book.page_count)
            if all(n in book.pages and book.pages[n].has(layout) for n in numbers[: self.limits.pages_per_read]):
                return numbers
        request = {"job": "read", "layout": layout, "max_pages": self.limits.pages}
        request |= {"most": self.limits.pages_per_read, "page_count": book.page_count}
        body, _ = await self._run(book, question, request)
        selected: list[int] = body["selected"]
        return selected

    async def _recognised(self, book: Book, numbers: list[int], question: Question) -> list[int]:
        """These pages with their pictures read, up to the first one too many for one call."""
        scans = book.scans(numbers) if self.recognition is not None else []
        if not scans or self.recognition is None:
            return numbers
        await self.recognition.read(book, scans[: self.limits.scans_per_read], question)
        too_many = scans[self.limits.scans_per_read :]
        return numbers[: numbers.index(too_many[0])] if too_many else numbers

    def _pages(self, book: Book, numbers: list[int], shown: list[int], layout: str, *, hidden: bool) -> bytes:
        parts: list[bytes] = []
        size = 0
        for number in shown:
            part = book.pages[number].answer(layout, hidden=hidden)
            if parts and size + len(part) > self.limits.result_bytes:
                break
            parts.append(part)
            size += len(part)
        left = numbers[len(parts) :]
        head = {"doc_id": book.file.doc_id, "sha256": book.file.sha256, "page_count": book.page_count}
        head |= {"truncated": bool(left), "next_pages": spell_pages(left) if left else None}
        return orjson.dumps(head)[:-1] + b',"pages":[' + b",".join(parts) + b"]}"

    async def ask(self, question: Question, job: str, **request: Any) -> dict[str, Any]:
        """The answer of a job that concerns the file as a whole, not its pages."""
        found, _ = await self._answer(question, job, request)
        return found

    async def picture(self, question: Question, **request: Any) -> Picture:
        """One page as it looks."""
        told, answer = await self._answer(question, "render", request | {"most": self.limits.picture_bytes})
        return Picture(answer.parts["jpeg"], told)

    async def _answer(self, question: Question, job: str, request: dict[str, Any]) -> tuple[dict[str, Any], Answer]:
        with self._open(question.doc_id) as file:
            request |= {"job": job, "max_pages": self.limits.pages, "password": question.password}
            answer = await self.pool.run(Job(request, file.descriptor, file.sha256, progress=question.tell))
        found: dict[str, Any] = orjson.loads(answer.parts["answer"])
        head = {"doc_id": question.doc_id, "sha256": file.sha256, "size_bytes": file.status.st_size}
        return head | found, answer

    def forget(self, doc_id: str) -> bool:
        """Drops what cache and index hold of a document that is still there to be hashed."""
        with self._open(doc_id) as file:
            indexed = self.search.index.forget([file.sha256])
            return self.cache.forget(file.sha256) or indexed

    def _open(self, doc_id: str) -> OpenFile:
        file = self.library.open(doc_id)
        try:
            file.sha256 = self.library.hash(file)
            self.quarantine.refuse(file.sha256)
        except BaseException:
            file.__exit__(None, None, None)
            raise
        return file

    async def _run(self, book: Book, question: Question, request: dict[str, Any]) -> tuple[dict[str, Any], Answer]:
        request |= {"pages": question.pages, "password": question.password}
        job = Job(request, book.file.descriptor, book.file.sha256, book.input(), question.tell)
        answer = await self.pool.run(job)
        body: dict[str, Any] = orjson.loads(answer.parts["answer"])
        book.page_count = body["pages"]
        book.keep(answer.parts, self.cache)
        return body, answer
