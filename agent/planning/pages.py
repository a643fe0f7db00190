"""The pages a model is shown: read over MCP, chosen by what they have to do with the wish, cut into chunks.

Text is visible text only (`mcp_pdf` keeps hidden words apart). A page whose text layer is absent or garbled, and that
no OCR has read, goes as a picture.
"""

from __future__ import annotations

import asyncio
import math
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.errors import Failure
from agent.model.ask import PICTURE_TOKENS, Picture, Piece, tokens_of
from agent.pdf_client.session import PdfClient
from agent.planning.prompt import fence, fenced
from agent.planning.wished import Wanted

CHUNK_TOKENS = 8_000
OVERLAP_TOKENS = 2_000  # a page larger than this is not repeated as context
FEW_TOKENS = 6_000  # so little is never worth a choice
SOME_TOKENS = 12_000  # what `auto` shows at most for values that are no rows
PICTURE_DPI = 150
PICTURES_AT_ONCE = 4
_UNREAD = ("scan", "garbled", "unreadable")
_READ_S = 300.0
_PICTURE_S = 60.0
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Page:
    """One page for a model: its text, or its picture. `context` pages were read by the chunk before."""

    number: int
    text: str
    unread: bool = False
    picture: Picture | None = None
    context: bool = False

    @property
    def tokens(self) -> int:
        return PICTURE_TOKENS if self.unread else tokens_of(self.text)

    def pieces(self) -> list[str | Picture]:
        head = f"=== page {self.number}" + (" (context, read before)" if self.context else "") + " ==="
        return [head, self.picture] if self.picture is not None else [f"{head}\n{self.text}"]


async def read_pages(client: PdfClient, doc_id: str, pages: str | None, password: str | None) -> list[Page]:
    """All pages of a selection, as text in columns; those without usable text are marked `unread`."""
    arguments = {"doc_id": doc_id, "layout": "columns"} | ({"password": password} if password else {})
    found: list[Page] = []
    more: str | None = pages
    while True:
        asked = arguments | ({"pages": more} if more else {})
        part = await client.call("read_doc_contents", asked, timeout_s=_READ_S)
        found += [Page(p["page"], p["text"], unread=_is_unread(p)) for p in part["pages"]]
        more = part.get("next_pages")
        if not more or not part["pages"]:
            return found


def _is_unread(page: Mapping[str, Any]) -> bool:
    """No OCR has read it, and its own text is absent or unusable."""
    return page["grade"] in _UNREAD and page.get("source") != "ocr"


def relevant(
    pages: Sequence[Page], wanted: Sequence[Wanted], hinted: frozenset[int], *, most_tokens: int
) -> list[Page]:
    """The pages that matter most for what is wanted, in their order, within `most_tokens`.

    Words of the wanted names and descriptions count by how rare they are among the pages; pages that candidates stand
    on, the first two and the last get a start.
    """
    if sum(page.tokens for page in pages) <= min(FEW_TOKENS, most_tokens):
        return list(pages)
    terms = {w for one in wanted for w in _words(f"{one.name.replace('_', ' ')} {one.description}")}
    seen = [_words(page.text) & terms for page in pages]
    weight = {t: math.log(1 + len(pages) / (1 + sum(t in words for words in seen))) for t in terms}
    edge = {pages[0].number, pages[min(1, len(pages) - 1)].number, pages[-1].number}

    def score(at: int) -> float:
        number = pages[at].number
        return sum(weight[t] for t in seen[at]) + 5 * (number in hinted) + 2 * (number in edge) + pages[at].unread

    left = most_tokens
    chosen: set[int] = set()
    for at in sorted(range(len(pages)), key=lambda at: (-score(at), at)):
        if pages[at].tokens <= left or not chosen:
            chosen.add(at)
            left -= pages[at].tokens
    return [pages[at] for at in sorted(chosen)]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def chunks(pages: Sequence[Page]) -> list[list[Page]]:
    """Runs of pages below the chunk's size; each begins with the page before it as context, where they adjoin."""
    whole = [part for page in pages for part in _parts(page)]
    found: list[list[Page]] = []
    size = 0
    for page in whole:
        if not found or size + page.tokens > CHUNK_TOKENS:
            found.append(_context(found[-1][-1], page) if found else [])
            size = sum(one.tokens for one in found[-1])
        found[-1].append(page)
        size += page.tokens
    return found


def _context(before: Page, page: Page) -> list[Page]:
    near = page.number - before.number <= 1 and before.tokens <= OVERLAP_TOKENS and not before.unread
    return [replace(before, context=True)] if near else []


def _parts(page: Page) -> list[Page]:
    """A page too large for a chunk, cut between lines."""
    if page.unread or page.tokens <= CHUNK_TOKENS:
        return [page]
    return [part for half in halves_of_text(page) for part in _parts(half)]


def halves(pages: Sequence[Page]) -> list[list[Page]]:
    """A chunk whose answer was too long, as two; empty when it cannot be cut any more."""
    own = [page for page in pages if not page.context]
    if len(own) > 1:
        middle = len(own) // 2
        return [own[:middle], [*_context(own[middle - 1], own[middle]), *own[middle:]]]
    return [[half] for half in halves_of_text(own[0])] if own and not own[0].unread else []


def halves_of_text(page: Page) -> list[Page]:
    """A page's text as two parts that share no line; empty when it has too few lines."""
    lines = page.text.splitlines()
    if len(lines) < 2:
        middle = len(page.text) // 2
        both = [page.text[:middle], page.text[middle:]] if middle > CHUNK_TOKENS else []
    else:
        middle = len(lines) // 2
        both = ["\n".join(lines[:middle]), "\n".join(lines[middle:])]
    return [replace(page, text=text) for text in both]


async def pictured(
    client: PdfClient, doc_id: str, pages: Sequence[Page], password: str | None
) -> tuple[list[Page], list[dict[str, Any]]]:
    """The pages with the pictures of those that need one; pages that cannot be shown are left out, with a warning."""
    gate = asyncio.Semaphore(PICTURES_AT_ONCE)
    warnings: list[dict[str, Any]] = []

    async def shown(page: Page) -> Page | None:
        arguments = {"doc_id": doc_id, "page": page.number, "dpi": PICTURE_DPI}
        try:
            async with gate:
                given = arguments | ({"password": password} if password else {})
                found = await client.call("render_page", given, timeout_s=_PICTURE_S)
        except Failure as fault:
            words = f"Page {page.number} could not be shown to the model: {fault.message}"
            warnings.append({"code": "page_unreadable", "page": page.number, "message": words})
            return None
        return replace(page, picture=Picture(b64decode(found["base64"])))

    shown_pages = await asyncio.gather(*(shown(p) for p in pages if p.unread))
    made = iter(shown_pages)
    kept = [next(made) if page.unread else page for page in pages]
    return [page for page in kept if page is not None], warnings


def document(pages: Sequence[Page]) -> tuple[Piece, ...]:
    """The pages between marks; pictures stand between two pieces of text."""
    pieces = [piece for page in pages for piece in page.pieces()]
    words = "\n".join(piece for piece in pieces if isinstance(piece, str))
    if all(isinstance(piece, str) for piece in pieces):
        return (fenced("DOCUMENT", words),)
    begins, ends = fence("DOCUMENT", words)
    return (begins, *pieces, ends)
