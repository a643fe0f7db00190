"""What processes share about the models over Redis: the lines of the limiter, and the day's spending of each caller.

Without an answer from Redis a process goes on with its own count, so that its absence never stops a task; it looks
again after a while.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from agent.model.limiter import OwnPlaces, Places
from agent.model.spending import Daily

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

T = TypeVar("T")

_PREFIX = "extraction:model:"
_WAIT_S = 0.5
_PAUSE_S = 10.0
_DAY_S = 2 * 86_400  # a day's count outlives the day everywhere on earth

# The generic cell rate algorithm in Redis' own time. ARGV: cost, burst (seconds). Answers the seconds until the turn.
_TAKE = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local free, held = redis.call('HGET', KEYS[1], 'free'), redis.call('HGET', KEYS[1], 'held')
free, held = tonumber(free or '0'), tonumber(held or '0')
free = math.max(free, now, held) + tonumber(ARGV[1])
redis.call('HSET', KEYS[1], 'free', string.format('%.6f', free))
redis.call('PEXPIRE', KEYS[1], math.ceil((math.max(free, held) - now) * 1000) + 60000)
return string.format('%.6f', math.max(0, free - tonumber(ARGV[2]) - now, held - now))
"""
_HOLD = """
local t = redis.call('TIME')
local until_s = tonumber(t[1]) + tonumber(t[2]) / 1000000 + tonumber(ARGV[1])
local held = tonumber(redis.call('HGET', KEYS[1], 'held') or '0')
redis.call('HSET', KEYS[1], 'held', string.format('%.6f', math.max(held, until_s)))
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[1]) * 1000) + 60000)
"""
# ARGV: tokens, limit (-1 for none), seconds to live. Answers 0 when they would be too many.
_SPEND = """
local spent = tonumber(redis.call('GET', KEYS[1]) or '0') + tonumber(ARGV[1])
if tonumber(ARGV[2]) >= 0 and spent > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', math.max(0, spent)), 'EX', ARGV[3])
return 1
"""


class _Shared:
    """A Redis that is asked for so long, and left alone for a while when it did not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._again_at = 0.0

    async def or_else(self, script: str, key: str, own: Callable[[], Awaitable[T]], *values: float) -> Any | T:
        if time.monotonic() < self._again_at:
            return await own()
        from redis.exceptions import RedisError

        try:
            async with asyncio.timeout(_WAIT_S):
                return await self._redis.eval(script, 1, _PREFIX + key, *values)
        except (RedisError, OSError, TimeoutError) as fault:
            self._again_at = time.monotonic() + _PAUSE_S
            log.warning("model.alone", extra={"cause": repr(fault), "pause_s": _PAUSE_S})
            return await own()


class SharedPlaces:
    """The limiter's lines, in which the calls of all processes stand."""

    def __init__(self, redis: Redis, own: Places | None = None) -> None:
        self._shared = _Shared(redis)
        self._own = own or OwnPlaces()

    async def take(self, line: str, cost_s: float, burst_s: float) -> float:
        own = self._own.take
        return float(
            await self._shared.or_else(_TAKE, f"line:{line}", lambda: own(line, cost_s, burst_s), cost_s, burst_s)
        )

    async def hold(self, line: str, until_s: float) -> None:
        await self._shared.or_else(_HOLD, f"line:{line}", lambda: self._own.hold(line, until_s), until_s)


class SharedDaily:
    """What a caller spends a day in all processes."""

    def __init__(self, redis: Redis, own: Daily) -> None:
        self.limit = own.limit
        self._shared = _Shared(redis)
        self._own = own

    async def take(self, caller: str, tokens: int) -> bool:
        own = self._own.take
        key, values = _day(caller), (tokens, self.limit, _DAY_S)
        return bool(await self._shared.or_else(_SPEND, key, lambda: own(caller, tokens), *values))

    async def settle(self, caller: str, taken: int, used: int) -> None:
        own = self._own.settle
        values = (used - taken, -1, _DAY_S)
        await self._shared.or_else(_SPEND, _day(caller), lambda: own(caller, taken, used), *values)


def _day(caller: str) -> str:
    return f"spent:{datetime.now(UTC).date().isoformat()}:{caller}"
