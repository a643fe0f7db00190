"""The Gemini REST API on a loopback port, for the real SDK: every turn is scripted, every request is kept.

A script is a list of turns that are used up in order, or a function from the request to its turn. The server checks
the key, counts tokens (four characters each) and takes the mixed spelling of the SDK (`systemInstruction` beside
`parameters_json_schema`). It proves what the client sends and how it takes an answer, nothing about a real model.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "AIzaTestKeyOfTheLocalServer0001"
MODEL = "gemini-3.8-flash"


@dataclass
class Seen:
    """A request as it came in."""

    model: str
    verb: str
    body: dict[str, Any]
    headers: dict[str, str]
    path: str = ""
    cancelled: bool = False

    @property
    def system(self) -> str:
        told = self.body.get("systemInstruction") or self.body.get("system_instruction") or {}
        return "\n".join(part.get("text", "") for part in told.get("parts", ()))

    @property
    def text(self) -> str:
        """All text of the contents, function responses included."""
        parts = [part for content in self.body.get("contents", ()) for part in content.get("parts", ())]
        return "\n".join(part.get("text") or json.dumps(part.get("functionResponse") or "") for part in parts)

    @property
    def pictures(self) -> list[dict[str, Any]]:
        parts = [part for content in self.body.get("contents", ()) for part in content.get("parts", ())]
        return [part["inlineData"] for part in parts if "inlineData" in part]

    @property
    def tools(self) -> list[str]:
        declared = [tool.get("functionDeclarations", ()) for tool in self.body.get("tools", ())]
        return [one["name"] for several in declared for one in several]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The function responses of the last content."""
        contents = self.body.get("contents") or [{}]
        return [p["functionResponse"] for p in contents[-1].get("parts", ()) if "functionResponse" in p]

    @property
    def generation(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.get("generationConfig") or {}
        return found

    @property
    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = self.generation.get("responseJsonSchema") or {}
        return found

    @property
    def tokens(self) -> int:
        return len(json.dumps(self.body)) // 4


@dataclass
class Turn:
    """An answer: a body, or a status, after a delay; `raw` bytes replace the body, `cut` drops the line half-way."""

    body: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    raw: bytes | None = None
    cut: bool = False


Script = Sequence[Turn] | Callable[[Seen], Turn]


def _candidate(parts: list[dict[str, Any]], finish: str = "STOP") -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}]}


def text(words: str, *, finish: str = "STOP") -> Turn:
    return Turn(_candidate([{"text": words}], finish))


def answer(value: Any) -> Turn:
    """JSON, as a response schema makes the model give it."""
    return text(json.dumps(value))


def calls(*wanted: tuple[str, dict[str, Any]]) -> Turn:
    """Native function calls, several at once; each carries a thought signature that must come back."""
    parts = [{"functionCall": {"name": n, "args": a}, "thoughtSignature": "c2lnbmF0dXJl"} for n, a in wanted]
    return Turn(_candidate(parts))


def refusal(finish: str = "SAFETY") -> Turn:
    return Turn({"candidates": [{"finishReason": finish, "index": 0}]})


def blocked(reason: str = "PROHIBITED_CONTENT") -> Turn:
    return Turn({"promptFeedback": {"blockReason": reason}})


def truncated(words: str = '{"total": "11') -> Turn:
    return text(words, finish="MAX_TOKENS")


def malformed_call() -> Turn:
    return refusal("MALFORMED_FUNCTION_CALL")


def fault(code: int, status: str, *, retry_s: float | None = None, header_s: float | None = None) -> Turn:
    """An error of the API; `retry_s` goes into RetryInfo, `header_s` into Retry-After."""
    details: list[dict[str, Any]] = []
    if retry_s is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_s:g}s"})
    body = {"error": {"code": code, "message": status.lower(), "status": status, "details": details}}
    return Turn(body, code, {"Retry-After": f"{header_s:g}"} if header_s is not None else {})


def too_many(retry_s: float | None = None) -> Turn:
    return fault(429, "RESOURCE_EXHAUSTED", retry_s=retry_s)


def unavailable() -> Turn:
    return fault(503, "UNAVAILABLE")


def gateway() -> Turn:
    return Turn(status=502, raw=b"<html><body>Bad Gateway</body></html>", headers={"Content-Type": "text/html"})


def broken() -> Turn:
    return Turn(raw=b'{"candidates": [{"content"', headers={"Content-Type": "application/json"})


def cut() -> Turn:
    return Turn(answer({"total": "1190.00"}).body, cut=True)


def after(delay_s: float, turn: Turn) -> Turn:
    turn.delay_s = delay_s
    return turn


