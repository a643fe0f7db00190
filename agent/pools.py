"""The connection-pool manager: every outgoing connection of the process belongs to a pool here.

One owner, explicit limits, bounded waiting, a report for health and metrics, and one ordered close:
what was opened last is closed first. A pool is opened when it is first asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

import aiohttp

if TYPE_CHECKING:
    from prometheus_client import Gauge
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

HTTP_LIMIT = 100
HTTP_LIMIT_PER_HOST = 32
HTTP_KEEPALIVE_S = 30.0
REDIS_LIMIT = 32
REDIS_TIMEOUT_S = 1.0
REDIS_BLOCKING_TIMEOUT_S = 15.0  # above the longest BLOCK of a stream read


@dataclass(frozen=True, slots=True)
class PoolReport:
    """One pool at this moment."""

    name: str
    limit: int
    in_use: int
    idle: int


class Pools:
    """Opens pools by name, hands the same one to all who ask, and closes them in reverse order."""

    def __init__(self) -> None:
        self._http: dict[str, aiohttp.ClientSession] = {}
        self._redis: dict[str, Redis] = {}
        self._closers: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, close in reversed(self._closers):
            try:
                await asyncio.wait_for(close(), 5)
            except Exception as exc:  # noqa: BLE001  # one pool that will not close must not keep the others open
                log.warning("pool.close_failed", extra={"pool": name, "cause": repr(exc)})
        self._closers.clear()
        self._http.clear()
        self._redis.clear()

    def http(self, name: str, *, connector: aiohttp.BaseConnector | None = None) -> aiohttp.ClientSession:
        """The session of this name (`gemini`, `push`, `oidc`). It sets no total time: each call brings its own."""
        if name not in self._http:
            session = aiohttp.ClientSession(
                connector=connector
                or aiohttp.TCPConnector(
                    limit=HTTP_LIMIT, limit_per_host=HTTP_LIMIT_PER_HOST, keepalive_timeout=HTTP_KEEPALIVE_S
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
                auto_decompress=True,
                trust_env=False,
            )
            self._http[name] = session
            self._closers.append((name, session.close))
        return self._http[name]

    def redis(self, name: str, url: str, *, blocking: bool = False) -> Redis:
        """The client of this name. `blocking` is for stream reads that wait: a client of its own, with long times."""
        if name not in self._redis:
            client = open_redis(url, timeout_s=REDIS_BLOCKING_TIMEOUT_S if blocking else REDIS_TIMEOUT_S)
            self._redis[name] = client
            self._closers.append((name, client.aclose))
            self._closers.append((name, client.connection_pool.disconnect))
        return self._redis[name]

    def report(self) -> list[PoolReport]:
        found = []
        for name, session in self._http.items():
            connector = session.connector
            if connector is not None:
                busy, idle = len(connector._acquired), sum(map(len, connector._conns.values()))  # noqa: SLF001  # no public count
                found.append(PoolReport(name, connector.limit, busy, idle))
        for name, client in self._redis.items():
            pool: Any = client.connection_pool
            busy = len(getattr(pool, "_in_use_connections", ()))
            idle = len(getattr(pool, "_available_connections", ()))
            found.append(PoolReport(name, pool.max_connections, busy, idle))
        return found

    def tell(self, gauge: Gauge) -> None:
        """Sets `pool_connections{pool,state}`."""
        for pool in self.report():
            gauge.labels(pool.name, "in_use").set(pool.in_use)
            gauge.labels(pool.name, "idle").set(pool.idle)


def open_redis(url: str, *, timeout_s: float = REDIS_TIMEOUT_S, limit: int = REDIS_LIMIT) -> Redis:
    """A client for `redis://`, `rediss://`, `unix://` or `redis+sentinel://[user:pass@]host:port[,host:port]/name[/db]`.

    It waits at most `timeout_s` for a free connection, a connect and an answer, and retries once: the library's own
    defaults take 4.5 to 25 seconds to fail.
    """
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import ExponentialWithJitterBackoff
    from redis.maint_notifications import MaintNotificationsConfig

    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": REDIS_TIMEOUT_S,
        "health_check_interval": 30,
        "retry": Retry(ExponentialWithJitterBackoff(cap=0.2, base=0.02), retries=1),
        "client_name": "extraction-agent",
        # With these notices on, the pool hands out connections that the server has closed.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if "+sentinel://" in url:
        return _sentinel(url, options, limit)
    pool = BlockingConnectionPool.from_url(url, max_connections=limit, timeout=REDIS_TIMEOUT_S, **options)
    return Redis(connection_pool=pool)


def _sentinel(url: str, options: dict[str, Any], limit: int) -> Redis:
    from redis.asyncio.sentinel import Sentinel

    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    name, _, db = parts.path.strip("/").partition("/")
    servers = []
    for host in hosts.split(","):
        address, _, port = host.rpartition(":") if ":" in host else (host, "", "26379")
        servers.append((address, int(port)))
    options |= {
        "ssl": parts.scheme.startswith("rediss"),
        "db": int(db or 0),
        "username": unquote(username) or None,
        "password": unquote(password) or None,
    }
    guard = Sentinel(  # type: ignore[no-untyped-call]  # the library leaves it untyped
        servers, sentinel_kwargs={"socket_timeout": REDIS_TIMEOUT_S}, max_connections=limit, **options
    )
    master: Redis = guard.master_for(name or "mymaster")
    return master
