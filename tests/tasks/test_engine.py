from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.errors import Failure, InvalidParams, Overloaded, TaskNotCancelable, TaskNotFound, UnsupportedOperation
from agent.task import Artifact, Part, State, Task
from agent.tasks.engine import TaskEngine
from agent.tasks.run import Outcome, Run
from agent.tasks.store import Erase, ListQuery
from tests.tasks.conftest import ANN, BOB, Endless, complete, opened, said
from tests.tasks.stores import Place


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def sent(engine: TaskEngine, text: str = "hello", **more: object) -> Task:
    task = await engine.send(ANN, said(text), **more)  # type: ignore[arg-type]  # options of one test
    assert isinstance(task, Task)
    return task


async def test_a_task_is_submitted_then_completed(engine: TaskEngine) -> None:
    task = await sent(engine)
    assert task.state is State.SUBMITTED
    assert (await engine.wait(ANN, task.id, 5)).state is State.COMPLETED


async def test_a_stream_tells_every_event_once_and_in_order(engine: TaskEngine) -> None:
    async with engine.stream(ANN, said()) as updates:
        seen = [(update.sequence, update.task.state) async for update in updates]  # type: ignore[union-attr]
    assert seen == [(0, State.SUBMITTED), (1, State.WORKING), (2, State.COMPLETED)]


async def test_a_reader_continues_after_the_sequence_it_has(engine: TaskEngine) -> None:
    task = await sent(engine)
    await engine.wait(ANN, task.id, 5)
    async with engine.subscribe(ANN, task.id, after=1) as updates:
        assert [update.sequence async for update in updates] == [2]
    with pytest.raises(UnsupportedOperation):
        async with engine.subscribe(ANN, task.id):
            pass


async def test_a_reader_who_comes_again_after_the_end_is_not_kept_waiting(engine: TaskEngine) -> None:
    task = await engine.wait(ANN, (await sent(engine)).id, 5)
    async with asyncio.timeout(5), engine.subscribe(ANN, task.id, after=task.version) as updates:
        assert [update async for update in updates] == []


async def test_a_foreign_task_is_not_there(engine: TaskEngine) -> None:
    task = await sent(engine)
    for call in (engine.get(BOB, task.id), engine.cancel(BOB, task.id), engine.wait(BOB, task.id, 1)):
        with pytest.raises(TaskNotFound):
            await call
    assert (await engine.list(BOB, ListQuery())).total == 0


async def test_cancel_reaches_the_work_and_is_committed(place: Place) -> None:
    work = Endless()
    async with opened(place, work) as engine:
        task = await sent(engine)
        await work.started.wait()
        assert (await engine.cancel(ANN, task.id)).state is State.CANCELED
        await asyncio.wait_for(work.stopped.wait(), 5)
        with pytest.raises(TaskNotCancelable):
            await engine.cancel(ANN, task.id)
    async with opened(place) as engine:
        assert (await engine.get(ANN, task.id)).state is State.CANCELED


async def test_a_failure_of_the_work_is_the_tasks_failure(place: Place) -> None:
    async def script(run: Run) -> Outcome:
        raise Failure("damaged_pdf", "the file is damaged")

    async with opened(place, script) as engine:
        task = await engine.wait(ANN, (await sent(engine)).id, 5)
    assert task.state is State.FAILED
    assert task.message is not None
    assert task.message.parts[1].data["code"] == "damaged_pdf"


async def test_a_mistake_of_the_work_fails_the_task_and_never_leaves_it_working(place: Place) -> None:
    async def script(run: Run) -> Outcome:
        await run.artifact(Artifact("unknown", (Part(text="x"),)), append=True)
        raise AssertionError

    async with opened(place, script) as engine:
        task = await engine.wait(ANN, (await sent(engine)).id, 5)
    assert task.state is State.FAILED


async def test_a_task_past_its_time_fails_with_timeout(place: Place) -> None:
    async def script(run: Run) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    async with opened(place, script, task_timeout_s=0.05) as engine:
        task = await engine.wait(ANN, (await sent(engine)).id, 5)
    assert task.message is not None
    assert task.message.parts[1].data["code"] == "timeout"


async def test_a_full_queue_refuses_with_a_time_to_come_again(place: Place) -> None:
    release = asyncio.Event()

    async def script(run: Run) -> Outcome:
        await release.wait()
        return await complete(run)

    async with opened(place, script, max_concurrent=1, queue_limit=1) as engine:
        first, second = await sent(engine), await sent(engine)
        with pytest.raises(Overloaded) as refused:
            await sent(engine)
        assert refused.value.retry_after_s
        release.set()
        for task in (first, second):
            assert (await engine.wait(ANN, task.id, 5)).state is State.COMPLETED


