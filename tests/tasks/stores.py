"""The two task stores, and an engine on each, opened the same way for the tests that hold for both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agent.pools import Pools
from agent.tasks.engine import TaskEngine
from agent.tasks.redis.store import RedisStore
from agent.tasks.run import Work
from agent.tasks.shared import SharedQueue
from agent.tasks.sqlite import SqliteStore
from agent.tasks.store import Store
from agent.tasks.uploads import Uploads


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

    @asynccontextmanager
    async def engine(
        self, work: Work, *, takes: bool = True, lease_s: float = 1.0, max_concurrent: int = 64, **options: Any
    ) -> AsyncIterator[TaskEngine]:
        """A process of the service; with `takes` it runs shared tasks too."""
        if self.url is not None:
            options["shared"] = partial(
                SharedQueue,
                url=self.url,
                takes=takes,
                max_concurrent=max_concurrent,
                queue_limit=options.get("queue_limit", 1000),
                lease_s=lease_s,
                metrics=None,
            )
        async with self.opened() as store:
            uploads = Uploads(self.directory / "uploads", store, ttl_s=3600, max_bytes=2**20)
            async with TaskEngine(store, uploads, work, max_concurrent=max_concurrent, **options) as engine:
                yield engine
