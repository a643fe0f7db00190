"""The result cache: memory always, Redis when it is set; complete results only, each made once at a time.

A key is made of all that decides the result: content hash, wish, options, engine version and the caller's tenant.
Redis is a help, never a condition: an operation waits a quarter of a second at most, and after a failure Redis is
left alone for a while, so that a dead one costs one bounded delay and then nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import orjson

from agent.telemetry import tracing

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

PREFIX = "extraction:cache:"
REDIS_WAIT_S = 0.25
REDIS_PAUSE_S = 30.0
LOCK_S = 30  # another replica that makes the same value is waited for at most this long
POLL_S = 0.1


def cache_key(**parts: object) -> str:
    """A key from JSON-like parts; the order they are named in does not matter."""
    spelled = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(spelled).hexdigest()


class ResultCache:
    """Bytes by key. `count(layer, result)` hears of every look-up: memory|redis, hit|miss|error."""

    def __init__(
        self,
        *,
        ttl_s: float,
        count: Callable[[str, str], None],
        redis: Redis | None = None,
        max_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._ttl_s = ttl_s
        self._count = count
        self._redis = redis
        self._max_bytes = max_bytes
        self._size = 0
        self._held: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._making: dict[str, asyncio.Event] = {}
        self._redis_again_at = 0.0

    @property
    def degraded(self) -> bool:
        """Whether Redis is set and being left alone after a failure."""
        return self._redis is not None and time.monotonic() < self._redis_again_at

    async def get(self, key: str) -> bytes | None:
        held = self._held.get(key)
        if held and held[0] > time.monotonic():
            self._held.move_to_end(key)
            self._count("memory", "hit")
            return held[1]
        self._count("memory", "miss")
        value = await self._ask_redis("get", key)
        if isinstance(value, bytes):
            self._hold(key, value)
            return value
        return None

    async def put(self, key: str, value: bytes) -> None:
        self._hold(key, value)
        await self._ask_redis("set", key, value)

    async def once(self, key: str, make: Callable[[], Awaitable[tuple[bytes, bool]]]) -> bytes:
        """The value, made once at a time here and, over Redis, on other replicas too.

        `make` returns the value and whether to keep it. Who waited for a maker that failed or was cancelled makes it.
        """
        while True:
            if (found := await self.get(key)) is not None:
                return found
            if (made := self._making.get(key)) is None:
                break
            await made.wait()
        made = self._making[key] = asyncio.Event()
        token = secrets.token_bytes(8)
        try:
            if (found := await self._elsewhere(key, token)) is not None:
                return found
            value, keep = await make()
            if keep:
                await self.put(key, value)
            return value
        finally:
            del self._making[key]
            made.set()
            await asyncio.shield(self._unlock(key, token))

    async def _elsewhere(self, key: str, token: bytes) -> bytes | None:
        """Takes the replicas' lock, or waits for the one that has it; its value when it made one."""
        deadline = time.monotonic() + LOCK_S
        while self._redis is not None and not self.degraded and time.monotonic() < deadline:
            if await self._ask_redis("set", "lock:" + key, token, nx=True, px=LOCK_S * 1000):
                return None
            await asyncio.sleep(POLL_S)
            value = await self._ask_redis("get", key)
            if isinstance(value, bytes):
                self._hold(key, value)
                return value
        return None

    async def _unlock(self, key: str, token: bytes) -> None:
        if self._redis is not None and await self._ask_redis("get", "lock:" + key) == token:
            await self._ask_redis("delete", "lock:" + key)

    async def forget(self, prefix: str = "") -> None:
        """Drops the keys of a prefix (or all), here and in Redis; other processes' memory forgets by time."""
        for key in [k for k in self._held if k.startswith(prefix)]:
            self._size -= len(self._held.pop(key)[1])
        if self._redis is None or self.degraded:
            return
        from redis.exceptions import RedisError

        try:
            async for key in self._redis.scan_iter(match=f"{PREFIX}{prefix}*", count=1000):
                await self._redis.unlink(key)
        except (RedisError, OSError, TimeoutError) as exc:
            log.warning("cache.not_forgotten", extra={"cause": repr(exc)})

    def _hold(self, key: str, value: bytes) -> None:
        if len(value) > self._max_bytes // 8:
            return
        if old := self._held.pop(key, None):
            self._size -= len(old[1])
        self._held[key] = (time.monotonic() + self._ttl_s, value)
        self._size += len(value)
        while self._size > self._max_bytes:
            _, (_, dropped) = self._held.popitem(last=False)
            self._size -= len(dropped)

    async def _ask_redis(self, command: str, key: str, *values: object, **options: object) -> object:
        """The answer, or None when Redis is not there; a value set without options lives for the cache's time."""
        if self._redis is None or self.degraded:
            return None
        from redis.exceptions import RedisError  # a seventh of a second to import: only where there is a Redis

        if command == "set" and not options:
            options = {"px": int(self._ttl_s * 1000)}
        try:
            with tracing.span(f"redis {command}", kind="client", attributes={"db.system.name": "redis"}):
                async with asyncio.timeout(REDIS_WAIT_S):
                    answer: object = await getattr(self._redis, command)(PREFIX + key, *values, **options)
        except (RedisError, OSError, TimeoutError) as exc:
            self._redis_again_at = time.monotonic() + REDIS_PAUSE_S
            self._count("redis", "error")
            log.warning("cache.redis_failed", extra={"cause": repr(exc), "pause_s": REDIS_PAUSE_S})
            return None
        if command == "get" and not key.startswith("lock:"):
            self._count("redis", "miss" if answer is None else "hit")
        return answer
