"""What the service says of itself over HTTP: the agent card with its signatures, the key set, the description.

The card carries what caches need: ETag, Last-Modified, Cache-Control, 304.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from aiohttp import hdrs, web

from agent.a2a import card, openapi
from agent.a2a.card import CardFacts
from agent.web.answers import JSON, dump, json_answer, tagged
from agent.web.keys import CARD, NEEDS_KEY

_STARTED = format_datetime(datetime.now(UTC), usegmt=True)
JWKS = "/.well-known/jwks.json"


async def union(request: web.Request) -> web.Response:
    """Readable by both versions."""
    return _answer(request, _union(_facts(request)))


async def pure(request: web.Request) -> web.Response:
    """1.0 alone, for validators of a closed schema; its interface is below /a2a/v1."""
    return _answer(request, _pure(_facts(request)))


async def jwks(request: web.Request) -> web.Response:
    """The public keys that verify card and webhooks; an empty set when nothing is signed."""
    key = request.app[CARD].signing_key
    return json_answer(key.jwks() if key else {"keys": []}, headers={hdrs.CACHE_CONTROL: "public, max-age=300"})


async def description(request: web.Request) -> web.Response:
    """`/openapi.json`: the HTTP+JSON binding of 1.0."""
    return json_answer(openapi.document(_facts(request)))


def _facts(request: web.Request) -> CardFacts:
    """As they are now: the first key may have been made since the start."""
    known = request.app[CARD]
    return replace(known, needs_key=True) if not known.needs_key and request.app[NEEDS_KEY]() else known


@lru_cache(8)
def _union(facts: CardFacts) -> bytes:
    return dump(card.union_card(facts) | _signatures(facts, card.seen_by_v1(facts)))


@lru_cache(8)
def _pure(facts: CardFacts) -> bytes:
    made = card.pure_card(facts, f"{facts.public_url}/a2a/v1")
    return dump(made | _signatures(facts, made))


def _signatures(facts: CardFacts, signed: card.Json) -> card.Json:
    """Nothing, or the `signatures` of the 1.0 card that a reader sees (A2A 1.0 §8.4)."""
    if facts.signing_key is None:
        return {}
    protected, signature = facts.signing_key.detached(card.canonical(signed), {"jku": facts.public_url + JWKS})
    return {"signatures": [{"protected": protected, "signature": signature}]}


def _answer(request: web.Request, body: bytes) -> web.Response:
    headers = {
        hdrs.CONTENT_TYPE: JSON,
        hdrs.CACHE_CONTROL: "public, max-age=300",
        hdrs.LAST_MODIFIED: _STARTED,
        hdrs.VARY: "Accept",
    }
    return tagged(request, body, headers)
