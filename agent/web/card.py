"""The agent card over HTTP, with what caches need: ETag, Last-Modified, Cache-Control, 304."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import hdrs, web

from agent.a2a import card
from agent.web.answers import JSON, dump
from agent.web.keys import CARD

_STARTED = format_datetime(datetime.now(UTC), usegmt=True)


async def union(request: web.Request) -> web.Response:
    """Readable by both versions."""
    facts = request.app[CARD]
    return _answer(request, card.union_card(facts.public_url, needs_key=facts.needs_key, extended=facts.extended))


async def pure(request: web.Request) -> web.Response:
    """1.0 alone, for validators of a closed schema; its interface is below /a2a/v1."""
    facts = request.app[CARD]
    made = card.pure_card(f"{facts.public_url}/a2a/v1", needs_key=facts.needs_key, extended=facts.extended)
    return _answer(request, made)


def _answer(request: web.Request, made: card.Json) -> web.Response:
    body = dump(made)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        hdrs.CONTENT_TYPE: JSON,
        hdrs.CACHE_CONTROL: "public, max-age=300",
        hdrs.ETAG: tag,
        hdrs.LAST_MODIFIED: _STARTED,
        hdrs.VARY: "Accept",
    }
    if tag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers)
