"""One document read twice: by the embedded engine, then by a model where that is worth its price.

`auto`: only names that are null or doubtful go to the model, with the pages that matter; a model that cannot be had
costs a warning. `model`: all names and all pages that the budget allows; a model that cannot be had is a failure.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from agent.errors import Failure
from agent.model.account import Account
from agent.model.chain import ModelChain
from agent.pdf_client.session import PdfClient
from agent.planning.agreement import Joined, join, judged
from agent.planning.pages import SOME_TOKENS, pictured, read_pages, relevant
from agent.planning.reader import Tell, extract_document
from agent.planning.reading import Read, Reading
from agent.planning.values import pointer
from agent.planning.wished import Wanted, unsure, wanted_of

LOCATE_S = 60.0
MOST_TOKENS = 100_000  # of one document's pages in mode `model`
CHECKED = frozenset({"amount", "number", "integer", "date", "items"})  # types that checks are made of
TOO_MUCH = ("limit_exceeded", "timeout", "quarantined")  # of a search: the document has been read by then
PASSING = ("model_unavailable", "model_refused", "model_truncated", "budget_exceeded")


class ModelReader:
    """Extracts from documents with both engines. It keeps nothing between documents."""

    def __init__(self, client: PdfClient, chain: ModelChain) -> None:
        self._client = client
        self._chain = chain

    async def extract(
        self,
        doc_id: str,
        wish: Mapping[str, Any],
        *,
        mode: str,
        account: Account,
        timeout_s: float,
        password: str | None = None,
        progress: Tell | None = None,
    ) -> dict[str, Any]:
        """The result of contract shape. Raises Failure: the server's, and in mode `model` the model's."""
        began, before = time.monotonic(), account.usage
        result = await extract_document(
            self._client, doc_id, wish, timeout_s=timeout_s, password=password, progress=progress
        )
        wanted = wanted_of(wish, result["values"])
        asked = wanted if mode == "model" else unsure(wanted, result)
        account.trace.step("choice", mode=mode, wanted=len(wanted), to_the_model=len(asked))
        if asked:
            document = _Document(self._client, doc_id, password)
            try:
                await self._improve(document, wish, result, asked, mode, account, progress)
            except Failure as fault:
                if mode == "model" or fault.code not in PASSING:
                    raise
                words = f"The result is the embedded engine's alone: {fault.message}"
                result["warnings"].append({"code": fault.code, "message": words})
        result["usage"] |= account.usage.since(before) | {"seconds": round(time.monotonic() - began, 3)}
        return result

    async def _improve(
        self,
        document: _Document,
        wish: Mapping[str, Any],
        result: dict[str, Any],
        asked: Sequence[Wanted],
        mode: str,
        account: Account,
        progress: Tell | None,
    ) -> None:
        """Reads what is asked with the model and joins both readings into `result`."""
        if result.get("page_range"):  # the first of several documents in the file
            wish = {**wish, "pages": result["page_range"]}
        pages = await read_pages(self._client, document.doc_id, wish.get("pages"), document.password)
        if not pages:
            return
        rows = any(one.rows for one in asked)
        most = SOME_TOKENS if mode == "auto" and not rows else MOST_TOKENS
        chosen = relevant(pages, asked, _hinted(result["evidence"]), most_tokens=most)
        if len(chosen) < len(pages) and mode == "model":
            words = f"The model read {len(chosen)} of {len(pages)} pages, those that matter most."
            result["warnings"].append({"code": "pages_left_out", "message": words})
        shown, warnings = await pictured(self._client, document.doc_id, chosen, document.password)
        if not shown:
            result["warnings"] += warnings
            return
        if progress is not None:
            await progress(f"asking the model about {len(asked)} values on {len(shown)} pages")
        reading = Reading(self._chain, account, wish, private=document.password is not None)
        read = await reading.read(shown, asked)
        await self._join(document, wish, result, read, asked)
        result["warnings"] += [*warnings, *read.warnings]

    async def _located(
        self, document: _Document, wish: Mapping[str, Any], result: dict[str, Any], values: Mapping[str, Any],
        wanted: Sequence[Wanted],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Evidence and checks for values; None, with a warning, where the search is too much for its limits."""
        try:
            return await document.locate(values, wish, wanted)
        except Failure as fault:
            if fault.code not in TOO_MUCH:
                raise
            words = f"The model's values could not be looked for on the pages: {fault.message}"
            result["warnings"].append({"code": fault.code, "message": words})
            return None

    async def _join(
        self, document: _Document, wish: Mapping[str, Any], result: dict[str, Any], read: Read, asked: Sequence[Wanted]
    ) -> None:
        """What could not be looked for counts as unlocated, what could not be checked as not confirmed."""
        strictness = str(wish.get("strictness") or "balanced")
        located = await self._located(document, wish, result, read.values, asked) if read.values else None
        joined = join(result, read, located["evidence"] if located else {}, asked, strictness=strictness)
        _valid(joined, asked)
        checks = result["checks"]
        checked = [pointer(one.name) for one in asked if one.type in CHECKED]
        if any(at == top or at.startswith(f"{top}/") for at in joined.taken for top in checked):
            given = {name: value for name, value in joined.values.items() if value is not None}
            found = await self._located(document, wish, result, given, wanted_of(wish, given))
            checks = found["checks"] if found else []
        judged(joined, checks, strictness=strictness)
        result |= {"values": joined.values, "evidence": joined.evidence, "checks": checks}
        result["warnings"] += joined.warnings


class _Document:
    """A document as the tools name it."""

    def __init__(self, client: PdfClient, doc_id: str, password: str | None) -> None:
        self._client = client
        self.doc_id = doc_id
        self.password = password

    async def locate(
        self, values: Mapping[str, Any], wish: Mapping[str, Any], wanted: Sequence[Wanted]
    ) -> dict[str, Any]:
        """Evidence and checks for values. The page selection of the wish holds here too."""
        kind = {"schema": wish["schema"]} if wish.get("schema") else {"fields": [one.field() for one in wanted]}
        arguments = {"doc_id": self.doc_id, "values": dict(values), **kind}
        arguments |= {"pages": wish["pages"]} if wish.get("pages") else {}
        arguments |= {"password": self.password} if self.password else {}
        found: dict[str, Any] = await self._client.call("locate_values", arguments, timeout_s=LOCATE_S)
        return found


def _valid(joined: Joined, asked: Sequence[Wanted]) -> None:
    """A model's value that the caller's schema does not allow becomes null, with the reason `invalid`."""
    import jsonschema_rs

    for one in asked:
        at = pointer(one.name)
        if at not in joined.taken or "$ref" in str(one.schema):
            continue
        if not jsonschema_rs.is_valid(dict(one.schema), joined.values[one.name]):
            joined.values[one.name] = None
            joined.evidence[at] = {"reason": "invalid"}
            joined.taken.discard(at)


def _hinted(evidence: Mapping[str, Any]) -> frozenset[int]:
    """Pages on which something was found, or nearly."""
    pages = {proof.get("page") for proof in evidence.values()}
    pages |= {one.get("page") for proof in evidence.values() for one in proof.get("candidates", ())}
    return frozenset(page for page in pages if isinstance(page, int))
