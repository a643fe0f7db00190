"""Free questions: a model picks the tools, another call answers from what they read. Two calls, two worlds.

The planning calls have tools and never see a document's content: a tool's result is kept for the answer, and the model
gets back only ids, page numbers and sizes. The answering call sees the content and has no tools. So nothing that
stands in a document can make a tool run, whatever it says. Which documents exist for a request is decided here: a
tool never runs for an id outside its scope.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from agent.errors import Failure
from agent.model.account import Account
from agent.model.ask import Ask, Declaration, ModelUnavailable, ToolCall, ToolResult, Turn, tokens_of
from agent.model.chain import ModelChain
from agent.pdf_client.session import PdfClient
from agent.planning.prompt import fenced, prompt
from agent.planning.reader import Tell, list_documents

# The tools that read documents, by name: what the server offers beyond them is not for a model.
ALLOWED = (
    "list_available_pdfs", "search_documents", "classify_document", "get_document_info", "extract_fields",
    "extract_tables", "read_doc_contents", "read_form_fields",
)  # fmt: skip
ROUNDS = 6
CALLS_A_ROUND = 32
CALLS_AT_ONCE = 8
TOOL_S = 120.0
LISTED = 200  # documents named to the model
PLAN_TOKENS = 2_000
ANSWER_TOKENS = 3_000
MATERIAL_TOKENS = 24_000
_ANSWER = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "citations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"document": {"type": "string"}, "quote": {"type": "string"}},
                "required": ["document", "quote"],
            },
        },
    },
    "required": ["answer", "citations"],
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The documents of a request; `named` are those the message names or attaches (all of the scope, then)."""

    documents: frozenset[str]
    named: tuple[str, ...] = ()
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`citations` carry the evidence of their place; those without one have match `unlocated`."""

    text: str
    citations: list[dict[str, Any]]
    warnings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a tool read in a document."""

    document: str
    tool: str
    text: str


