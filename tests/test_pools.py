"""Connection pools: one per name, explicit limits, closed in reverse order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.pools import Pools, open_redis
from tests.redis_server import RedisServer, redis_server


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


async def test_a_name_always_gives_the_same_session_and_it_is_closed_with_the_pools() -> None:
    async with Pools() as pools:
        session = pools.http("push")
        assert pools.http("push") is session
        assert pools.http("fetch") is not session
    assert session.closed


async def test_report_tells_idle_and_busy_connections(redis: RedisServer) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    async with TestServer(app) as server, Pools() as pools:
        async with pools.http("push").get(server.make_url("/")) as answer:
            await answer.text()
        await pools.redis("cache", redis.url).set("a", "1")
        report = {row.name: row for row in pools.report()}
    assert (report["push"].in_use, report["push"].idle) == (0, 1)
    assert report["cache"].limit == 32
    assert report["cache"].in_use == 0


async def test_a_stream_read_may_wait_longer_than_an_ordinary_command(redis: RedisServer) -> None:
    async with Pools() as pools:
        reader = pools.redis("stream", redis.url, blocking=True)
        assert not await reader.xread({"nothing": "$"}, block=1500)


@pytest.mark.parametrize(
    ("url", "hosts", "name", "db"),
    [
        ("redis+sentinel://h1:1,h2:2/prime/3", [("h1", 1), ("h2", 2)], "prime", 3),
        ("rediss+sentinel://u:p%40ss@h1/m", [("h1", 26379)], "m", 0),
    ],
)
async def test_sentinel_url_names_every_sentinel_and_the_master(
    url: str, hosts: list[tuple[str, int]], name: str, db: int
) -> None:
    client = open_redis(url)
    pool = client.connection_pool
    sentinels = [s.connection_pool.connection_kwargs for s in pool.sentinel_manager.sentinels]
    assert [(s["host"], s["port"]) for s in sentinels] == hosts
    assert pool.service_name == name
    assert pool.connection_kwargs["db"] == db
    if url.startswith("rediss"):
        assert pool.connection_kwargs["password"] == "p@ss"
    await client.aclose()
