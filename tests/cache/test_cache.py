"""The result cache in memory and over a real Redis."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.cache import ResultCache, cache_key
from agent.pools import Pools
from tests.redis_server import RedisServer, redis_server


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def pools() -> AsyncIterator[Pools]:
    async with Pools() as opened:
        yield opened


def counted() -> tuple[Counter[str], ResultCache]:
    seen: Counter[str] = Counter()
    return seen, ResultCache(ttl_s=60, count=lambda layer, result: seen.update([f"{layer} {result}"]))


def test_key_does_not_depend_on_the_order_of_its_parts() -> None:
    assert cache_key(a=1, b=[2]) == cache_key(b=[2], a=1)
    assert cache_key(a=1) != cache_key(a="1")


async def test_value_made_once_is_found_again() -> None:
    seen, cache = counted()
    made = 0

    async def make() -> tuple[bytes, bool]:
        nonlocal made
        made += 1
        return b"value", True

    assert [await cache.once("k", make) for _ in range(3)] == [b"value"] * 3
    assert made == 1
    assert seen["memory hit"] == 2


async def test_value_that_is_not_complete_is_not_kept() -> None:
    _, cache = counted()

    async def make() -> tuple[bytes, bool]:
        return b"partial", False

    assert await cache.once("k", make) == b"partial"
    assert await cache.get("k") is None


async def test_many_askers_at_once_make_it_once() -> None:
    _, cache = counted()
    made, go = 0, asyncio.Event()

    async def make() -> tuple[bytes, bool]:
        nonlocal made
        made += 1
        await go.wait()
        return b"v", True

    askers = [asyncio.create_task(cache.once("k", make)) for _ in range(20)]
    await asyncio.wait(askers, timeout=0.01)
    go.set()
    assert await asyncio.gather(*askers) == [b"v"] * 20
    assert made == 1


async def test_a_failed_maker_leaves_the_work_to_those_who_waited() -> None:
    _, cache = counted()
    started, go = asyncio.Event(), asyncio.Event()

    async def fail() -> tuple[bytes, bool]:
        started.set()
        await go.wait()
        raise ValueError("no")

    async def make() -> tuple[bytes, bool]:
        return b"v", True

    first = asyncio.create_task(cache.once("k", fail))
    await started.wait()
    second = asyncio.create_task(cache.once("k", make))
    go.set()
    with pytest.raises(ValueError, match="no"):
        await first
    assert await second == b"v"


async def test_memory_is_bounded_and_drops_the_oldest() -> None:
    cache = ResultCache(ttl_s=60, count=lambda _layer, _result: None, max_bytes=800)
    for number in range(20):
        await cache.put(f"k{number}", b"x" * 100)
    held = [number for number in range(20) if await cache.get(f"k{number}")]
    assert held == list(range(12, 20))


async def test_another_replica_finds_the_value_in_redis(redis: RedisServer, pools: Pools) -> None:
    seen: Counter[str] = Counter()
    one, two = (
        ResultCache(ttl_s=60, count=lambda a, b: seen.update([f"{a} {b}"]), redis=pools.redis(name, redis.url))
        for name in ("one", "two")
    )
    await one.put("k", b"v")
    assert await two.get("k") == b"v"
    assert seen["redis hit"] == 1


async def test_two_replicas_make_a_value_once(redis: RedisServer, pools: Pools) -> None:
    caches = [
        ResultCache(ttl_s=60, count=lambda _a, _b: None, redis=pools.redis(name, redis.url)) for name in ("one", "two")
    ]
    made, started, go = 0, asyncio.Event(), asyncio.Event()

    async def make() -> tuple[bytes, bool]:
        nonlocal made
        made += 1
        started.set()
        await go.wait()
        return b"v", True

    first = asyncio.create_task(caches[0].once("k", make))
    await started.wait()
    second = asyncio.create_task(caches[1].once("k", make))
    await asyncio.wait([second], timeout=0.15)
    go.set()
    assert await asyncio.gather(first, second) == [b"v", b"v"]
    assert made == 1


async def test_a_stalled_redis_costs_one_bounded_delay_and_then_nothing(redis: RedisServer, pools: Pools) -> None:
    seen: Counter[str] = Counter()
    cache = ResultCache(ttl_s=60, count=lambda a, b: seen.update([f"{a} {b}"]), redis=pools.redis("r", redis.url))
    redis.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    results = [await cache.get(f"k{number}") for number in range(50)]
    took = time.monotonic() - started
    redis.send_signal(signal.SIGCONT)
    assert results == [None] * 50
    assert seen["redis error"] == 1
    assert cache.degraded
    assert took < 5  # 50 waits would be far above; one is a quarter of a second


async def test_a_dead_redis_is_a_miss_never_an_error(redis: RedisServer, pools: Pools) -> None:
    cache = ResultCache(ttl_s=60, count=lambda _a, _b: None, redis=pools.redis("r", redis.url))
    redis.stop()

    async def make() -> tuple[bytes, bool]:
        return b"v", True

    assert await cache.once("k", make) == b"v"
    assert await cache.get("k") == b"v"
