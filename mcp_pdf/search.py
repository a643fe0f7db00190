"""Search over the library: the index follows the files, hits come with snippets and the boxes of the words found.

A search first takes in documents that are new, for INDEXING_S at most, and says when it could not take in all of
them. Pages are taken as they are read without OCR; a scan is found once its words have been recognised.
"""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from mcp_pdf.desk import Desk, Question, Tell
from mcp_pdf.errors import PdfError
from mcp_pdf.library import UPLOAD
from mcp_pdf.search_index import Hit, SearchIndex, terms

INDEXING_S: Final = 20.0
DOCUMENT_S: Final = 60.0  # a document that takes longer is left out, and told among `unsearched`
HITS: Final = 20  # a page of results
BOXES: Final = 30  # for one hit
PROBLEMS: Final = 20


@dataclass(slots=True)
class Search:
    """Answers `search_documents`."""

    desk: Desk
    index: SearchIndex
    _problems: dict[str, str] = field(default_factory=dict)  # content that cannot be read, and why
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(
        self, query: str, doc_id: str | None, password: str | None, cursor: str | None, tell: Tell | None
    ) -> Any:
        """Hits in order of their worth. Raises PdfError."""
        if not terms(query):
            raise PdfError(
                "invalid_request", "query: there is no word in it.", "Give words as the documents print them."
            )
        if doc_id is not None and password is not None:
            return await self._find_locked(query, doc_id, password)
        async with self._lock:
            library = await self._library(doc_id)
            complete = await self._take_in(library, tell, prune=doc_id is None)
            offset = int(cursor) if cursor is not None and cursor.isascii() and cursor.isdigit() else 0
            hits = await asyncio.to_thread(self.index.find, library, query, min(offset, 1_000_000), HITS + 1)
        told = [await self._told(hit, library[hit.sha256], query) for hit in hits[:HITS]]
        problems = [
            {"doc_id": library[sha][0], "problem": self._problems[sha]} for sha in library if sha in self._problems
        ]
        return {
            "hits": told,
            "next_cursor": str(offset + HITS) if len(hits) > HITS else None,
            "complete": complete,
            "documents": len(library),
            "unsearched": problems[:PROBLEMS],
        }

    async def _library(self, doc_id: str | None) -> dict[str, list[str]]:
        """The documents to search: ids by content."""
        if doc_id is not None:
            if UPLOAD.fullmatch(doc_id):
                raise PdfError("invalid_request", "Uploads are not searched.", "Read it with read_doc_contents.")
            with self.desk.library.open(doc_id) as file:
                return {await asyncio.to_thread(self.desk.library.hash, file): [doc_id]}
        found: dict[str, list[str]] = {}
        for entry in await asyncio.to_thread(self.desk.library.listing):
            row = await asyncio.to_thread(self.desk.library.describe, entry)
            if "sha256" in row:
                found.setdefault(row["sha256"], []).append(entry.doc_id)
        return found

    async def _take_in(self, library: Mapping[str, list[str]], tell: Tell | None, *, prune: bool) -> bool:
        """Brings the index up to date; False when the time or the space for it ran out."""
        known = self.index.indexed()
        if prune and (gone := known - library.keys()):
            self.index.forget(gone)
        fresh = [sha256 for sha256 in library if sha256 not in known and sha256 not in self._problems]
        end = time.monotonic() + INDEXING_S
        for done, sha256 in enumerate(fresh):
            if time.monotonic() > end or self.index.is_full:
                return False
            if tell is not None:
                await tell(done, len(fresh), "indexing")
            try:
                self.index.add(sha256, await self._texts(library[sha256][0]))
            except PdfError as exc:
                if exc.retryable:
                    raise
                self._problems[sha256] = exc.code
        return True

    async def _texts(self, doc_id: str) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        pages: str | None = "1-"
        end = time.monotonic() + DOCUMENT_S
        while pages is not None:
            if time.monotonic() > end:
                raise PdfError("timeout", "The document takes too long to be searched.")
            read = orjson.loads(await self.desk.read(Question(doc_id, pages), "plain", recognise=False))
            found += [(page["page"], page["text"]) for page in read["pages"]]
            pages = read["next_pages"]
        return found

    async def _told(self, hit: Hit, names: list[str], query: str) -> dict[str, Any]:
        told = {"doc_id": names[0], "page": hit.page, "snippet": hit.snippet, "sha256": hit.sha256}
        if len(names) > 1:
            told["same_content"] = names[1:]
        try:
            read = orjson.loads(await self.desk.read(Question(names[0], str(hit.page)), "boxes", recognise=False))
        except PdfError:  # the file has gone or changed since
            return told | {"boxes": []}
        (page,) = read["pages"]
        return told | {"page_size": [page["width"], page["height"]], "boxes": _boxes(page["words"], query)}

    async def _find_locked(self, query: str, doc_id: str, password: str) -> dict[str, Any]:
        """A document that opens with a password is read anew for each search: no index keeps its text."""
        hits: list[dict[str, Any]] = []
        pages: str | None = "1-"
        while pages is not None and len(hits) < HITS:
            question = Question(doc_id, pages, password)
            read = orjson.loads(await self.desk.read(question, "boxes", recognise=False))
            for page in read["pages"]:
                boxes = _boxes(page["words"], query)
                if boxes:
                    size = [page["width"], page["height"]]
                    told = {"doc_id": doc_id, "page": page["page"], "snippet": _snippet(page["words"], query)}
                    hits.append(told | {"sha256": read["sha256"], "page_size": size, "boxes": boxes})
            pages = read["next_pages"]
        return {"hits": hits[:HITS], "next_cursor": None, "complete": pages is None, "documents": 1, "unsearched": []}


def _plain(text: str) -> str:
    """Letters and digits as the index compares them: no case, no accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if character.isalnum())


def _wanted(query: str) -> tuple[str, ...]:
    return tuple(_plain(word) for term in terms(query) for word in term.split())


def _boxes(words: list[list[Any]], query: str) -> list[list[float]]:
    wanted = _wanted(query)
    return [word[1:] for word in words if _plain(word[0]).startswith(wanted)][:BOXES]


def _snippet(words: list[list[Any]], query: str) -> str:
    wanted = _wanted(query)
    first = next(at for at, word in enumerate(words) if _plain(word[0]).startswith(wanted))
    return " ".join(str(word[0]) for word in words[max(0, first - 8) : first + 16])
