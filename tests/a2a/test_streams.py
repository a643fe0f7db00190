"""Streams in every dialect: snapshot first, order, closing, replay, independence of readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent.telemetry.metrics import Metrics
from agent.web import stream
from agent.web.connection import Census, Runner
from tests.a2a.dialects import Client, Dialect, Json
from tests.conformance.scripted_agent import FLOOD_CHUNKS, scripted_app

NEW = Dialect("1.0", rest=False)
SOON_S = 60.0


async def begun(client: Client, dialect: Dialect, message_id: str) -> str:
    told = await dialect.call(client, "send", dialect.sending(message_id, waits=False))
    return str(dialect.task(told.result)["id"])


async def test_a_stream_begins_with_the_task_and_ends_with_its_end(client: Client, dialect: Dialect) -> None:
    events = [event for _, event in await dialect.events(client, "stream", dialect.sending("tck-stream-001"))]
    kinds = [dialect.kind(event) for event in events]
    assert kinds[0] == "task"
    assert kinds.count("task") == 1
    assert kinds.index("artifactUpdate") < len(kinds) - 1
    last = dialect.inner(events[-1])
    assert dialect.state(last) == "COMPLETED"
    finals = [dialect.inner(e).get("final") for e in events if dialect.kind(e) == "statusUpdate"]
    assert finals == ([None] * len(finals) if dialect.new else [False] * (len(finals) - 1) + [True])


async def test_every_event_names_its_task_and_context(client: Client, dialect: Dialect) -> None:
    events = [event for _, event in await dialect.events(client, "stream", dialect.sending("tck-stream-003"))]
    task = dialect.task(events[0])
    for event in events[1:]:
        inner = dialect.inner(event)
        assert (inner["taskId"], inner["contextId"]) == (task["id"], task["contextId"])


async def test_chunks_of_one_artifact_say_that_they_go_on(client: Client, dialect: Dialect) -> None:
    events = await dialect.events(client, "stream", dialect.sending("tck-stream-artifact-chunked-1"))
    chunks = [dialect.inner(event) for _, event in events if dialect.kind(event) == "artifactUpdate"]
    assert [(dialect.text(c["artifact"]), bool(c.get("append")), bool(c.get("lastChunk"))) for c in chunks] == [
        ("chunk-1 ", False, False),
        ("chunk-2", True, True),
    ]
    assert len({chunk["artifact"]["artifactId"] for chunk in chunks}) == 1


async def test_a_direct_answer_is_the_only_event(client: Client, dialect: Dialect) -> None:
    events = await dialect.events(client, "stream", dialect.sending("tck-message-response-1"))
    ((_, event),) = events
    assert dialect.kind(event) == "message"
    assert dialect.text(dialect.inner(event)) == "Direct message response"


async def test_a_stream_that_sent_a_message_ends_where_input_is_needed(client: Client, dialect: Dialect) -> None:
    events = await dialect.events(client, "stream", dialect.sending("tck-input-required-1"))
    last = dialect.inner(events[-1][1])
    assert dialect.state(last) == "INPUT_REQUIRED"
    assert last.get("final") is (None if dialect.new else True)


async def test_a_subscription_waits_through_input_until_the_end(client: Client, dialect: Dialect) -> None:
    task = await begun(client, dialect, "tck-input-required-1")
    await dialect.call(client, "send", dialect.sending("tck-input-required-1", taskId=task))
    following = asyncio.create_task(dialect.events(client, "subscribe", task=task))
    while not following.done():  # ends only after the task has
        told = await dialect.call(client, "send", dialect.sending("tck-input-required-1", taskId=task))
        if told.error is None:
            await dialect.call(client, "cancel", task=task)
    events = [event for _, event in await following]
    assert dialect.kind(events[0]) == "task"
    assert dialect.state(dialect.inner(events[-1])) == "CANCELED"


async def test_all_readers_see_the_same_and_one_who_leaves_harms_none(client: Client, dialect: Dialect) -> None:
    task = await begun(client, dialect, "tck-input-required-1")
    await dialect.call(client, "send", dialect.sending("tck-input-required-1", taskId=task))
    leaving = await dialect.ask(client, "subscribe", task=task)
    assert await leaving.content.readline()
    staying = [await dialect.ask(client, "subscribe", task=task) for _ in range(2)]
    for answer in staying:
        assert answer.status == 200
    leaving.close()
    await dialect.call(client, "send", dialect.sending("tck-complete-task-1", taskId=task))
    first, second = [await answer.text() for answer in staying]
    assert first == second
    assert first.count("data:") >= 2


async def test_an_error_before_the_first_event_is_an_ordinary_answer(client: Client, dialect: Dialect) -> None:
    for operation, params, where in (
        ("stream", {"message": {}}, {}),
        ("subscribe", None, {"task": "none"}),
    ):
        answer = await dialect.ask(client, operation, params, **where)
        assert answer.headers["Content-Type"] == "application/json"
        assert "error" in await answer.json()


async def test_a_reader_comes_back_after_the_last_event_it_has(client: Client, dialect: Dialect) -> None:
    whole = await dialect.events(client, "stream", dialect.sending("tck-stream-artifact-chunked-1"))
    task = dialect.task(whole[0][1])["id"]
    ids = [int(mark) for mark, _ in whole]
    assert ids == sorted(set(ids))
    for at in range(len(whole) - 1):
        rest = await dialect.events(client, "subscribe", after=whole[at][0], task=task)
        assert rest == whole[at + 1 :], f"after event {at} of {len(whole)}"


@pytest.mark.parametrize("mark", ["-1", "x", "1e3", "99999999999999999999999", "1\u0662"])
async def test_a_last_event_id_that_is_none_of_ours_is_ignored(client: Client, mark: str) -> None:
    task = await begun(client, NEW, "tck-input-required-1")
    answer = await client.post(
        "/",
        json={"jsonrpc": "2.0", "id": 7, "method": "SubscribeToTask", "params": {"id": task}},
        headers={"Last-Event-ID": mark},
    )
    assert (await answer.content.readuntil(b"\n\n")).count(b'"task"') == 1
    answer.close()


async def test_silence_is_filled_with_comments(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(stream, "PING_S", 0.01)
    answer = await NEW.ask(client, "stream", NEW.sending("tck-delayed-complete-1"))
    text = await answer.text()
    assert text.count(": ping\n\n") > 3
    events = [json.loads(block.partition("data: ")[2]) for block in text.split("\n\n") if "data: " in block]
    assert len(events) >= 2  # comments between them break none


async def test_a_stream_says_that_nobody_may_keep_or_collect_it(client: Client, dialect: Dialect) -> None:
    answer = await dialect.ask(client, "stream", dialect.sending("tck-stream-002"))
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
    await answer.text()


async def test_a_stream_of_1_0_waits_a_while_for_a_credential(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(stream, "PING_S", 0.01)
    monkeypatch.setattr(stream, "AUTH_S", 0.1)
    events = await NEW.events(client, "stream", NEW.sending("tck-auth-required-1"))
    assert NEW.state(NEW.inner(events[-1][1])) == "AUTH_REQUIRED"


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[tuple[int, Census]]:
    """The scripted agent behind guarded connections, with little patience for who reads nothing."""
    census = Census(Metrics(), stall_s=0.2)
    async with scripted_app(tmp_path, "http://127.0.0.1:1") as app:
        runner = Runner(app, census)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1], census
        await runner.cleanup()


def posted(method: str, params: Json) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def test_a_reader_who_takes_nothing_loses_its_stream_and_costs_the_task_nothing(
    guarded: tuple[int, Census],
) -> None:
    port, census = guarded
    stalled, holding = await asyncio.open_connection("127.0.0.1", port, limit=2**10)  # takes so much, then no more
    holding.write(posted("SendStreamingMessage", NEW.sending("flood-1")))
    await stalled.readuntil(b"data:")
    first = await stalled.readuntil(b"\n")
    task = json.loads(first)["result"]["task"]["id"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    writer.write(posted("SubscribeToTask", {"id": task}))
    seen = b""
    async with asyncio.timeout(SOON_S):
        while b"TASK_STATE_COMPLETED" not in seen[-4096:]:
            read = await reader.read(2**20)
            assert read, "the reading subscriber was cut off"
            seen += read
        writer.close()
        while census.held:  # noqa: ASYNC110  # until the stalled one is thrown out
            await asyncio.sleep(0.01)
    assert seen.count(b"flood") > FLOOD_CHUNKS
    holding.close()
