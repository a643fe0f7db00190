"""Rate limits per caller and per address, by the `limits` library's moving window; with a Redis for all processes."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from agent.errors import RateLimited
from agent.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

_WAIT_S = 0.25
_PAUSE_S = 10.0  # a Redis that did not answer is left alone for so long: this process then counts for itself


class RateLimit:
    """`600/minute` for each caller and for each address."""

    def __init__(self, rate: str, metrics: Metrics) -> None:
        self._item: RateLimitItem = parse(rate)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        self._again_at = 0.0
        self._metrics = metrics

    def share(self, redis: Redis) -> None:
        """Counts in this Redis from now on, with all processes that do."""
        from limits.aio.storage import RedisStorage

        options: dict[str, Any] = {"connection_pool": redis.connection_pool, "key_prefix": "extraction:rate"}
        storage = RedisStorage("async+redis://", implementation="redispy", **options)
        self._shared = MovingWindowRateLimiter(storage)

    async def take(self, scope: str, name: str) -> None:
        """Raises RateLimited with the seconds to wait."""
        wait_s = await self._wait(scope, name)
        if wait_s is None:
            return
        self._metrics.rate_limited_total.labels(scope).inc()
        raise RateLimited(f"More than {self._item} requests.", hint="Slow down.", retry_after_s=max(1.0, wait_s))

    async def _wait(self, scope: str, name: str) -> float | None:
        """None when the request may pass, else how long until one may."""
        if self._shared is not None and time.monotonic() >= self._again_at:
            from redis.exceptions import RedisError

            try:
                async with asyncio.timeout(_WAIT_S):
                    return await self._asked(self._shared, scope, name)
            except (RedisError, OSError, TimeoutError) as fault:
                self._again_at = time.monotonic() + _PAUSE_S
                log.warning("rate_limit.alone", extra={"cause": repr(fault), "pause_s": _PAUSE_S})
        return await self._asked(self._own, scope, name)

    async def _asked(self, limiter: MovingWindowRateLimiter, scope: str, name: str) -> float | None:
        if await limiter.hit(self._item, scope, name):
            return None
        window = await limiter.get_window_stats(self._item, scope, name)
        return window.reset_time - time.time()
