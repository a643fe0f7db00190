"""What a conformance kit does with the scripted agent: its prefixes, its habits, its webhooks, in all four dialects.

A kit sends the same ids with the same bodies dozens of times, goes on with tasks by their id alone, probes content
types, reads the card by a closed schema and listens for webhooks on a port of its own.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from a2a.types import AgentCard, StreamResponse
from aiohttp import web
from google.protobuf.json_format import ParseDict

from tests.a2a.dialects import DIALECTS, Client, Dialect, Json
from tests.conformance.process import scripted_process

NEW = Dialect("1.0", rest=False)
OLD = [dialect for dialect in DIALECTS if not dialect.new]
SOON_S = 20.0
SESSION = "1a2b3c4d"


async def send(client: Client, dialect: Dialect, prefix: str, **more: Any) -> Json:
    told = await dialect.call(client, "send", dialect.sending(f"{prefix}-{SESSION}", **more))
    assert told.error is None, told.error
    return dialect.task(told.result)


@pytest.mark.parametrize(
    ("prefix", "state", "words"),
    [
        ("tck-complete-task", "COMPLETED", "Hello from TCK"),
        ("tck-input-required", "INPUT_REQUIRED", "Please go on"),
        ("tck-auth-required", "AUTH_REQUIRED", "A password is needed"),
        ("tck-reject-task", "REJECTED", "rejected"),
        ("bench", "COMPLETED", "Hello from TCK"),
        ("tck-send-003", "INPUT_REQUIRED", "Please go on"),
        ("anything-else", "INPUT_REQUIRED", "Please go on"),
    ],
)
async def test_the_prefix_of_the_message_decides(
    client: Client, dialect: Dialect, prefix: str, state: str, words: str
) -> None:
    for _ in range(2):  # the same id again is another task
        task = await send(client, dialect, prefix)
        assert (dialect.state(task), dialect.text(task["status"]["message"])) == (state, words)


@pytest.mark.parametrize(
    ("prefix", "new", "old", "old_rest"),
    [
        ("text", {"text": "Generated text content"}, {"kind": "text", "text": "Generated text content"}, None),
        (
            "data",
            {"data": {"key": "value", "count": 42}},
            {"kind": "data", "data": {"key": "value", "count": 42}},
            {"data": {"data": {"key": "value", "count": 42}}},
        ),
        (
            "file-url",
            {"url": "https://example.com/output.txt", "filename": "output.txt", "mediaType": "text/plain"},
            {
                "kind": "file",
                "file": {"uri": "https://example.com/output.txt", "name": "output.txt", "mimeType": "text/plain"},
            },
            {"file": {"fileWithUri": "https://example.com/output.txt", "mimeType": "text/plain"}},
        ),
        (
            "file",
            {"raw": "R2VuZXJhdGVkIGZpbGUgY29udGVudA==", "filename": "output.txt", "mediaType": "text/plain"},
            {
                "kind": "file",
                "file": {"bytes": "R2VuZXJhdGVkIGZpbGUgY29udGVudA==", "name": "output.txt", "mimeType": "text/plain"},
            },
            {"file": {"fileWithBytes": "R2VuZXJhdGVkIGZpbGUgY29udGVudA==", "mimeType": "text/plain"}},
        ),
    ],
)
async def test_artifacts_come_in_each_kind_of_part(
    client: Client, dialect: Dialect, prefix: str, new: Json, old: Json, old_rest: Json | None
) -> None:
    task = await send(client, dialect, f"tck-artifact-{prefix}")
    assert dialect.state(task) == "COMPLETED"
    (artifact,) = task["artifacts"]
    (part,) = artifact["parts"]
    assert part == (new if dialect.new else old_rest or new if dialect.rest else old)


async def test_a_direct_message_comes_without_a_task(client: Client, dialect: Dialect) -> None:
    told = await dialect.call(client, "send", dialect.sending(f"tck-message-response-{SESSION}"))
    message = told.result if str(dialect) == "0.3-jsonrpc" else told.result["message"]
    assert dialect.text(message) == "Direct message response"
    assert "status" not in str(told.result)


async def test_a_task_that_asks_goes_on_by_its_id_is_subscribed_to_and_ends(client: Client, dialect: Dialect) -> None:
    task = await send(client, dialect, "tck-input-required")
    for _ in range(3):
        again = await send(client, dialect, "tck-input-required", taskId=task["id"])
        assert (again["id"], again["contextId"]) == (task["id"], task["contextId"])
    answer = await dialect.ask(client, "subscribe", task=task["id"])
    assert answer.status == 200
    ended = await send(client, dialect, "tck-complete-task", taskId=task["id"])
    assert dialect.state(ended) == "COMPLETED"
    assert "COMPLETED" in (await answer.text()).upper()


async def test_a_task_that_stays_at_work_is_resubscribed_to(client: Client) -> None:
    """All four dialects at once: it stays for seconds."""

    async def stay(dialect: Dialect) -> None:
        stream = await dialect.ask(client, "stream", dialect.sending(f"test-resubscribe-message-id-{SESSION}"))
        first = await stream.content.readuntil(b"\n\n")
        event = json.loads(first.partition(b"data: ")[2])
        task = dialect.task(event if dialect.rest else event["result"])
        again = [event for _, event in await dialect.events(client, "subscribe", task=task["id"])]
        assert dialect.kind(again[0]) == "task"
        assert dialect.state(dialect.inner(again[-1])) == "COMPLETED"
        await stream.text()

    await asyncio.gather(*map(stay, DIALECTS))


@pytest.mark.parametrize("dialect", OLD, ids=str)
async def test_a_text_alone_leaves_a_task_of_0_3_to_go_on_with(client: Client, dialect: Dialect) -> None:
    params = {"message": dialect.message(f"text-message-id-{SESSION}")}  # `blocking` unset
    task = dialect.task((await dialect.call(client, "send", params)).result)
    assert dialect.state(task) in ("SUBMITTED", "WORKING", "INPUT_REQUIRED")
    got = (await dialect.call(client, "get", {"historyLength": 1}, task=task["id"])).result
    assert len(got["history"]) == 1
    more = {"message": dialect.message("continuation-message-id", taskId=task["id"])}
    assert dialect.task((await dialect.call(client, "send", more)).result)["id"] == task["id"]
    assert dialect.state((await dialect.call(client, "cancel", task=task["id"])).result) == "CANCELED"


async def test_a_webhook_may_be_made_for_a_task_that_has_ended_to_a_name_that_leads_nowhere(
    client: Client, dialect: Dialect
) -> None:
    task = await send(client, dialect, "tck-complete-task")
    hook = dialect.webhook("https://example.com/tck-push-webhook", f"tck-push-{SESSION}")
    made = await dialect.call(client, "push_create", hook, task=task["id"])
    assert made.error is None
    assert (await dialect.call(client, "push_get", task=task["id"], config=f"tck-push-{SESSION}")).error is None


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, asyncio.Queue[tuple[Json, Any]]]]:
    """A kit's own receiver: its address, and what it is told with the headers."""
    told: asyncio.Queue[tuple[Json, Any]] = asyncio.Queue()

    async def hook(request: web.Request) -> web.Response:
        await told.put((json.loads(await request.text()), request.headers))
        return web.Response()

    app = web.Application()
    app.router.add_post("/webhook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/webhook", told
    finally:
        await runner.cleanup()


async def test_a_webhook_sent_along_is_told_in_the_words_of_its_version(client: Client, dialect: Dialect) -> None:
    auth = {"scheme": "Bearer"} if dialect.new else {"schemes": ["Bearer"]}
    name = "taskPushNotificationConfig" if dialect.new else "pushNotificationConfig"
    async with listening() as (url, told):
        config = {"id": "h", "url": url, "token": "t0", "authentication": auth | {"credentials": "c0"}}
        task = await send(client, dialect, "tck-input-required", configuration={name: config})
        await send(client, dialect, "tck-complete-task", taskId=task["id"])
        seen: list[Json] = []
        while not seen or "COMPLETED" not in str(seen[-1]).upper():
            body, headers = await asyncio.wait_for(told.get(), SOON_S)
            assert headers["Authorization"] == "Bearer c0"
            assert headers["X-A2A-Notification-Token"] == "t0"
            assert headers["Content-Type"] == ("application/a2a+json" if dialect.new else "application/json")
            seen.append(body)
    for body in seen:
        if dialect.new:
            event = ParseDict(body, StreamResponse())  # one event each
            assert event.status_update.task_id == task["id"]
        else:
            assert (body["kind"], body["id"]) == ("task", task["id"])  # 0.3 gets the task itself


def test_the_process_tells_its_address_and_its_cards_name_it(tmp_path: Path) -> None:
    with scripted_process(tmp_path / "not" / "there") as url:
        card = httpx.get(f"{url}/.well-known/agent-card.json").json()
        assert card["url"] == url
        assert {one["url"] for one in card["supportedInterfaces"]} == {url}
        assert (card["capabilities"]["streaming"], card["capabilities"]["pushNotifications"]) == (True, True)
        assert card["supportsAuthenticatedExtendedCard"]
        assert httpx.get(url, headers={"Accept": "application/json"}).json() == card
        pure = httpx.get(f"{url}/a2a/v1/.well-known/agent-card.json")
        assert {one["url"] for one in pure.json()["supportedInterfaces"]} == {f"{url}/a2a/v1"}
        assert "max-age" in pure.headers["Cache-Control"]
        assert {"etag", "last-modified"} <= set(pure.headers)
        ParseDict(pure.json(), AgentCard())  # a closed schema: an unknown field raises
        extended = httpx.get(f"{url}/extendedAgentCard", headers={"A2A-Version": "1.0", "Authorization": "Bearer any"})
        ParseDict(extended.json(), AgentCard())
        words = json.dumps({**card, "supportedInterfaces": [], "additionalInterfaces": [], "url": ""}).lower()
        assert not re.search(r"api[_-]?key|secret|token|password|credential|localhost|127\.0\.0\.1", words)


@pytest.mark.parametrize("media", ["application/json", "application/a2a+json"])
async def test_rest_answers_in_the_media_type_it_was_asked_in(client: Client, media: str) -> None:
    body = json.dumps(NEW.sending(f"tck-complete-task-{SESSION}"))
    headers = {"Content-Type": media, "A2A-Version": "1.0"}
    answer = await client.post("/message:send", data=body, headers=headers)
    assert answer.headers["Content-Type"] == media


async def test_rest_answers_a2a_json_to_who_accepts_only_that(client: Client) -> None:
    answer = await client.get("/tasks/none", headers={"Accept": "application/a2a+json", "A2A-Version": "1.0"})
    assert answer.headers["Content-Type"] == "application/a2a+json"


async def test_a_cancel_and_a_subscription_over_rest_may_have_no_body(client: Client) -> None:
    rest = Dialect("1.0", rest=True)
    task = await send(client, rest, "tck-input-required")
    headers = {"Content-Type": "application/json", "A2A-Version": "1.0"}
    answer = await client.post(f"/tasks/{task['id']}:cancel", headers=headers)
    assert rest.state(await answer.json()) == "CANCELED"
    refused = await client.post(f"/tasks/{task['id']}:subscribe", headers=headers)
    assert refused.status == 400
