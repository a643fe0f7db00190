"""Connections as sockets: too many from one address, heads that never end, readers that take nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from agent.telemetry.metrics import Metrics
from agent.web.connection import Census, Runner

SOON_S = 20.0  # what has not happened by then does not happen
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Served:
    port: int
    census: Census
    lost: asyncio.Event = field(default_factory=asyncio.Event)  # the flood met a reader who was gone
    opened: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(writer)
        return reader, writer

    async def close(self) -> None:
        for writer in self.opened:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


Serve = Callable[[Census], Awaitable[Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with contextlib.AsyncExitStack() as opened:

        async def begin(census: Census) -> Served:
            async def hello(request: web.Request) -> web.Response:
                return web.Response(text="hello")

            async def flood(request: web.Request) -> web.StreamResponse:
                response = web.StreamResponse()
                await response.prepare(request)
                try:
                    while True:
                        await response.write(b"x" * 2**20)
                except ConnectionError:
                    served.lost.set()
                    return response

            app = web.Application()
            app.router.add_get("/", hello)
            app.router.add_get("/flood", flood)
            runner = Runner(app, census)
            await runner.setup()
            opened.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            served = Served(runner.addresses[0][1], census)
            opened.push_async_callback(served.close)
            return served

        yield begin


async def answer_to(served: Served, sent: bytes = REQUEST) -> tuple[bytes, asyncio.StreamWriter]:
    """The status line; the connection stays open."""
    reader, writer = await served.connect()
    writer.write(sent)
    return await asyncio.wait_for(reader.readline(), SOON_S), writer


async def test_an_address_holds_so_many_connections_and_no_more(serve: Serve) -> None:
    metrics = Metrics()
    served = await serve(Census(metrics, most=2))
    first, _ = await answer_to(served)
    second, held = await answer_to(served)
    assert first == second == b"HTTP/1.1 200 OK\r\n"
    reader, _ = await served.connect()
    refused = await asyncio.wait_for(reader.read(), SOON_S)
    assert refused.startswith(b"HTTP/1.1 429 ")
    assert json.loads(refused.partition(b"\r\n\r\n")[2])["code"] == "rate_limited"
    assert metrics.registry.get_sample_value("rate_limited_total", {"scope": "connections"}) == 1
    held.close()
    await held.wait_closed()
    for _ in range(100):  # the server hears of it in its own time
        again, _ = await answer_to(served)
        if b"200" in again:
            break
    assert again == b"HTTP/1.1 200 OK\r\n"


async def test_who_left_is_forgotten(serve: Serve) -> None:
    served = await serve(Census(Metrics(), most=2))
    for _ in range(5):
        reader, writer = await served.connect()
        writer.write(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert b" 200 " in await asyncio.wait_for(reader.read(), SOON_S)  # read to its end: the server has closed
    assert sum(served.census.held.values()) <= 1  # of the last one it may not have heard yet


async def test_a_proxy_stands_for_many(serve: Serve) -> None:
    served = await serve(Census(Metrics(), most=1, exempt=lambda address: address == "127.0.0.1"))
    lines = [(await answer_to(served))[0] for _ in range(4)]
    assert lines == [b"HTTP/1.1 200 OK\r\n"] * 4


@pytest.mark.parametrize("begun", [b"", b"GET", REQUEST[:-2]])
async def test_a_head_that_does_not_end_is_not_waited_for(serve: Serve, begun: bytes) -> None:
    served = await serve(Census(Metrics(), head_s=0.2))
    reader, writer = await served.connect()
    writer.write(begun)
    assert await asyncio.wait_for(reader.read(), SOON_S) == b""  # ends when the server closes


async def test_the_head_of_a_later_request_is_not_waited_for_either(serve: Serve) -> None:
    served = await serve(Census(Metrics(), head_s=0.2))
    reader, writer = await served.connect()
    writer.write(REQUEST)
    assert (await asyncio.wait_for(reader.readuntil(b"hello"), SOON_S)).startswith(b"HTTP/1.1 200")
    writer.write(REQUEST[:20])
    assert await asyncio.wait_for(reader.read(), SOON_S) == b""


async def test_a_head_that_comes_byte_by_byte_wins_no_time(serve: Serve) -> None:
    served = await serve(Census(Metrics(), head_s=0.3))
    reader, writer = await served.connect()
    closed = asyncio.ensure_future(reader.read())
    sent = 0
    with contextlib.suppress(ConnectionError):
        while not closed.done():
            writer.write(b"GET / HTTP/1.1\r\nX-Slow: "[sent : sent + 1] or b"x")
            sent += 1
            await asyncio.wait({closed}, timeout=0.02)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(closed, SOON_S) == b""


async def test_many_requests_on_one_connection_have_their_time_each(serve: Serve) -> None:
    served = await serve(Census(Metrics(), head_s=0.2))
    reader, writer = await served.connect()
    for _ in range(5):
        writer.write(REQUEST[:20])
        await asyncio.wait({asyncio.ensure_future(writer.drain())}, timeout=0.1)
        writer.write(REQUEST[20:])
        head = await asyncio.wait_for(reader.readuntil(b"hello"), SOON_S)
        assert head.startswith(b"HTTP/1.1 200")


async def test_a_reader_who_takes_nothing_loses_its_connection(serve: Serve) -> None:
    served = await serve(Census(Metrics(), stall_s=0.2))
    with socket.create_connection(("127.0.0.1", served.port)) as stalled:
        stalled.sendall(b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
        line, _ = await answer_to(served)
        assert line == b"HTTP/1.1 200 OK\r\n"  # nobody else waits for it
        await asyncio.wait_for(served.lost.wait(), SOON_S)
