"""Several processes of the service on one Redis: any of them serves any task, and the death of one loses none."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from agent.errors import TaskNotFound
from agent.task import Artifact, Part, State, Task
from agent.tasks import recovery, shared
from agent.tasks.engine import TaskEngine
from agent.tasks.run import Outcome, Run
from agent.tasks.store import Erase, ListQuery
from tests.redis_server import RedisServer, redis_server
from tests.tasks.conftest import ANN, Endless, complete, opened, said
from tests.tasks.stores import Place

MOMENT_S = 20.0  # more than enough on a busy machine


@pytest.fixture
def place(redis: RedisServer, tmp_path: Path) -> Place:
    redis.empty()
    return Place(tmp_path, redis.url)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done every few seconds is done at once."""
    monkeypatch.setattr(shared, "_LOOK_S", 0.05)
    monkeypatch.setattr(shared, "_RECONCILE_S", 0.2)
    monkeypatch.setattr(shared, "_OVERDUE", timedelta(seconds=1))


async def sent(engine: TaskEngine, text: str = "hello", **more: Any) -> Task:
    task = await engine.send(ANN, said(text, **more))
    assert isinstance(task, Task)
    return task


async def ended(engine: TaskEngine, task_id: str) -> Task:
    return await engine.wait(ANN, task_id, MOMENT_S)


async def pages(run: Run) -> Outcome:
    """Three artifacts, then an end; those of an earlier attempt are kept."""
    for number in range(len(run.task.artifacts), 3):
        await run.artifact(Artifact(f"a{number}", (Part(text=f"{run.task.attempt}"),)))
    return await complete(run)


async def test_any_process_serves_a_task_that_another_one_runs(place: Place) -> None:
    started = asyncio.Event()

    async def script(run: Run) -> Outcome:
        if len(run.task.history) == 1:
            return Outcome(State.INPUT_REQUIRED, run.message(Part(text="which?")))
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with opened(place, takes=False) as front, opened(place, takes=False) as other, opened(place, script):
        task = await sent(front)
        assert (await ended(other, task.id)).state is State.INPUT_REQUIRED
        async with other.subscribe(ANN, task.id) as updates:
            await sent(front, "that one", task_id=task.id)
            await asyncio.wait_for(started.wait(), MOMENT_S)
            assert (await other.list(ANN, ListQuery(state=State.WORKING))).total == 1
            assert (await front.cancel(ANN, task.id)).state is State.CANCELED
            async with asyncio.timeout(MOMENT_S):
                seen = [update.sequence async for update in updates]
        assert seen == [2, 3, 4, 5]
        assert (await other.get(ANN, task.id)).state is State.CANCELED


async def test_cancel_reaches_the_work_in_another_process(place: Place) -> None:
    work = Endless()
    async with opened(place, takes=False) as front, opened(place, work):
        task = await sent(front)
        await asyncio.wait_for(work.started.wait(), MOMENT_S)
        await front.cancel(ANN, task.id)
        await asyncio.wait_for(work.stopped.wait(), MOMENT_S)


async def test_a_reader_continues_elsewhere_without_loss_or_repetition(place: Place) -> None:
    go_on = asyncio.Event()

    async def script(run: Run) -> Outcome:
        await run.artifact(Artifact("a0", (Part(text="x"),)))
        await go_on.wait()
        return await pages(run)

    async with opened(place, takes=False) as front, opened(place, takes=False) as other, opened(place, script):
        async with front.stream(ANN, said()) as updates, asyncio.timeout(MOMENT_S):
            first = [await anext(updates) for _ in range(3)]  # type: ignore[arg-type]  # this work gives no direct answer
        async with other.subscribe(ANN, first[0].task.id, after=first[-1].sequence) as rest, asyncio.timeout(MOMENT_S):
            go_on.set()
            seen = [update.sequence async for update in rest]
    assert [update.sequence for update in first] == [0, 1, 2]
    assert seen == [3, 4, 5, 6]


async def test_a_task_of_a_killed_process_is_taken_up_where_it_was(place: Place) -> None:
    victim = await worker(place, "stuck")
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(opened(place, takes=False))
        task = await sent(front)
        await asyncio.wait_for(victim.stdout.readline(), MOMENT_S)  # its first artifact is committed
        await stack.enter_async_context(opened(place, pages))
        victim.kill()
        await victim.wait()
        killed_at = asyncio.get_running_loop().time()
        task = await ended(front, task.id)
        assert asyncio.get_running_loop().time() - killed_at < MOMENT_S
    assert task.state is State.COMPLETED
    assert [artifact.parts[0].text for artifact in task.artifacts] == ["1", "2", "2"]


async def test_a_task_that_kills_its_processes_is_given_up_and_can_be_asked_for_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MAX_ATTEMPTS", 2)
    async with opened(place, takes=False) as front:
        task = await sent(front)
        for _ in range(2):
            victim = await worker(place, "stuck")
            await asyncio.wait_for(victim.stdout.readline(), MOMENT_S)
            victim.kill()
            await victim.wait()
        async with opened(place, pages):
            task = await ended(front, task.id)
            assert task.state is State.FAILED
            assert [dead.id for dead in await front.dead_letters.list()] == [task.id]
            again = await front.dead_letters.replay(task.id)
            assert (await ended(front, again.id)).state is State.COMPLETED
            assert await front.dead_letters.list() == []
            with pytest.raises(TaskNotFound):
                await front.dead_letters.replay(task.id)


