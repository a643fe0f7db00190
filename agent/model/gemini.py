"""One attempt at a call, through the google-genai SDK: its types, its exceptions and its silences end here.

The SDK retries nothing here (it would ignore the server's hints), raises nothing for an answer that was refused, cut
or malformed (`finish_reason` and `prompt_feedback` are looked at every time), and counts time in milliseconds.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from agent.credentials import Credentials
from agent.errors import ConfigError
from agent.model.ask import (
    NOTHING,
    Ask,
    ModelRefused,
    ModelTruncated,
    Picture,
    Piece,
    Reply,
    Said,
    Tokens,
    ToolCall,
    Turn,
)
from agent.telemetry import tracing

if TYPE_CHECKING:
    from google.genai import Client, types

_LIMIT = {"MAX_TOKENS", "CONTINUATION"}
_AGAIN = {  # a fault of the model's own: another try may be well
    "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "OTHER",
    "MISSING_THOUGHT_SIGNATURE", "FINISH_REASON_UNSPECIFIED",
}  # fmt: skip
_RETRIED = {408, 429, 500, 502, 503, 504}


@dataclass(eq=False)
class AttemptFailed(Exception):
    """Why one attempt gave no answer. `outcome` is the metric's label.

    retry: the same again may help · sick: counts against the model's health · after_s: the server's own hint ·
    everywhere: no other model would do better (the key, the request itself).
    """

    outcome: str
    words: str
    retry: bool = False
    sick: bool = False
    after_s: float | None = None
    everywhere: bool = False
    tokens: Tokens = NOTHING  # what it cost all the same
    seconds: float = 0.0

    @property
    def code(self) -> str:
        """As spans name it."""
        return self.outcome


class Paid(Exception):
    """The answer is refused or cut, and its tokens are paid: `fault` says which."""

    def __init__(self, fault: ModelRefused | ModelTruncated, tokens: Tokens) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.code = fault.code
        self.tokens = tokens


class Gemini:
    """The SDK with the key of the moment. `session` is owned by the connection pools."""

    def __init__(
        self,
        session: Callable[[], aiohttp.ClientSession],
        key: Credentials,
        *,
        base_url: str | None = None,
        vertex: bool = False,
    ) -> None:
        self._session = session
        self._key = key
        self._base_url = base_url
        self._vertex = vertex
        self._made: tuple[str | None, Client] | None = None

    async def warm(self) -> None:
        """Loads the SDK (one to two seconds) without stopping the event loop."""
        await asyncio.to_thread(importlib.import_module, "google.genai")

    async def ready(self) -> bool:
        """Whether there is a key, or Vertex AI needs none."""
        return self._vertex or await self._key.value() is not None

    async def attempt(self, model: str, ask: Ask, *, timeout_s: float, thinking: str | None = None) -> Reply:
        """A complete reply. Raises AttemptFailed, or Paid for one that is refused or cut off."""
        client = await self._client()
        attributes = {"gen_ai.operation.name": "generate_content", "gen_ai.request.model": model, "prompt": ask.prompt}
        with tracing.span(f"generate_content {model}", kind="client", attributes=attributes) as own:
            config = _config(ask, timeout_s, thinking)
            try:
                async with asyncio.timeout(timeout_s + 1):  # the SDK's own comes first; this one holds if it fails to
                    response = await client.aio.models.generate_content(
                        model=model, contents=_contents(ask), config=config
                    )
            except Exception as fault:
                raise _failed(fault) from fault
            tokens = _tokens(response)
            own.set_attribute("gen_ai.usage.input_tokens", tokens.input)
            own.set_attribute("gen_ai.usage.output_tokens", tokens.output)
            return _judged(model, ask, response)

    async def probe(self, model: str, *, timeout_s: float) -> None:
        """Asks what the model is, which costs nothing. Raises AttemptFailed."""
        client = await self._client()
        from google.genai import types

        options = types.HttpOptions(timeout=round(timeout_s * 1000))
        try:
            async with asyncio.timeout(timeout_s + 1):
                await client.aio.models.get(model=model, config=types.GetModelConfig(http_options=options))
        except Exception as fault:
            raise _failed(fault) from fault

    async def _client(self) -> Client:
        try:
            key = await self._key.value()
        except ConfigError as fault:
            raise AttemptFailed("key", str(fault), everywhere=True) from fault
        if key is None and not self._vertex:
            raise AttemptFailed("key", "there is no key", everywhere=True)
        if self._made is None or self._made[0] != key:
            made = await asyncio.to_thread(_made, key, self._base_url, self._session(), vertex=self._vertex)
            self._made = key, made
        return self._made[1]


def _made(key: str | None, base_url: str | None, session: aiohttp.ClientSession, *, vertex: bool) -> Client:
    """A client of the SDK, which loads certificates for half a second although `session` brings its own."""
    from google.genai import Client, types

    retry = types.HttpRetryOptions(attempts=1)
    options = types.HttpOptions(base_url=base_url, retry_options=retry, aiohttp_client=session)
    if vertex and key is None:  # named here too: beside a `base_url` the SDK drops what only its environment says
        project, location = (os.environ.get(f"GOOGLE_CLOUD_{name}") for name in ("PROJECT", "LOCATION"))
        return Client(vertexai=True, project=project, location=location, http_options=options)
    return Client(api_key=key, http_options=options)


def _config(ask: Ask, timeout_s: float, thinking: str | None) -> types.GenerateContentConfig:
    from google.genai import types

    from agent.model.sdk import Config, Part

    config = Config(
        system_instruction=types.Content(role="user", parts=[Part(text=ask.system)]),
        max_output_tokens=ask.max_output_tokens,
        automatic_continuation=False,  # a long answer is cut into questions here, never paid for unasked
        http_options=types.HttpOptions(timeout=round(timeout_s * 1000), headers=tracing.outgoing() or None),
    )
    if thinking:
        config.thinking_config = types.ThinkingConfig(thinking_level=types.ThinkingLevel(thinking.upper()))
    if ask.schema is not None:
        config.response_mime_type = "application/json"
        config.response_json_schema = dict(ask.schema)
    if ask.tools:
        declared = [
            types.FunctionDeclaration(name=t.name, description=t.description, parameters_json_schema=dict(t.parameters))
            for t in ask.tools
        ]
        config.tools = [types.Tool(function_declarations=declared)]
        config.automatic_function_calling = types.AutomaticFunctionCallingConfig(disable=True)
    return config


def _contents(ask: Ask) -> types.ContentListUnion:
    """The turns; a single one bare: in a list the SDK tries it against a dozen types, for four milliseconds."""
    turns = [_content(turn) for turn in ask.contents]
    return turns[0] if len(turns) == 1 else turns


def _content(turn: Turn) -> types.Content:
    from google.genai import types

    if isinstance(turn, Said):
        content: types.Content = turn.content
        return content
    return types.Content(role="user", parts=[_part(piece) for piece in turn])


def _part(piece: Piece) -> types.Part:
    from google.genai import types

    from agent.model.sdk import Part

    if isinstance(piece, str):
        return Part(text=piece)
    if isinstance(piece, Picture):
        return Part(inline_data=types.Blob(data=piece.jpeg, mime_type="image/jpeg"))
    answered = types.FunctionResponse(id=piece.call.id, name=piece.call.name, response=dict(piece.result))
    return Part(function_response=answered)


def _judged(model: str, ask: Ask, response: types.GenerateContentResponse) -> Reply:
    """The reply in a response; what the SDK passes over in silence is raised here."""
    tokens = _tokens(response)
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        raise Paid(ModelRefused(f"the request was blocked, {feedback.block_reason.value}"), tokens)
    if not response.candidates:
        raise AttemptFailed("malformed", "the answer has no candidate", retry=True, tokens=tokens)
    candidate = response.candidates[0]
    reason = candidate.finish_reason.value if candidate.finish_reason is not None else "STOP"
    if reason in _LIMIT:
        raise Paid(ModelTruncated(), tokens)
    if reason in _AGAIN:
        raise AttemptFailed("malformed", f"the model stopped with {reason}", retry=True, tokens=tokens)
    if reason != "STOP":
        raise Paid(ModelRefused(reason), tokens)
    parts = (candidate.content.parts if candidate.content else None) or []
    calls = tuple(
        ToolCall(part.function_call.name or "", part.function_call.args or {}, part.function_call.id)
        for part in parts
        if part.function_call is not None
    )
    text = "".join(part.text for part in parts if part.text and not part.thought)
    return Reply(model, text, _data(ask, text, tokens), calls, Said(candidate.content), tokens)


def _data(ask: Ask, text: str, tokens: Tokens) -> Any:
    if ask.schema is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        raise AttemptFailed("malformed", "the answer is no JSON", retry=True, tokens=tokens) from fault


def _tokens(response: types.GenerateContentResponse) -> Tokens:
    usage = response.usage_metadata
    if usage is None:
        return Tokens()
    given = (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0)
    made = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    return Tokens(given, made, usage.cached_content_token_count or 0)


def _failed(fault: Exception) -> AttemptFailed:
    """The SDK's exceptions and those that pass through it (aiohttp's, asyncio's, of JSON) as one."""
    from google.genai import errors

    if isinstance(fault, errors.APIError):
        return _refused(fault)
    if isinstance(fault, TimeoutError):
        return AttemptFailed("timeout", "no answer in time", retry=True, sick=True)
    if isinstance(fault, ValueError):  # broken JSON, or JSON of another shape
        return AttemptFailed("malformed", "the answer cannot be read", retry=True, sick=True)
    if isinstance(fault, (aiohttp.ClientError, OSError)):
        return AttemptFailed("unreachable", f"the connection failed: {type(fault).__name__}", retry=True, sick=True)
    raise fault


