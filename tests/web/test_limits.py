"""Rate limits of one process, and of several that count together."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import RateLimited
from agent.pools import Pools
from agent.telemetry.metrics import Metrics
from agent.web.limits import RateLimit
from tests.redis_server import redis_server


async def test_a_caller_is_refused_with_a_time_to_come_again_and_others_are_not() -> None:
    limit = RateLimit("2/minute", Metrics())
    for _ in range(2):
        await limit.take("caller", "ann")
    with pytest.raises(RateLimited) as refused:
        await limit.take("caller", "ann")
    assert 1 <= (refused.value.retry_after_s or 0) <= 60
    await limit.take("caller", "bob")


async def test_processes_count_together_and_each_alone_when_redis_is_away(tmp_path: Path) -> None:
    one, other = RateLimit("3/minute", Metrics()), RateLimit("3/minute", Metrics())
    with redis_server(tmp_path) as server:
        async with Pools() as pools:
            one.share(pools.redis("one", server.url))
            other.share(pools.redis("other", server.url))
            for limit in (one, other, one):
                await limit.take("caller", "ann")
            with pytest.raises(RateLimited):
                await other.take("caller", "ann")
            server.stop()
            for _ in range(3):
                await other.take("caller", "ann")
            with pytest.raises(RateLimited):
                await other.take("caller", "ann")
