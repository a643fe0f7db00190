"""What every task store promises, on SQLite and on a real redis-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent.errors import InvalidParams
from agent.task import (
    Artifact,
    ArtifactChanged,
    AttemptStarted,
    Message,
    Part,
    State,
    StatusChanged,
    Task,
    apply,
    new_id,
    now,
)
from agent.tasks.store import (
    JOURNAL_EVENTS,
    Claim,
    Claimed,
    Commit,
    Decision,
    Erase,
    Erased,
    ListQuery,
    PushConfig,
    Stale,
    Store,
    UploadRow,
    Verdict,
)
from tests.tasks.stores import Place

HOUR = timedelta(hours=1)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with place.opened() as store:
        yield store


def made(caller: str = "ann", **more: Any) -> Task:
    message = Message(new_id(), "user", (Part(text="read a.pdf"),))
    return replace(Task(new_id(), "context", caller, State.SUBMITTED, now(), history=(message,)), **more)


async def committed(store: Store, commit: Commit) -> Task:
    """The task of a commit that holds; raises why it does not."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def done(size_bytes: int, fault: BaseException | None) -> None:
        if fault is None:
            future.set_result(size_bytes)
        else:
            future.set_exception(fault)

    store.submit(commit, done)
    await asyncio.wait_for(future, 15)
    return commit.task


async def stepped(store: Store, task: Task, *events: Any, **more: Any) -> Task:
    for event in events:
        task = await committed(store, Commit(apply(task, event), event, task, **more))
    return task


def ended(state: State = State.COMPLETED) -> StatusChanged:
    return StatusChanged(state, now(), Message(new_id(), "agent", (Part(text="done"),)))


def artifact(name: str, size: int = 10) -> ArtifactChanged:
    return ArtifactChanged(Artifact(name, (Part(data={"value": "x" * size}, has_data=True),), name="values"))


async def test_a_task_comes_back_as_it_was_committed(store: Store) -> None:
    task = await committed(store, Commit(made(scope=("acme/**",), metadata={"a": [1, None]})))
    events = (AttemptStarted(now()), artifact("small"), artifact("large", 100_000), artifact("small", 20_000), ended())
    task = await stepped(store, task, *events)
    assert await store.load(task.id) == task
    assert [entry.event for entry in await store.journal(task.id, 0)] == list(events)
    assert [entry.sequence for entry in await store.journal(task.id, 3)] == [4, 5]
    assert await store.load("unknown") is None
    assert await store.journal("unknown", 0) == []


async def test_a_commit_upon_another_version_or_attempt_is_refused_and_changes_nothing(store: Store) -> None:
    task = await committed(store, Commit(made()))
    started = await stepped(store, task, AttemptStarted(now()))
    for late in (task, replace(started, attempt=0)):
        with pytest.raises(Stale):
            await stepped(store, late, ended(), documents=("late.pdf",))
    with pytest.raises(Stale):
        await stepped(store, made(), ended())
    assert await store.load(task.id) == started
    assert len(await store.journal(task.id, 0)) == 1


async def many(store: Store, task: Task, number: int) -> Task:
    """A task after so many commits, submitted without waiting for any."""
    for _ in range(number):
        event = StatusChanged(State.WORKING, now())
        after = apply(task, event)
        store.submit(Commit(after, event, task), lambda size_bytes, fault: None)
        task = after
    return task


async def test_commits_of_one_task_land_in_the_order_of_the_calls(store: Store) -> None:
    task = await many(store, await committed(store, Commit(made())), 200)
    assert await stepped(store, task, ended()) == await store.load(task.id)
    assert [entry.sequence for entry in await store.journal(task.id, 0)] == list(range(1, 202))


async def test_an_idempotency_key_is_one_tasks(store: Store) -> None:
    claim = Claim("a:key", b"\x00digest", now() + HOUR)
    task = await committed(store, Commit(made(), claim=claim))
    with pytest.raises(Claimed) as taken:
        await committed(store, Commit(made(), claim=claim))
    known = await store.claimed("ann", "a:key")
    assert known is not None
    for found in (taken.value, known):
        assert (found.task_id, found.digest) == (task.id, b"\x00digest")
    assert await store.claimed("bob", "a:key") is None
    await committed(store, Commit(made("bob"), claim=claim))