class Planner:
    """Answers one question."""

    def __init__(self, client: PdfClient, chain: ModelChain, account: Account, scope: Scope, tell: Tell) -> None:
        self._client = client
        self._chain = chain
        self._account = account
        self._scope = scope
        self._tell = tell
        self._kept: list[_Kept] = []
        self._gate = asyncio.Semaphore(CALLS_AT_ONCE)

    async def answer(self, question: str) -> Answer | None:
        """None when nothing was read for it. Raises the model's Failure."""
        await self._gather(question)
        if not self._kept:
            return None
        await self._tell(f"answering from {len({k.document for k in self._kept})} documents")
        return await self._answered(question)

    async def _gather(self, question: str) -> None:
        instruction = prompt("plan")
        tools = declarations(self._client)
        names = orjson.dumps(self._scope.named).decode()
        contents: list[Turn] = [(f"QUESTION\n{question}", f"DOCUMENTS NAMED OR ATTACHED\n{names}", _today())]
        for turn in range(1, ROUNDS + 1):
            await self._tell(f"planning, step {turn}")
            ask = Ask(instruction.label, instruction.text, tuple(contents), PLAN_TOKENS, tools=tools)
            reply = await self._chain.ask(ask, self._account)
            if not reply.calls or reply.said is None:
                return
            results = await asyncio.gather(*(self._called(at, call, tools) for at, call in enumerate(reply.calls)))
            contents += [reply.said, tuple(ToolResult(c, r) for c, r in zip(reply.calls, results, strict=True))]

    async def _called(self, at: int, call: ToolCall, tools: Sequence[Declaration]) -> dict[str, Any]:
        """What the planning model is told of a call: never what stands in a document."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        document = call.arguments.get("doc_id")
        told: dict[str, Any]
        if at >= CALLS_A_ROUND:
            told = {"error": "too_many_calls"}
        elif call.name not in {tool.name for tool in tools}:
            told = {"error": "no_such_tool"}
        elif document is not None and not (isinstance(document, str) and document in self._scope.documents):
            told = {"error": "not_found"}
        else:
            try:
                async with self._gate:
                    told = await self._run(call, document)
            except Failure as fault:
                told = {"error": fault.code}
        seconds = round(loop.time() - began, 3)
        outcome = told.get("error", "ok")
        self._account.trace.step("tool", tool=call.name, document=document, outcome=outcome, seconds=seconds)
        return told

    async def _run(self, call: ToolCall, document: Any) -> dict[str, Any]:
        if call.name == "list_available_pdfs":
            found = [d["doc_id"] for d in await list_documents(self._client, timeout_s=TOOL_S)]
            seen = [doc for doc in found if doc in self._scope.documents]
            return {"documents": seen[:LISTED], "left_out": max(0, len(seen) - LISTED)}
        arguments = {key: value for key, value in call.arguments.items() if key != "password"}
        if self._scope.password and document is not None:
            arguments["password"] = self._scope.password
        result = await self._client.call(call.name, arguments, timeout_s=TOOL_S)
        if call.name == "search_documents":
            return {"found": self._places(result)}
        return self._keep(call.name, str(document), result)

    def _keep(self, tool: str, document: str, result: Mapping[str, Any]) -> dict[str, Any]:
        text = _readable(tool, result)
        self._kept.append(_Kept(document, tool, text))
        told: dict[str, Any] = {"kept": tool, "document": document, "tokens": tokens_of(text)}
        if isinstance(result.get("next_pages"), str):
            told["next_pages"] = result["next_pages"]
        return told

    def _places(self, found: Any) -> list[dict[str, Any]]:
        """Where a search found something, within the scope: ids and page numbers, no words."""
        seen = [hit for hit in found["hits"] if hit["doc_id"] in self._scope.documents]
        return [{"document": hit["doc_id"], "page": hit["page"]} for hit in seen]

    async def _answered(self, question: str) -> Answer:
        instruction = prompt("answer")
        material = fenced("MATERIAL", _trimmed(self._kept))
        turn = (f"QUESTION\n{question}", _today(), material)
        ask = Ask(instruction.label, instruction.text, (turn,), ANSWER_TOKENS, _ANSWER)
        data = (await self._chain.ask(ask, self._account)).data
        if not isinstance(data, dict) or not isinstance(data.get("answer"), str):
            raise ModelUnavailable("The model gave no answer.")
        quotes: dict[str, list[str]] = {}
        for one in data.get("citations") or ():
            if not isinstance(one, dict):
                continue
            document, quote = str(one.get("document")), str(one.get("quote") or "").strip()
            if quote and any(kept.document == document for kept in self._kept):
                quotes.setdefault(document, []).append(quote)
        several = await asyncio.gather(*(self._cited(document, some) for document, some in quotes.items()))
        citations = [citation for some in several for citation in some]
        proven = any(one["match"] != "unlocated" for one in citations)
        words = "Nothing that the answer cites was found in the documents."
        return Answer(data["answer"], citations, [] if proven else [{"code": "unproven", "message": words}])

    async def _cited(self, document: str, quotes: Sequence[str]) -> list[dict[str, Any]]:
        """Quotes with their place on the page."""
        fields = [{"name": f"quote_{n}", "type": _kind(quote)} for n, quote in enumerate(quotes)]
        values = {f"quote_{n}": quote for n, quote in enumerate(quotes)}
        arguments = {"doc_id": document, "values": values, "fields": fields}
        arguments |= {"password": self._scope.password} if self._scope.password else {}
        found = await self._client.call("locate_values", arguments, timeout_s=TOOL_S)
        proofs = [found["evidence"].get(f"/quote_{n}", {}) for n in range(len(quotes))]
        return [
            {"document": document, "value": quote, **_place(proof)} for quote, proof in zip(quotes, proofs, strict=True)
        ]


def declarations(client: PdfClient) -> tuple[Declaration, ...]:
    """The live server's tools that a model may call; passwords are never the model's to give."""
    found = []
    for tool in client.tools:
        if tool.name in ALLOWED:
            schema = dict(tool.input_schema)
            schema["properties"] = {k: v for k, v in schema.get("properties", {}).items() if k != "password"}
            schema.pop("additionalProperties", None)
            found.append(Declaration(tool.name, tool.description, schema))
    return tuple(found)


def _readable(tool: str, result: Mapping[str, Any]) -> str:
    if tool == "read_doc_contents":
        return "\n".join(f"=== page {page['page']} ===\n{page.get('text', '')}" for page in result["pages"])
    if tool == "extract_fields":
        return orjson.dumps(result["values"]).decode()
    return orjson.dumps(result).decode()


def _trimmed(kept: Sequence[_Kept]) -> str:
    """Every piece within its fair share of what an answer may read."""
    share = MATERIAL_TOKENS // len(kept)
    parts = []
    for one in kept:
        text = one.text
        if tokens_of(text) > share:
            text = text[: len(text) * share // tokens_of(text)] + "\n[cut]"
        parts.append(f"--- {one.document} ({one.tool}) ---\n{text}")
    return "\n\n".join(parts)


def _kind(quote: str) -> str:
    """How a quote is looked for: a plain number also as it is printed elsewhere, a date likewise."""
    if quote.replace(".", "", 1).replace("-", "", 1).isdigit():
        return "amount"
    return "date" if len(quote) == 10 and quote[4] == quote[7] == "-" else "string"


def _place(proof: Mapping[str, Any]) -> dict[str, Any]:
    if "match" not in proof:
        return {"page": None, "boxes": [], "match": "unlocated"}
    return {key: proof[key] for key in ("text", "page", "boxes", "page_size", "match") if key in proof}


def _today() -> str:
    return f"TODAY {datetime.now(UTC).date().isoformat()}"