class GeminiServer:
    """Serves a script; `requests` are those for content, `in_flight` and `most_in_flight` count them."""

    def __init__(self, script: Script = (), *, keys: Sequence[str] = (KEY,), models: Sequence[str] = ()) -> None:
        self.script = script
        self.keys = set(keys)
        self.models = set(models)  # empty: every name is a model
        self.requests: list[Seen] = []
        self.probes = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.changed = asyncio.Condition()
        self._at = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def seen(self, count: int, within_s: float = 10.0) -> None:
        """Returns when so many requests have come in."""
        async with asyncio.timeout(within_s), self.changed:
            await self.changed.wait_for(lambda: len(self.requests) >= count)

    async def dropped(self, within_s: float = 10.0) -> None:
        """Returns when a client has hung up on a running request."""
        async with asyncio.timeout(within_s), self.changed:
            await self.changed.wait_for(lambda: any(one.cancelled for one in self.requests))

    def _turn(self, seen: Seen) -> Turn:
        if callable(self.script):
            return self.script(seen)
        self._at += 1
        if self._at > len(self.script):
            return fault(500, "INTERNAL")
        return self.script[self._at - 1]

    async def _post(self, request: web.Request) -> web.StreamResponse:
        model, _, verb = request.match_info["call"].partition(":")
        if refused := self._refused(request, model):
            return refused
        seen = Seen(model, verb, await request.json(), dict(request.headers), request.path)
        if verb == "countTokens":
            return web.json_response({"totalTokens": seen.tokens})
        self.requests.append(seen)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._tell()
            turn = self._turn(seen)
            await asyncio.sleep(turn.delay_s)
            return await self._answer(request, seen, turn)
        except asyncio.CancelledError:
            seen.cancelled = True
            raise
        finally:
            self.in_flight -= 1
            if seen.cancelled:
                await asyncio.shield(self._tell())

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def _refused(self, request: web.Request, model: str) -> web.Response | None:
        key = request.headers.get("x-goog-api-key")
        if key not in self.keys and not request.headers.get("Authorization"):
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            words = {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [info]}
            return web.json_response({"error": words}, status=400)
        if self.models and model not in self.models:
            words = {"code": 404, "message": f"models/{model} is not found", "status": "NOT_FOUND"}
            return web.json_response({"error": words}, status=404)
        return None

    async def _answer(self, request: web.Request, seen: Seen, turn: Turn) -> web.StreamResponse:
        if turn.raw is not None:
            return web.Response(body=turn.raw, status=turn.status, headers=turn.headers)
        body = dict(turn.body)
        if turn.status == 200:
            body |= {
                "modelVersion": seen.model,
                "responseId": str(len(self.requests)),
                "usageMetadata": _usage(seen, turn),
            }
        if turn.cut:
            return await _half(request, json.dumps(body).encode())
        if seen.verb == "streamGenerateContent" and turn.status == 200:
            return await _stream(request, body)
        return web.json_response(body, status=turn.status, headers=turn.headers)

    async def _get(self, request: web.Request) -> web.Response:
        model = request.match_info["call"]
        if refused := self._refused(request, model):
            return refused
        self.probes += 1
        return web.json_response({"name": f"models/{model}", "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536})


def _usage(seen: Seen, turn: Turn) -> dict[str, int]:
    given = len(json.dumps(turn.body)) // 4
    return {"promptTokenCount": seen.tokens, "candidatesTokenCount": given, "totalTokenCount": seen.tokens + given}


async def _half(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response


async def _stream(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """The text in two events, the finish reason and the usage in the last."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    candidates = body.get("candidates") or []
    parts = candidates[0].get("content", {}).get("parts", []) if candidates else []
    if len(parts) == 1 and len(parts[0].get("text", "")) > 1:
        words = parts[0]["text"]
        half = len(words) // 2
        first = {"candidates": [{"content": {"role": "model", "parts": [{"text": words[:half]}]}, "index": 0}]}
        await response.write(f"data: {json.dumps(first)}\r\n\r\n".encode())
        parts[0] = {"text": words[half:]}
    await response.write(f"data: {json.dumps(body)}\r\n\r\n".encode())
    await response.write_eof()
    return response


@asynccontextmanager
async def gemini_server(script: Script = (), **options: Any) -> AsyncIterator[GeminiServer]:
    """Serving on a free loopback port until the context ends."""
    server = GeminiServer(script, **options)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/{path:.*}models/{call:[^/]+}", server._post)
    app.router.add_get("/{path:.*}models/{call:[^/]+}", server._get)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


@contextmanager
def in_thread(script: Script = (), **options: Any) -> Iterator[GeminiServer]:
    """The same for tests and benchmarks that block: it serves from a thread of its own."""
    loop = asyncio.new_event_loop()
    opened = gemini_server(script, **options)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result(10)
        asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
