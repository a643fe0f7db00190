"""What only the shared store promises: several processes at once, lost answers, a server that goes and comes back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from agent.errors import AgentError
from agent.task import AttemptStarted, State, apply, now
from agent.tasks.redis import commits, wire
from agent.tasks.redis.scripts import COMMIT
from agent.tasks.store import Claim, Commit, Entry, Erase, PushConfig, Stale, Store, StoreUnavailable, UploadRow
from tests.redis_server import RedisServer, redis_server
from tests.tasks.stores import Place
from tests.tasks.test_store import HOUR, artifact, committed, ended, made, stepped


@pytest.fixture
def place(redis: RedisServer, tmp_path: Path) -> Place:
    redis.empty()
    return Place(tmp_path, redis.url)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with place.opened() as store:
        yield store


@pytest.fixture
async def raw(redis: RedisServer) -> AsyncIterator[Any]:
    async with Redis.from_url(redis.url) as client:
        yield client


async def test_a_commit_that_is_sent_again_is_made_once(store: Store, raw: Any) -> None:
    """Also when others went on meanwhile; and equal commits of two processes are two commits."""
    task = made()
    claim = Claim("k", b"d", now() + HOUR)
    creation = wire.write_commit(Commit(task, claim=claim), 60_000)[0]
    assert await COMMIT(raw, *creation) == [b"ok"]
    event = AttemptStarted(now())
    started = Commit(after := apply(task, event), event, task)
    first, second = (wire.write_commit(started, 60_000)[0] for _ in range(2))
    assert await COMMIT(raw, *first) == [b"ok"]
    assert await COMMIT(raw, *second) == [b"stale"]
    await stepped(store, after, artifact("a"))
    for sent_again in (creation, first):
        assert await COMMIT(raw, *sent_again) == [b"ok"]
    assert len(await store.journal(task.id, 0)) == 2


async def test_every_key_has_its_time_and_nothing_is_left_after_an_erasure(store: Store, raw: Any) -> None:
    task = made()
    await store.put_upload(UploadRow("a" * 64, "ann", 5, None, now(), now() + HOUR))
    push = PushConfig("hook", task.id, "ann", "https://a.example")
    claim = Claim("k", b"d", now() + HOUR)
    await committed(store, Commit(task, claim=claim, push=push, documents=("upload/" + "a" * 64, "a.pdf")))
    await stepped(store, task, AttemptStarted(now()), artifact("a", 50_000), ended(State.FAILED), dead=True)
    assert await store.hold("sweep", 5)
    found = await raw.keys("*")
    assert len(found) > 15
    assert [key for key in found if await raw.pttl(key) <= 0] == []
    await store.erase(Erase(task_id=task.id))
    assert set(await raw.keys("*")) == {b"extraction:erasures", b"extraction:lease:sweep"}


async def test_a_large_artifact_is_kept_once(store: Store, raw: Any) -> None:
    task = await stepped(store, await committed(store, Commit(made())), artifact("a", 100_000))
    (blob,) = await raw.keys("extraction:blob:*")
    assert await raw.strlen(blob) < 10_000
    assert await raw.memory_usage(f"extraction:task:{task.id}") < 5000
    assert await raw.memory_usage(f"extraction:journal:{task.id}") < 5000


async def test_a_reader_elsewhere_sees_every_event_once_in_order_and_the_erasure(place: Place) -> None:
    async with place.opened() as here, place.opened() as there:
        task = await stepped(here, await committed(here, Commit(made())), AttemptStarted(now()))
        seen: list[Entry] = []
        async with there.follow(task.id, 1) as entries, asyncio.timeout(10):
            for number in range(20):
                task = await stepped(here, task, artifact(f"a{number}"))
            async for entry in entries:
                seen.append(entry)
                if entry.sequence == 21:
                    await here.erase(Erase(task_id=task.id))
        assert [entry.sequence for entry in seen] == list(range(2, 22))


async def test_of_two_processes_one_has_the_lease_until_it_ends(place: Place) -> None:
    async with place.opened() as here, place.opened() as there:
        assert await here.hold("sweep", 0.2)
        assert await here.hold("sweep", 0.2)
        assert not await there.hold("sweep", 0.2)
        assert await there.hold("other", 0.2)
        async with asyncio.timeout(5):
            while not await there.hold("sweep", 0.2):  # noqa: ASYNC110  # the lease ends by its time
                await asyncio.sleep(0.02)
        assert not await here.hold("sweep", 0.2)


async def test_an_erasure_elsewhere_is_noticed(place: Place) -> None:
    async with place.opened() as here, place.opened() as there:
        task = await committed(here, Commit(made()))
        assert not await there.changed_outside()
        assert not await there.changed_outside()
        await here.erase(Erase(task_id=task.id))
        assert await there.changed_outside()
        assert not await there.changed_outside()


async def test_a_restarted_server_loses_no_commit_and_readers_go_on(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--appendonly", "yes") as server:
        async with Place(tmp_path, server.url).opened() as store:
            task = await stepped(store, await committed(store, Commit(made())), AttemptStarted(now()))
            async with store.follow(task.id, 1) as entries, asyncio.timeout(20):
                await asyncio.to_thread(server.stop)
                late = asyncio.create_task(stepped(store, task, artifact("a"), ended()))
                with pytest.raises(StoreUnavailable):
                    await store.load(task.id)
                await asyncio.to_thread(server.start)
                task = await late
                assert [(await anext(entries)).sequence for _ in range(2)] == [2, 3]  # type: ignore[call-overload]
            assert await store.load(task.id) == task


async def test_a_server_that_stays_away_is_reported_in_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "COMMIT_S", 0.3)
    with redis_server(tmp_path) as server:
        async with Place(tmp_path, server.url).opened() as store:
            task = await committed(store, Commit(made()))
            server.send_signal(signal.SIGSTOP)
            try:
                with pytest.raises(StoreUnavailable):
                    await stepped(store, task, AttemptStarted(now()))
            finally:
                server.send_signal(signal.SIGCONT)


async def test_a_full_server_refuses_a_commit_whole(redis: RedisServer, store: Store, raw: Any) -> None:
    task = await committed(store, Commit(made()))
    await raw.config_set("maxmemory", 1)
    try:
        with pytest.raises(AgentError) as refused:
            await stepped(store, task, AttemptStarted(now()))
        assert refused.value.code == "overloaded"
    finally:
        await raw.config_set("maxmemory", 0)
    assert await store.load(task.id) == task
    await stepped(store, task, AttemptStarted(now()))
    with pytest.raises(Stale):
        await stepped(store, task, AttemptStarted(now()))
