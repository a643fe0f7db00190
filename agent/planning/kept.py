"""Results that need not be made again: kept by what decides them, for the caller they were made for, when complete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from agent.cache import ResultCache, cache_key
from agent.planning.reader import Listing
from agent.planning.request import WISH_KEYS, Request

PREFIX = "result:"

Json = dict[str, Any]


class Kept:
    """Of the embedded engine; what a model answers is kept by `model.answers`. `engine` names the build."""

    def __init__(self, cache: ResultCache, listing: Listing, *, engine: str) -> None:
        self._cache = cache
        self._listing = listing
        self._engine = engine

    async def once(self, caller: str, doc: str, request: Request, *, make: Callable[[], Awaitable[Json]]) -> Json:
        """A kept result, or what `make` gives; made once at a time for one key. Failures pass and are not kept."""
        content = doc.removeprefix("upload/") if doc.startswith("upload/") else self._listing.content(doc)
        if content is None:
            return await make()
        wish = {key: request.wish[key] for key in WISH_KEYS if request.wish.get(key) is not None}
        key = PREFIX + cache_key(engine=self._engine, caller=caller, content=content, wish=wish)
        made: list[Json] = []

        async def value() -> tuple[bytes, bool]:
            made.append(found := await make())
            return orjson.dumps(found), _complete(found) and found["document"]["sha256"] == content

        kept = await self._cache.once(key, value)
        return made[0] if made else orjson.loads(kept)

    async def forget(self) -> None:
        """All of them, here and in Redis: something was erased, and may stand in any."""
        await self._cache.forget(PREFIX)


def _complete(found: Json) -> bool:
    """A page that could not be read now may be readable later."""
    return not any(one.get("warnings") for one in (found, *found.get("more", ())))