def _refused(fault: Any) -> AttemptFailed:
    code = int(fault.code or 0)
    words = f"{code} {fault.status or ''}".strip()
    if code == 429:
        return AttemptFailed("limited", words, retry=True, after_s=_hint(fault))
    if code in _RETRIED:
        return AttemptFailed("unavailable", words, retry=True, sick=True, after_s=_hint(fault))
    if code in (401, 403) or "API_KEY_INVALID" in str(fault.details):
        return AttemptFailed("key", f"the key was refused: {words}", everywhere=True)
    if code == 404:
        return AttemptFailed("gone", f"there is no such model: {words}", sick=True)
    return AttemptFailed("rejected", f"the request was rejected: {words}", everywhere=True)


def _hint(fault: Any) -> float | None:
    """Seconds the server asks to wait: RetryInfo in the error's details, else Retry-After."""
    details = fault.details if isinstance(fault.details, dict) else {}
    error = details.get("error")
    for one in (error.get("details") or ()) if isinstance(error, dict) else ():
        delay = one.get("retryDelay") if isinstance(one, dict) else None
        if isinstance(delay, str) and delay.endswith("s"):
            return _seconds(delay[:-1])
    headers = getattr(fault.response, "headers", None) or {}
    return _seconds(headers.get("Retry-After"))


def _seconds(words: Any) -> float | None:
    try:
        return max(0.0, float(words))
    except (TypeError, ValueError):
        return None