async def test_a_question_is_answered_on_the_same_task(place: Place) -> None:
    async def script(run: Run) -> Outcome:
        if len(run.task.history) == 1:
            return Outcome(State.INPUT_REQUIRED, run.message(Part(text="which?")))
        return await complete(run)

    async with opened(place, script) as engine:
        task = await engine.wait(ANN, (await sent(engine)).id, 5)
        assert task.state is State.INPUT_REQUIRED
        await engine.send(ANN, said("that one", task_id=task.id))
        task = await engine.wait(ANN, task.id, 5)
        assert [m.parts[0].text for m in task.history] == ["hello", "which?", "that one"]
        with pytest.raises(UnsupportedOperation):
            await engine.send(ANN, said("more", task_id=task.id))
        with pytest.raises(InvalidParams):
            await engine.send(ANN, said("more", task_id=task.id, context_id="other"))


async def test_a_password_reaches_the_work_and_nothing_on_disk(place: Place) -> None:
    given: list[str] = []

    async def script(run: Run) -> Outcome:
        if "password" not in run.secrets:
            return Outcome(State.AUTH_REQUIRED, run.message(Part(text="password?")))
        given.append(run.secrets["password"])
        return await complete(run)

    async with opened(place, script) as engine:
        task = await engine.wait(ANN, (await sent(engine)).id, 5)
        await engine.send(ANN, said("hunter2secret", task_id=task.id))
        assert (await engine.wait(ANN, task.id, 5)).state is State.COMPLETED
        task = await sent(engine, "read a.pdf, the password is hunter2secret")
        assert (await engine.wait(ANN, task.id, 5)).state is State.COMPLETED
    assert given == ["hunter2secret", "hunter2secret"]
    assert not [path for path in files_below(place.directory) if b"hunter2secret" in path.read_bytes()]


async def test_an_idempotency_key_gives_the_same_task_once(engine: TaskEngine) -> None:
    one, two = await asyncio.gather(*(sent(engine, idempotency_key="k") for _ in range(2)))
    assert one.id == two.id
    assert (await sent(engine, idempotency_key="k")).id == one.id
    with pytest.raises(InvalidParams):
        await sent(engine, "another", idempotency_key="k")


async def test_drained_tasks_are_resumed_with_their_artifacts(place: Place) -> None:
    written = asyncio.Event()

    async def script(run: Run) -> Outcome:
        if not run.task.artifacts:
            await run.artifact(Artifact("extraction-1", (Part(data={"a": 1}, has_data=True),)))
            written.set()
            await asyncio.Event().wait()
        return await complete(run)

    async with opened(place, script) as engine:
        task = await sent(engine)
        await written.wait()
        await engine.drain(0)
        with pytest.raises(Overloaded):
            await sent(engine)
        assert (await engine.get(ANN, task.id)).state is State.SUBMITTED
    async with opened(place, script) as engine:
        task = await engine.wait(ANN, task.id, 5)
    assert task.state is State.COMPLETED
    assert task.attempt == 2
    assert [artifact.artifact_id for artifact in task.artifacts] == ["extraction-1"]


async def test_pages_are_stable_exact_and_the_callers_own(engine: TaskEngine) -> None:
    ids = {(await sent(engine)).id for _ in range(5)}
    for task_id in ids:
        await engine.wait(ANN, task_id, 5)
    seen, token = [], ""
    while True:
        page = await engine.list(ANN, ListQuery(page_size=2, page_token=token))
        assert page.total == 5
        seen += [task.id for task in page.tasks]
        if not (token := page.next_page_token):
            break
    assert len(seen) == 5
    assert set(seen) == ids
    with pytest.raises(InvalidParams):
        await engine.list(ANN, ListQuery(page_token="bm9uZQ"))


async def test_an_erasure_reaches_task_upload_and_file(tmp_path: Path, engine: TaskEngine) -> None:
    message = said()
    message = type(message)(message.message_id, "user", (Part(raw=b"%PDF-1.7", filename="a.pdf"),))
    task = await engine.send(ANN, message)
    assert isinstance(task, Task)
    await engine.wait(ANN, task.id, 5)
    (file,) = files_below(tmp_path / "uploads")
    gone = await engine.erase(Erase(document=f"upload/{file.name}"))
    assert (gone.task_ids, gone.uploads) == ((task.id,), 1)
    assert not file.exists()
    with pytest.raises(TaskNotFound):
        await engine.get(ANN, task.id)
    assert (await engine.list(ANN, ListQuery())).total == 0
