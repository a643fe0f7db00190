"""A2A over HTTP+JSON: the routes of the operations table, 1.0 at the root and 0.3 below /v1."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import hdrs, web

from agent.a2a import operations as ops
from agent.a2a.codec import Codec
from agent.a2a.failure import status_error
from agent.a2a.v03_rest import V03Rest
from agent.a2a.v1 import V1
from agent.errors import (
    AgentError,
    ContentTypeNotSupported,
    ParseError,
    VersionNotSupported,
    wire_error,
)
from agent.web.answers import (
    A2A_JSON,
    JSON,
    REFUSALS,
    asked_version,
    content_type_of,
    echo_headers,
    json_answer,
    mirrored,
    refusal_headers,
    spoken,
)
from agent.web.body import read_json
from agent.web.calls import follow, perform
from agent.web.jsonrpc import make_call
from agent.web.sse import resumed_after
from agent.web.stream import tell

log = logging.getLogger(__name__)


class Handler:
    """One operation in one version."""

    def __init__(self, operation: ops.Operation, version: str) -> None:
        self._operation = operation
        self._version = version

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check_version(request)
            params = await self._params(request)
            codec: Codec = (V1 if self._version == ops.V1 else V03Rest)(_base(request))
            call = make_call(request, codec)
            if not self._operation.streams:
                result = await perform(call, self._operation, params)
                headers = {hdrs.CACHE_CONTROL: "private, no-store", **echo_headers(request, self._version)}
                return json_answer({} if result is None else result, content_type=mirrored(request), headers=headers)
            after = resumed_after(request.headers.get("Last-Event-ID"))
            async with follow(call, self._operation, params, after) as (updates, history_length):
                return await tell(
                    request,
                    updates,
                    codec=codec,
                    history_length=history_length,
                    stays=self._operation.name == "subscribe",
                    wrap=lambda event: event,
                    failed=status_error,
                )
        except AgentError as exc:
            return _failed(request, exc)
        except web.HTTPException:
            raise
        except Exception as exc:
            log.exception("call.failed")
            return _failed(request, exc)

    def _check_version(self, request: web.Request) -> None:
        """A 1.0 path needs its version said: without one a caller means 0.3 (A2A 1.0 §3.6.2)."""
        asked = asked_version(request)
        if spoken(asked) != self._version:
            raise VersionNotSupported(f"This path speaks A2A {self._version}, not {asked[:20]}.")

    async def _params(self, request: web.Request) -> dict[str, Any]:
        params: dict[str, Any] = dict(request.query)
        params.pop("A2A-Version", None)
        if request.method == "POST":
            params |= await _body(request)
        if "id" in request.match_info:
            # Of a webhook's request `id` is the webhook, which the body of a new one may name.
            params["taskId" if self._operation.name.startswith("push") else "id"] = request.match_info["id"]
        if "config" in request.match_info:
            params["id"] = params["pushNotificationConfigId"] = request.match_info["config"]
        return params


async def _body(request: web.Request) -> dict[str, Any]:
    if not request.can_read_body:
        return {}
    if content_type_of(request) not in (JSON, A2A_JSON):
        raise ContentTypeNotSupported("Send application/json or application/a2a+json.")
    found = await read_json(request)
    if not isinstance(found, dict):
        raise ParseError("The body is no JSON object.")
    return found


def _base(request: web.Request) -> str:
    from agent.web.keys import CARD

    return request.app[CARD].public_url


def _failed(request: web.Request, exc: BaseException) -> web.Response:
    headers = refusal_headers(exc) if isinstance(exc, REFUSALS) else None
    return json_answer(status_error(exc), status=wire_error(exc).http, content_type=mirrored(request), headers=headers)
