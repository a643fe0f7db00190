"""One document through the PDF server: the call every surface makes, service and command line alike."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from agent.errors import Failure
from agent.pdf_client.session import PdfClient
from agent.planning.request import WISH_KEYS

LIST_S = 30.0
LISTED_S = 5.0

Tell = Callable[[str], Awaitable[None]]


async def extract_document(
    client: PdfClient,
    doc_id: str,
    wish: Mapping[str, Any],
    *,
    timeout_s: float,
    password: str | None = None,
    progress: Tell | None = None,
) -> dict[str, Any]:
    """The result of contract shape for one document. `wish` holds fields, schema or document_type, pages, strictness.

    Raises Failure with the server's stable code.
    """
    arguments = {"doc_id": doc_id} | {key: wish[key] for key in WISH_KEYS if wish.get(key) is not None}
    if password is not None:
        arguments["password"] = password
    result: dict[str, Any] = await client.call(
        "extract_fields", arguments, timeout_s=timeout_s, progress=_told(progress)
    )
    return result


async def list_documents(client: PdfClient, *, timeout_s: float) -> list[dict[str, Any]]:
    """Every document of the library, over all pages of the listing."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await client.call("list_available_pdfs", {"cursor": cursor} if cursor else {}, timeout_s=timeout_s)
        found += page["documents"]
        cursor = page.get("next_cursor")
        if not cursor:
            return found


class Listing:
    """The library's document ids, kept for a few seconds for requests that name what is in it.

    A name that is not in the kept listing is always looked for anew, so a document just added is found at once.
    """

    def __init__(self, client: PdfClient) -> None:
        self._client = client
        self._known: dict[str, str | None] = {}  # document to the hash of its content, None when it has a problem
        self._until = 0.0

    async def ids(self, named: Iterable[str] = ()) -> list[str]:
        """All ids; kept ones only when they hold every name of `named`, and there is one."""
        wanted = [name for name in named if not name.startswith("upload/")]
        if not (wanted and time.monotonic() < self._until and self._known.keys() >= set(wanted)):
            rows = await list_documents(self._client, timeout_s=LIST_S)
            self._known = {row["doc_id"]: row.get("sha256") for row in rows}
            self._until = time.monotonic() + LISTED_S
        return list(self._known)

    def content(self, doc_id: str) -> str | None:
        """The hash of a library document as it was a few seconds ago; None when that is not known."""
        return self._known.get(doc_id) if time.monotonic() < self._until else None


def is_locked(failure: Failure) -> bool:
    return failure.code in ("password_required", "wrong_password")


def _told(progress: Tell | None) -> Callable[[float, float | None, str], Awaitable[None]] | None:
    if progress is None:
        return None
    tell = progress

    async def report(done: float, total: float | None, words: str) -> None:
        await tell(words or (f"reading page {done:.0f} of {total:.0f}" if total else "reading"))

    return report
