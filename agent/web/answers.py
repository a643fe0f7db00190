"""Answers: JSON as bytes, content types mirrored, refusals as HTTP statuses."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

import orjson
from aiohttp import hdrs, web
from multidict import istr

from agent.a2a.card import extensions
from agent.a2a.operations import V03, V1
from agent.errors import AgentError, Forbidden, Overloaded, RateLimited, TooLarge, Unauthenticated, wire_error
from agent.web.keys import CARD, REQUEST_ID

JSON = "application/json"
A2A_JSON = "application/a2a+json"

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "document-extraction-agent",  # and neither the library's name nor its version
}

# Answered as HTTP statuses on every binding: clients and proxies act on them.
REFUSALS = (Unauthenticated, Forbidden, RateLimited, Overloaded, TooLarge)


def dump(value: object) -> bytes:
    return orjson.dumps(value, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON: {type(value).__name__}")


def json_answer(
    value: object, *, status: int = 200, content_type: str = JSON, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(body=dump(value), status=status, headers={hdrs.CONTENT_TYPE: content_type, **(headers or {})})


def tagged(request: web.Request, body: bytes, headers: Mapping[istr, str]) -> web.Response:
    """`body` under an ETag of its content; 304 to a reader who has it (RFC 9110 §13.1.2)."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    told = {**headers, hdrs.ETAG: tag}
    if tag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=304, headers=told)
    return web.Response(body=body, headers=told)


def refusal_headers(error: AgentError) -> dict[str, str]:
    """`Retry-After` for what passes, `WWW-Authenticate` for what needs a key."""
    if isinstance(error, Unauthenticated):
        return {hdrs.WWW_AUTHENTICATE: 'Bearer realm="agent"'}
    if isinstance(error, RateLimited | Overloaded):
        return {hdrs.RETRY_AFTER: str(max(1, math.ceil(error.retry_after_s or 1)))}
    return {}


def refusal(error: AgentError) -> web.Response:
    """An error as its HTTP status and the failure shape that every surface shares."""
    return json_answer(error.body(), status=wire_error(error).http, headers=refusal_headers(error))


def content_type_of(request: web.Request) -> str:
    """The media type alone, lower case; empty when the request names none."""
    raw = request.headers.get(hdrs.CONTENT_TYPE)
    return raw.partition(";")[0].strip().lower() if raw else ""


def mirrored(request: web.Request) -> str:
    """A2A 1.0.1 prefers application/a2a+json, older clients know JSON alone: answer as asked (§11.1)."""
    if content_type_of(request) == A2A_JSON:
        return A2A_JSON
    accept = request.headers.get(hdrs.ACCEPT, "")
    return A2A_JSON if A2A_JSON in accept and JSON not in accept else JSON


def asked_version(request: web.Request) -> str:
    """The version a request names in its header or query; without one it means 0.3 (A2A 1.0 §3.6.2)."""
    return request.headers.get("A2A-Version") or request.query.get("A2A-Version") or V03


def spoken(asked: str) -> str | None:
    """Our version for the one asked for: any 1.x, any 0.3.x. None: not spoken here."""
    major, _, rest = asked.strip().partition(".")
    if major == "1":
        return V1
    return V03 if major == "0" and rest.partition(".")[0] == "3" else None


def common_headers(request: web.Request) -> dict[str, str]:
    """What every answer carries: no browser may guess, frame or leak it, and it can be named in a log."""
    headers = {**SECURITY_HEADERS, "X-Request-Id": request[REQUEST_ID]}
    if request.secure:  # TLS ends here; a proxy that ends it says this itself
        headers[hdrs.STRICT_TRANSPORT_SECURITY] = "max-age=31536000"
    return headers


def echo_headers(request: web.Request, version: str) -> dict[str, str]:
    """`A2A-Version`, and of the extensions asked for those that are active, under the name they were asked by."""
    headers = {"A2A-Version": version}
    for name in ("A2A-Extensions", "X-A2A-Extensions"):
        asked = request.headers.get(name)
        if not asked:
            continue
        asked_for = {uri.strip() for uri in asked.split(",")}
        if active := [uri for uri in extensions(request.app[CARD]) if uri in asked_for]:
            headers[name] = ", ".join(active)
    return headers