async def test_a_password_stays_in_its_process_and_is_asked_for_again_when_that_dies(place: Place) -> None:
    given: list[str] = []

    async def script(run: Run) -> Outcome:
        given.append(run.secrets.get("password", ""))
        return await complete(run)

    async with opened(place, takes=False) as front, opened(place, script), Redis.from_url(place.url or "") as raw:
        victim = await worker(place, "private")
        task_id = (await asyncio.wait_for(victim.stdout.readline(), MOMENT_S)).decode().strip()
        victim.kill()
        await victim.wait()
        for key in await raw.keys("*"):
            assert b"hunter2secret" not in (await raw.dump(key) or b"")
        assert (await ended(front, task_id)).state is State.AUTH_REQUIRED
        assert given == []


async def test_a_process_that_ends_hands_its_tasks_to_the_others(place: Place) -> None:
    started = asyncio.Event()

    async def stuck(run: Run) -> Outcome:
        await run.artifact(Artifact("a0", (Part(text="1"),)))
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with opened(place, takes=False) as front:
        async with opened(place, stuck, lease_s=600.0) as leaving:
            task = await sent(front)
            await asyncio.wait_for(started.wait(), MOMENT_S)
            await leaving.drain(0.0)
            assert (await front.get(ANN, task.id)).state is State.SUBMITTED
        async with opened(place, pages, lease_s=600.0):
            task = await ended(front, task.id)
    assert (task.state, task.attempt, task.lost) == (State.COMPLETED, 2, 0)


async def test_what_was_committed_but_never_queued_is_found(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the process dies between commit and queue."""

    async def nothing(self: shared.SharedQueue, task_id: str) -> None:
        return None

    async with opened(place, takes=False) as front:
        with monkeypatch.context() as lost:
            lost.setattr(shared.SharedQueue, "_queue", nothing)
            task = await sent(front)
        async with opened(place):
            assert (await ended(front, task.id)).state is State.COMPLETED


async def test_a_task_that_redis_did_not_queue_is_queued_as_soon_as_it_can_be(
    place: Place, redis: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared, "_OVERDUE", timedelta(hours=1))  # nobody else looks for it
    stream = f"{shared.NAME}:stream"
    async with opened(place, takes=False) as front, Redis.from_url(redis.url) as raw:
        await raw.set(stream, "not a stream")
        task = await sent(front)
        assert "task.queued_later" in caplog.messages
        await raw.delete(stream)
        async with opened(place):
            assert (await ended(front, task.id)).state is State.COMPLETED


async def test_an_erasure_stops_the_work_elsewhere_and_ends_the_streams(place: Place) -> None:
    work = Endless()
    async with opened(place, takes=False) as front, opened(place, takes=False) as other, opened(place, work):
        task = await sent(front)
        async with other.subscribe(ANN, task.id) as updates:
            await asyncio.wait_for(work.started.wait(), MOMENT_S)
            await front.erase(Erase(task_id=task.id))
            with pytest.raises(TaskNotFound):
                async with asyncio.timeout(MOMENT_S):
                    [update async for update in updates]
        await asyncio.wait_for(work.stopped.wait(), MOMENT_S)


async def test_a_restart_of_redis_loses_no_task_and_no_event(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--appendonly", "yes") as server:
        place, go_on = Place(tmp_path, server.url), asyncio.Event()

        async def script(run: Run) -> Outcome:
            await run.artifact(Artifact("a0", (Part(text="x"),)))
            await go_on.wait()
            return await pages(run)

        async with opened(place, takes=False) as front, opened(place, script):
            async with front.stream(ANN, said()) as updates, asyncio.timeout(MOMENT_S):
                seen = [(await anext(updates)).sequence for _ in range(3)]  # type: ignore[arg-type]  # no direct answer
                await asyncio.to_thread(server.stop)
                go_on.set()
                await asyncio.to_thread(server.start)
                seen += [update.sequence async for update in updates]  # type: ignore[union-attr]  # the same
            assert seen[:3] == [0, 1, 2]
            assert seen == list(range(len(seen)))
            assert (await sent(front)).state is State.SUBMITTED


async def test_tasks_sent_after_a_restart_of_redis_wait_for_no_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is taken over a connection of the queue that the restart closed, and left to its lease."""
    monkeypatch.setattr(shared, "_OVERDUE", timedelta(hours=1))  # nobody else looks for it
    with redis_server(tmp_path, "--appendonly", "yes") as server:
        async with opened(Place(tmp_path, server.url), lease_s=600.0) as engine:
            for _ in range(2):
                tasks = await asyncio.gather(*(sent(engine) for _ in range(8)))
                for task in tasks:
                    assert (await ended(engine, task.id)).state is State.COMPLETED
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)


async def worker(place: Place, script: str) -> Any:
    """A process that takes tasks and says on a line when one is under way; to be killed."""
    command = (sys.executable, "-m", "tests.tasks.test_shared", str(place.directory), place.url or "", script)
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


async def serve(place: Place, script: str) -> None:
    async def stuck(run: Run) -> Outcome:
        if not run.task.artifacts:
            await run.artifact(Artifact("a0", (Part(text=f"{run.task.attempt}"),)))
        sys.stdout.write(f"{run.task.id}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
        raise AssertionError

    async with opened(place, stuck, takes=script == "stuck") as engine:
        if script == "private":
            await engine.send(ANN, said("read a.pdf, the password is hunter2secret"))
        await asyncio.Event().wait()


if __name__ == "__main__":
    shared._LOOK_S = 0.05
    asyncio.run(serve(Place(Path(sys.argv[1]), sys.argv[2]), sys.argv[3]))
