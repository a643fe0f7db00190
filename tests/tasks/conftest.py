from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.caller import Caller
from agent.task import Message, Part, State, new_id
from agent.tasks.engine import TaskEngine
from agent.tasks.run import Outcome, Run
from tests.redis_server import RedisServer, redis_server
from tests.tasks.stores import Place

ANN = Caller("ann")
BOB = Caller("bob")


class Scripted:
    """Work that does what a test says."""

    def __init__(self, script: Callable[[Run], Awaitable[Outcome]]) -> None:
        self._script = script

    async def __call__(self, run: Run) -> Outcome:
        return await self._script(run)

    def reply(self, message: Message) -> Message | None:
        return None


class Endless:
    """Work that goes on until it is stopped."""

    def __init__(self) -> None:
        self.started, self.stopped = asyncio.Event(), asyncio.Event()

    async def __call__(self, run: Run) -> Outcome:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()
        raise AssertionError


async def complete(run: Run) -> Outcome:
    return Outcome(State.COMPLETED, run.message(Part(text="done")))


def said(text: str = "hello", **more: Any) -> Message:
    return Message(new_id(), "user", (Part(text=text),), **more)


@asynccontextmanager
async def opened(
    where: Path | Place, script: Callable[[Run], Awaitable[Outcome]] = complete, **options: Any
) -> AsyncIterator[TaskEngine]:
    place = where if isinstance(where, Place) else Place(where)
    async with place.engine(Scripted(script), **options) as engine:
        yield engine


@pytest.fixture
async def engine(place: Place) -> AsyncIterator[TaskEngine]:
    async with opened(place) as engine:
        yield engine


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty task store of either kind."""
    if request.param == "sqlite":
        return Place(tmp_path)
    server: RedisServer = request.getfixturevalue("redis")
    server.empty()
    return Place(tmp_path, server.url)
