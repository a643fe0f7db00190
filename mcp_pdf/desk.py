"""Where questions about documents are answered: open the file, look into the cache, ask a worker, keep what it read.

The server's only knowledge of a PDF is its bytes' hash and what workers send back.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from mcp_pdf.cache import Fragment, PageCache
from mcp_pdf.library import Library, OpenFile
from mcp_pdf.limits import LIMITS, Limits
from mcp_pdf.page_range import parse_pages
from mcp_pdf.processes import Answer
from mcp_pdf.quarantine import Quarantine
from mcp_pdf.workers import Job, Pool

Tell = Callable[[int, int, str], Awaitable[None]]

_PIECES = ("head", "words", "extra", "text", "columns")


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
class _Book:
    """What is known of the pages of the document in hand; documents opened with a password stay out of the cache."""

    file: OpenFile
    page_count: int | None
    pages: dict[int, Fragment]
    private: bool


@dataclass(slots=True)
class Desk:
    """The one entry to documents for every tool."""

    library: Library
    pool: Pool
    cache: PageCache
    quarantine: Quarantine
    limits: Limits = LIMITS
    started: float = field(default_factory=time.monotonic)

    async def result(self, question: Question, job: str, **request: Any) -> dict[str, Any]:
        """The result of an extraction job, with the document's id and hash and the time it took."""
        began = time.perf_counter()
        with self._open(question.doc_id) as file:
            book = self._book(file, question, range(1, self.limits.pages + 1))
            found = await self._complete(book, question, {"job": job, **request})
        document = {"id": question.doc_id, "sha256": file.sha256} | found.get("document", {})
        result = found | {"document": document}
        for one in result.get("more", ()):  # further documents of the same file
            one["document"] = {"id": question.doc_id, "sha256": file.sha256} | one["document"]
        if "usage" in found:
            result["usage"] = found["usage"] | {"seconds": round(time.perf_counter() - began, 3)}
        return result

    async def _complete(self, book: _Book, question: Question, request: dict[str, Any]) -> dict[str, Any]:
        """A long selection takes several jobs: each reads some pages, the last one has them all and answers."""
        limits = {"max_pages": self.limits.pages, "most": self.limits.pages_per_job}
        while True:
            body, _ = await self._run(book, question, request | limits)
            if not body["left"]:
                found: dict[str, Any] = body["result"]
                return found

    async def read(self, question: Question, layout: str) -> bytes:
        """The pages' text or words as JSON; stops before the result grows over its limit and says where to go on."""
        with self._open(question.doc_id) as file:
            first = parse_pages(question.pages, self.limits.pages)[: self.limits.pages_per_read]
            book = self._book(file, question, first)
            numbers = await self._read(book, question, layout)
            return self._pages(book, numbers, layout)

    async def _read(self, book: _Book, question: Question, layout: str) -> list[int]:
        if book.page_count is not None:
            numbers = parse_pages(question.pages, book.page_count)
            if all(n in book.pages and book.pages[n].has(layout) for n in numbers[: self.limits.pages_per_read]):
                return numbers
        request = {"job": "read", "layout": layout, "max_pages": self.limits.pages}
        request |= {"most": self.limits.pages_per_read, "page_count": book.page_count}
        body, _ = await self._run(book, question, request)
        selected: list[int] = body["selected"]
        return selected

    def _pages(self, book: _Book, numbers: list[int], layout: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        for number in numbers[: self.limits.pages_per_read]:
            part = book.pages[number].answer(layout)
            if parts and size + len(part) > self.limits.result_bytes:
                break
            parts.append(part)
            size += len(part)
        left = numbers[len(parts) :]
        head = {"doc_id": book.file.doc_id, "sha256": book.file.sha256, "page_count": book.page_count}
        head |= {"truncated": bool(left), "next_pages": f"{left[0]}-{left[-1]}" if left else None}
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
        """Drops what the cache holds of a document that is still there to be hashed."""
        with self._open(doc_id) as file:
            return self.cache.forget(file.sha256)

    def _open(self, doc_id: str) -> OpenFile:
        file = self.library.open(doc_id)
        try:
            file.sha256 = self.library.hash(file)
            self.quarantine.refuse(file.sha256)
        except BaseException:
            file.__exit__(None, None, None)
            raise
        return file

    def _book(self, file: OpenFile, question: Question, numbers: Any) -> _Book:
        if question.password is not None:
            return _Book(file, None, {}, private=True)
        known = self.cache.get(file.sha256, numbers)
        return _Book(file, known.page_count, known.pages, private=False)

    async def _run(self, book: _Book, question: Question, request: dict[str, Any]) -> tuple[dict[str, Any], Answer]:
        request |= {"pages": question.pages, "password": question.password}
        known = b"[" + b",".join(page.input() for page in book.pages.values()) + b"]" if book.pages else b""
        answer = await self.pool.run(Job(request, book.file.descriptor, book.file.sha256, known, question.tell))
        body: dict[str, Any] = orjson.loads(answer.parts["answer"])
        book.page_count = body["pages"]
        self._keep(book, answer)
        return body, answer

    def _keep(self, book: _Book, answer: Answer) -> None:
        fresh: dict[int, dict[str, bytes]] = {}
        for name, part in answer.parts.items():
            piece, _, page_number = name.partition(":")
            if page_number and piece in _PIECES:
                fresh.setdefault(int(page_number), {})[piece] = part
        changed: dict[int, Fragment] = {}
        for number, pieces in fresh.items():
            page = book.pages.get(number) or Fragment(pieces["head"], pieces["words"])
            for piece, part in pieces.items():
                setattr(page, piece, part)
            book.pages[number] = changed[number] = page
        if changed and not book.private and book.page_count is not None and book.file.unchanged():
            self.cache.put(book.file.sha256, book.page_count, changed)
