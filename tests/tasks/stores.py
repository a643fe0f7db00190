"""The two task stores, opened the same way for the tests that hold for both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.pools import Pools
from agent.tasks.redis.store import RedisStore
from agent.tasks.sqlite import SqliteStore
from agent.tasks.store import Store


@dataclass(frozen=True)
class Place:
    """Where a store keeps its tasks: a directory, or a Redis."""

    directory: Path
    url: str | None = None

    @asynccontextmanager
    async def opened(self, *, ttl_s: float = 3600) -> AsyncIterator[Store]:
        if self.url is None:
            async with SqliteStore(self.directory / "tasks.db") as store:
                yield store
            return
        async with Pools() as pools:
            clients = pools.redis("store", self.url), pools.redis("follow", self.url, blocking=True)
            async with RedisStore(*clients, task_ttl_s=ttl_s) as shared:
                yield shared
