"""What the server knows of the pages of one document in hand: from its cache, and from what workers send back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from mcp_pdf.cache import Fragment, PageCache

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mcp_pdf.library import OpenFile

_PIECES: Final = ("head", "words", "extra", "text", "columns")


@dataclass(slots=True)
class Book:
    """Pages as fragments; those of documents opened with a password stay out of the cache."""

    file: OpenFile
    page_count: int | None
    pages: dict[int, Fragment]
    private: bool

    @classmethod
    def open(cls, file: OpenFile, cache: PageCache, numbers: Iterable[int], *, private: bool) -> Book:
        """The book with what the cache holds of these pages."""
        if private:
            return cls(file, None, {}, private=True)
        known = cache.get(file.sha256, numbers)
        return cls(file, known.page_count, known.pages, private=False)

    def input(self, numbers: Iterable[int] | None = None) -> bytes:
        """The pages for a worker, as JSON; b"" when there are none."""
        wanted = self.pages if numbers is None else [number for number in numbers if number in self.pages]
        return b"[" + b",".join(self.pages[number].input() for number in wanted) + b"]" if wanted else b""

    def keep(self, parts: Mapping[str, bytes], cache: PageCache) -> None:
        """Takes in the page pieces of a worker's answer, and stores them."""
        fresh: dict[int, dict[str, bytes]] = {}
        for name, part in parts.items():
            piece, _, page_number = name.partition(":")
            if page_number and piece in _PIECES:
                fresh.setdefault(int(page_number), {})[piece] = part
        changed: dict[int, Fragment] = {}
        for number, pieces in fresh.items():
            page = self.pages.get(number) or Fragment(pieces["head"], pieces["words"])
            for piece, part in pieces.items():
                setattr(page, piece, part)
            self.pages[number] = changed[number] = page
        if changed and not self.private and self.page_count is not None and self.file.unchanged():
            cache.put(self.file.sha256, self.page_count, changed)

    def scans(self, numbers: Iterable[int]) -> list[int]:
        """Which of these pages are pictures that no OCR engine has read."""
        return [number for number in numbers if number in self.pages and _is_unread(self.pages[number])]

    def give_up(self, number: int, code: str) -> None:
        """Marks a scanned page as read in vain, for this request only."""
        page = self.pages[number]
        head: dict[str, Any] = orjson.loads(b"{" + page.head + b"}")
        message = f"The page is a picture; recognising its words failed ({code})."
        told = [{"code": "page_unreadable", "page": number, "message": message}]
        others = [warning for warning in head.get("warnings", ()) if warning["code"] != "ocr_unavailable"]
        head |= {"source": "ocr", "warnings": [*others, *told]}
        self.pages[number] = Fragment(orjson.dumps(head)[1:-1], page.words, page.extra, page.text, page.columns)


def _is_unread(page: Fragment) -> bool:
    if b'"grade":"text"' in page.head:
        return False
    head: dict[str, Any] = orjson.loads(b"{" + page.head + b"}")
    return head["grade"] in ("scan", "garbled") and head["source"] != "ocr"
