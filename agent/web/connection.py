"""Client connections as sockets: how many an address may hold, how long a head may take, how long a reader may stall.

aiohttp limits none of these. A body has its time in `body`; an idle connection, and a head that began behind another
request's in the same packet, in the runner's `keepalive_timeout`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from agent.errors import RateLimited
from agent.telemetry.metrics import Metrics
from agent.web.answers import dump

log = logging.getLogger(__name__)

HEAD_S = 20.0  # from its first byte, or from the connection's start, a request's head has come by then
STALL_S = 30.0  # a reader who has taken nothing for so long of what waits for it has gone


@dataclass(slots=True)
class Census:
    """Who holds how many connections. `most` None: any number; `exempt`: addresses that stand for many (a proxy)."""

    metrics: Metrics
    most: int | None = None
    exempt: Callable[[str], bool] = lambda _: False
    head_s: float = HEAD_S
    stall_s: float = STALL_S
    held: Counter[str] = field(default_factory=Counter)

    def enter(self, address: str) -> bool:
        if self.most is not None and self.held[address] >= self.most and not self.exempt(address):
            self.metrics.rate_limited_total.labels("connections").inc()
            return False
        self.held[address] += 1
        return True

    def leave(self, address: str) -> None:
        self.held[address] -= 1
        if not self.held[address]:
            del self.held[address]


CENSUS = web.AppKey("census", Census)


class Runner(web.AppRunner):
    """Serves an application through guarded connections."""

    __slots__ = ("_census",)

    def __init__(self, app: web.Application, census: Census, **options: Any) -> None:
        super().__init__(app, access_log=None, **options)
        self._census = census

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made, self._census, self._kwargs)


class _Server(web.Server):
    def __init__(self, made: web.Server, census: Census, options: dict[str, Any]) -> None:
        super().__init__(made.request_handler, request_factory=made.request_factory, **options)
        self._census = census

    def __call__(self) -> web.RequestHandler:
        return Connection(self, self._census, self._loop, **self._kwargs)


class Connection(web.RequestHandler):
    """One client's connection. Costs a request two comparisons; timers run only for what is slow."""

    __slots__ = ("_address", "_census", "_head_timer", "_stall_timer", "_unsent")

    def __init__(self, server: web.Server, census: Census, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(server, loop=loop, **options)
        self._census = census
        self._address: str | None = None  # None: not admitted
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._census.enter(address):
            out = cast("asyncio.Transport", transport)
            out.write(_REFUSED)
            out.close()
            return
        self._address = address
        super().connection_made(transport)
        self._head_timer = self._loop.call_later(self._census.head_s, self._head_late)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._address is None:
            return
        self._census.leave(self._address)
        for timer in (self._head_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._address is None:
            return
        known = self._request_count
        super().data_received(data)
        if self._request_count != known:  # a head is complete
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
        elif self._head_timer is None and data and self._waits():
            self._head_timer = self._loop.call_later(self._census.head_s, self._head_late)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _waits(self) -> bool:
        """Whether the next request is waited for: bytes that come are its head's."""
        return self._waiter is not None and not self._waiter.done()

    def _head_late(self) -> None:
        self._head_timer = None
        if self._waits():
            log.info("connection.head_late", extra={"address": self._address})
            self.force_close()

    def _watch(self) -> None:
        if self.transport is None:
            return
        self._unsent = self.transport.get_write_buffer_size()
        self._stall_timer = self._loop.call_later(self._census.stall_s, self._look)

    def _look(self) -> None:
        """Whoever takes something, however little, goes on; who takes nothing loses the connection."""
        self._stall_timer = None
        if self.transport is None:
            return
        if self.transport.get_write_buffer_size() < self._unsent:
            self._watch()
            return
        log.info("connection.stalled", extra={"address": self._address, "unsent": self._unsent})
        self.transport.abort()


def _refusal() -> bytes:
    body = dump(RateLimited("This address holds too many connections.", hint="Use fewer.").body())
    head = (
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


_REFUSED = _refusal()
