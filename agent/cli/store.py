"""The task store of this configuration, for commands that look into it beside a running service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.config import Config
from agent.pools import Pools
from agent.tasks.store import Store


@asynccontextmanager
async def opened_store(config: Config) -> AsyncIterator[Store | None]:
    """None where there is none yet."""
    url = config.shared_store_url
    database = config.data_dir / "tasks.db"
    if url is not None:
        from agent.tasks.redis.store import RedisStore

        async with Pools() as pools:
            clients = pools.redis("tasks", url), pools.redis("task-events", url, blocking=True)
            async with RedisStore(*clients, task_ttl_s=config.task_ttl_s) as shared:
                yield shared
    elif database.exists():
        from agent.tasks.sqlite import SqliteStore

        async with SqliteStore(database) as own:
            yield own
    else:
        yield None
