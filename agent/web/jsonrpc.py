"""A2A over JSON-RPC: 1.0 and 0.3 told apart by the method's name."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web

from agent.a2a import operations as ops
from agent.a2a.codec import Codec
from agent.a2a.failure import jsonrpc_error
from agent.a2a.v03 import V03
from agent.a2a.v1 import V1
from agent.errors import (
    AgentError,
    ContentTypeNotSupported,
    InvalidParams,
    InvalidRequest,
    MethodNotFound,
    VersionNotSupported,
)
from agent.web.answers import JSON, REFUSALS, asked_version, content_type_of, echo_headers, json_answer, refusal, spoken
from agent.web.body import read_json
from agent.web.calls import Call, follow, perform
from agent.web.keys import CALLER, CARD, ENGINE, FETCHER, UPLOADS, WAIT_S
from agent.web.sse import resumed_after
from agent.web.stream import tell

log = logging.getLogger(__name__)

JSON_TYPES = frozenset({JSON, "application/a2a+json", "application/json-rpc", "application/jsonrequest"})


async def handle(request: web.Request) -> web.StreamResponse:
    """One JSON-RPC request. Refusals that proxies act on are HTTP statuses; all else is 200 with an error member."""
    call_id: Any = None
    asked = asked_version(request)
    version = spoken(asked) or ops.V03  # of what fails before the method is known
    try:
        envelope = await _envelope(request)
        call_id = _id(envelope)
        operation, version = _method(envelope)
        if spoken(asked) is None:  # after the method: -32009 is unknown to 0.3
            raise VersionNotSupported(f"A2A {asked[:20]} is not spoken here; 1.0 and 0.3 are.")
        codec: Codec = (V1 if version == ops.V1 else V03)(request.app[CARD].public_url)
        call = make_call(request, codec)
        params = envelope.get("params")
        if operation.streams:
            return await _stream(request, call, operation, params, call_id)
        body = {"jsonrpc": "2.0", "id": call_id, "result": await perform(call, operation, params)}
        return json_answer(body, headers=echo_headers(request, version))
    except REFUSALS as exc:
        return refusal(exc)
    except AgentError as exc:
        return json_answer(failed(exc, call_id, version))
    except Exception as exc:
        log.exception("call.failed")
        return json_answer(failed(exc, call_id, version))


def make_call(request: web.Request, codec: Codec) -> Call:
    app = request.app
    key = request.headers.get("Idempotency-Key")
    return Call(app[ENGINE], app[UPLOADS], app[FETCHER], app[CARD], app[WAIT_S], request[CALLER], codec, key)


def failed(exc: BaseException, call_id: Any, version: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "error": jsonrpc_error(exc, version)}


async def _stream(
    request: web.Request, call: Call, operation: ops.Operation, params: Any, call_id: Any
) -> web.StreamResponse:
    after = resumed_after(request.headers.get("Last-Event-ID"))
    async with follow(call, operation, params, after) as (updates, history_length):
        return await tell(
            request,
            updates,
            codec=call.codec,
            history_length=history_length,
            stays=operation.name == "subscribe",
            wrap=lambda event: {"jsonrpc": "2.0", "id": call_id, "result": event},
            failed=lambda exc: failed(exc, call_id, call.codec.version),
        )


async def _envelope(request: web.Request) -> dict[str, Any]:
    if content_type_of(request) not in JSON_TYPES:
        raise ContentTypeNotSupported("Send application/json.")
    envelope = await read_json(request)
    if not isinstance(envelope, dict):
        raise InvalidRequest("Send one request object; batches are not part of A2A.")
    return envelope


def _id(envelope: dict[str, Any]) -> Any:
    call_id = envelope.get("id")
    if call_id is not None and (isinstance(call_id, bool) or not isinstance(call_id, str | int | float)):
        raise InvalidRequest("id is a string or a number.")
    return call_id


def _method(envelope: dict[str, Any]) -> tuple[ops.Operation, str]:
    if envelope.get("jsonrpc") != "2.0" or not isinstance(envelope.get("method"), str):
        raise InvalidRequest("A request has jsonrpc 2.0 and a method.")
    if not isinstance(envelope.get("params", {}), dict | None):
        raise InvalidParams("params is an object", field="params")
    found = ops.BY_METHOD.get(envelope["method"])
    if found is None:
        raise MethodNotFound(f"There is no method {envelope['method'][:80]!r}.")
    return found