async def test_counts_stay_exact_when_commits_that_came_together_are_refused(store: Store) -> None:
    claim = Claim("a:key", b"digest", now() + HOUR)
    commits = [Commit(made(), claim=claim if number % 2 else None) for number in range(10)]
    ends = await asyncio.gather(*(committed(store, commit) for commit in commits), return_exceptions=True)
    assert sum(isinstance(end, Claimed) for end in ends) == 4
    taken = [end for end in ends if isinstance(end, Task)]
    await asyncio.gather(*(stepped(store, task, ended()) for task in taken[:2]))
    assert {state: tasks for state, tasks in (await store.counts()).items() if tasks} == {
        State.SUBMITTED: 4,
        State.COMPLETED: 2,
    }
    assert (await store.page("ann", ListQuery())).total == 6


async def test_pages_are_stable_exact_and_the_callers_own(store: Store) -> None:
    at = now()
    tasks = [made(timestamp=at + timedelta(milliseconds=number // 3)) for number in range(7)]
    tasks += [made(context_id="other"), made("bob"), made("ann:x", context_id="y")]
    for task in tasks:
        await committed(store, Commit(task))
    done = await stepped(store, tasks[0], artifact("a"), ended())
    mine = {task.id: task for task in [*tasks[:8], done] if task.caller == "ann"}
    newest = sorted(mine.values(), key=lambda task: (task.timestamp, task.id), reverse=True)

    async def pages(**query: Any) -> tuple[list[Task], int]:
        found, token, total = [], "", 0
        while True:
            page = await store.page("ann", ListQuery(page_size=3, page_token=token, **query))
            found += page.tasks
            total = page.total
            if not (token := page.next_page_token):
                return found, total

    def ids(tasks: list[Task]) -> list[str]:
        return [task.id for task in tasks]

    found, total = await pages()
    assert (ids(found), total) == (ids(newest), 8)
    assert not found[0].artifacts
    found, total = await pages(context_id="context")
    assert (ids(found), total) == (ids([t for t in newest if t.context_id == "context"]), 7)
    found, total = await pages(state=State.SUBMITTED, context_id="context")
    assert (len(found), total) == (6, 6)
    found, total = await pages(since=at + timedelta(milliseconds=2))
    assert total == len(found) == len([t for t in newest if t.timestamp >= at + timedelta(milliseconds=2)])
    assert (await pages(state=State.COMPLETED, artifacts=True))[0] == [done]
    token = (await store.page("ann", ListQuery(page_size=3))).next_page_token
    with pytest.raises(InvalidParams):
        await store.page("ann", ListQuery(page_size=3, page_token=token, context_id="context"))


async def test_what_is_unfinished_is_known_by_its_caller(store: Store) -> None:
    waiting, running, over = [await committed(store, Commit(made(caller))) for caller in ("ann", "bob", "ann")]
    await stepped(store, running, AttemptStarted(now()))
    await stepped(store, over, ended())
    assert set(await store.unfinished()) == {(waiting.id, "ann"), (running.id, "bob")}
    assert dict(await store.counts()) == {State.SUBMITTED: 1, State.WORKING: 1, State.COMPLETED: 1}


async def test_an_outbox_is_what_a_webhook_has_not_got(store: Store) -> None:
    config = PushConfig("hook", "", "ann", "https://a.example/hook", token="t")
    task = made()
    config = replace(config, task_id=task.id)
    await committed(store, Commit(task, push=config))
    late = replace(config, id="late", delivered=2)
    await store.put_push(late)
    assert await store.undelivered() == [config, late]
    task = await stepped(store, task, AttemptStarted(now()))
    await stepped(store, task, ended())
    assert await store.undelivered() == [config]
    failed = replace(config, delivered=1, failures=2, last_error="HTTP 500")
    await store.mark_push(failed)
    await store.mark_push(replace(failed, delivered=0))
    assert await store.push_configs(task.id) == [failed, late]
    await store.delete_push(task.id, "hook")
    await store.mark_push(failed)
    assert [known.id for known in await store.push_configs(task.id)] == ["late"]
    with pytest.raises(Stale):
        await store.put_push(replace(config, task_id="unknown"))


async def test_decisions_are_kept_in_order_with_their_task_and_go_with_it(store: Store) -> None:
    task = await committed(store, Commit(made()))
    first = Decision("extraction-1", 0, "/total", Verdict.CORRECT, "1.00", {"a": None}, "ann", now())
    then = replace(first, verdict=Verdict.UNDO, new=None, part=1)
    await store.put_decisions(task.id, [first, then])
    await store.put_decisions(task.id, [first])
    assert list(await store.decisions(task.id)) == [first, then, first]
    await store.erase(Erase(task_id=task.id))
    assert list(await store.decisions(task.id)) == []
    with pytest.raises(Stale):
        await store.put_decisions(task.id, [first])


async def test_an_erasure_reaches_all_that_a_task_left(store: Store) -> None:
    sha, other = "a" * 64, "b" * 64
    for owner, name in (("ann", sha), ("bob", sha), ("ann", other)):
        await store.put_upload(UploadRow(name, owner, 5, "a.pdf", now(), now() + HOUR))
    claim = Claim("k", b"d", now() + HOUR)
    task = await committed(store, Commit(made(), claim=claim, documents=(f"upload/{sha}", "lib.pdf")))
    await stepped(store, task, artifact("large", 50_000))
    kept = await committed(store, Commit(made("bob"), documents=("lib.pdf",)))
    assert await store.erase(Erase()) == Erased()
    assert await store.erase(Erase(task_id=task.id, caller="bob")) == Erased()
    assert await store.erase(Erase(document="lib.pdf", caller="ann")) == Erased((task.id,), 1, ())
    assert await store.load(task.id) is None
    assert await store.journal(task.id, 0) == []
    assert await store.claimed("ann", "k") is None
    assert (await store.page("ann", ListQuery())).total == 0
    assert [row.sha256 for row in await store.uploads("ann")] == [other]
    assert await store.upload("ann", sha) is None
    assert await store.erase(Erase(caller="bob")) == Erased((kept.id,), 1, (sha,))
    assert await store.erase(Erase(before=now() + HOUR)) == Erased((), 1, (other,))


async def test_retention_drops_the_oldest_and_spares_what_runs(store: Store) -> None:
    old = now() - 3 * HOUR
    running, asked, over = [await committed(store, Commit(made(timestamp=old, created=old))) for _ in range(3)]
    await stepped(store, asked, StatusChanged(State.INPUT_REQUIRED, old))
    await stepped(store, over, StatusChanged(State.COMPLETED, old))
    await store.put_upload(UploadRow("a" * 64, "ann", 5, None, old, old + HOUR))
    young = [await stepped(store, await committed(store, Commit(made())), ended()) for _ in range(3)]
    gone = await store.retain(tasks_before=now() - HOUR, task_max=3, now=now())
    assert (set(gone.task_ids), gone.uploads, gone.orphans) == ({asked.id, over.id}, 1, ("a" * 64,))
    gone = await store.retain(tasks_before=now() - HOUR, task_max=3, now=now())
    assert gone == Erased((young[0].id,))
    assert await store.retain(tasks_before=now() - HOUR, task_max=3, now=now()) == Erased()
    assert await store.load(running.id) is not None


async def test_the_journal_is_bounded_and_keeps_its_newest(store: Store) -> None:
    task = await many(store, await committed(store, Commit(made())), 3 * JOURNAL_EVENTS - 1)
    task = await stepped(store, task, StatusChanged(State.WORKING, now()))
    entries = await store.journal(task.id, 0)
    assert JOURNAL_EVENTS <= len(entries) <= 2 * JOURNAL_EVENTS
    assert [entry.sequence for entry in entries] == list(range(task.version - len(entries) + 1, task.version + 1))


async def test_what_was_given_up_is_listed_until_it_is_raised(store: Store) -> None:
    first, second = [await committed(store, Commit(made())) for _ in range(2)]
    for task in (first, second):
        await stepped(store, task, ended(State.FAILED), dead=True)
    assert set(await store.dead()) == {first.id, second.id}
    assert await store.raise_dead(first.id)
    assert not await store.raise_dead(first.id)
    await store.erase(Erase(task_id=second.id))
    assert await store.dead() == []
