"""Rate limits per caller and per address, by the `limits` library's moving window."""

from __future__ import annotations

import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from agent.errors import RateLimited
from agent.telemetry.metrics import Metrics


class RateLimit:
    """`600/minute` for each caller and for each address."""

    def __init__(self, rate: str, metrics: Metrics) -> None:
        self._item: RateLimitItem = parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._metrics = metrics

    async def take(self, scope: str, name: str) -> None:
        """Raises RateLimited with the seconds to wait."""
        if await self._limiter.hit(self._item, scope, name):
            return
        self._metrics.rate_limited_total.labels(scope).inc()
        window = await self._limiter.get_window_stats(self._item, scope, name)
        wait_s = max(1.0, window.reset_time - time.time())
        raise RateLimited(f"More than {self._item} requests.", hint="Slow down.", retry_after_s=wait_s)
