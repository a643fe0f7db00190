"""What processes share about the models, on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.model.shared import SharedDaily, SharedPlaces
from agent.model.spending import OwnDaily
from agent.pools import Pools
from tests.redis_server import RedisServer, redis_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def clients(server: RedisServer) -> AsyncIterator[tuple[Any, Any]]:
    async with Pools() as pools:
        yield pools.redis("one", server.url), pools.redis("other", server.url)


async def test_calls_of_two_processes_stand_in_one_line(clients: tuple[Any, Any]) -> None:
    places = [SharedPlaces(client) for client in clients]
    waits = [await places[number % 2].take("m:requests", 10.0, 20.0) for number in range(5)]
    assert waits[:2] == [0.0, 0.0]
    assert waits[2:] == pytest.approx([10.0, 20.0, 30.0], abs=2.0)
    assert await places[0].take("n:requests", 10.0, 20.0) == 0.0


async def test_a_pause_asked_for_by_the_model_holds_everywhere(clients: tuple[Any, Any]) -> None:
    places = [SharedPlaces(client) for client in clients]
    await places[0].hold("m:requests", 30.0)
    assert await places[1].take("m:requests", 0.1, 2.0) == pytest.approx(30.0, abs=2.0)


async def test_a_caller_spends_one_daily_budget_in_all_processes(clients: tuple[Any, Any]) -> None:
    dailies = [SharedDaily(client, OwnDaily(1000)) for client in clients]
    taken = await asyncio.gather(*(dailies[number % 2].take("ann", 300) for number in range(6)))
    assert sum(taken) == 3
    assert await dailies[0].take("bob", 1000)
    await dailies[1].settle("ann", 900, 100)
    assert await dailies[0].take("ann", 900)
    assert not await dailies[1].take("ann", 1)
    for client in clients:
        for key in await client.keys("extraction:model:*"):
            assert await client.pttl(key) > 0


async def test_without_redis_each_process_counts_alone_and_no_call_fails(
    server: RedisServer, clients: tuple[Any, Any]
) -> None:
    places, daily = SharedPlaces(clients[0]), SharedDaily(clients[0], OwnDaily(1000))
    server.stop()
    waits = [await places.take("m", 10.0, 10.0) for _ in range(2)]
    assert waits == pytest.approx([0.0, 10.0], abs=2.0)
    assert [await daily.take("ann", 600) for _ in range(2)] == [True, False]
