"""OCR from the server's side: which pages wait for it, one page a job, what becomes of those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_pdf.errors import PdfError
from mcp_pdf.workers import Job, Pool

if TYPE_CHECKING:
    from mcp_pdf.book import Book
    from mcp_pdf.cache import PageCache
    from mcp_pdf.desk import Question


@dataclass(slots=True)
class Recognition:
    """Reads pictures of pages through a pool of its own."""

    pool: Pool
    cache: PageCache

    async def read(self, book: Book, numbers: Sequence[int], question: Question) -> None:
        """Recognises these pages of the book; one that fails is marked, the others go on. Raises PdfError only for
        what concerns the whole document."""
        done = 0

        async def read_one(number: int) -> None:
            nonlocal done
            try:
                await self._read_page(book, number, question)
            except PdfError as exc:
                if exc.code in ("quarantined", "overloaded"):
                    raise
                book.give_up(number, exc.code)
            done += 1
            if question.tell is not None:
                await question.tell(done, len(numbers), f"recognised page {number}")

        try:
            async with asyncio.TaskGroup() as group:
                for number in numbers:
                    group.create_task(read_one(number))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _read_page(self, book: Book, number: int, question: Question) -> None:
        request = {"job": "recognise", "page": number, "password": question.password}
        answer = await self.pool.run(Job(request, book.file.descriptor, book.file.sha256))
        book.keep(answer.parts, self.cache)
