"""The steps of the reference SDKs that tests of the whole service leave out: webhooks, subscriptions, extended card."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.types import (
    AuthenticationInfo,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
    TaskPushNotificationConfig,
    TaskState,
)
from google.protobuf.json_format import ParseDict

from tests import sdk03
from tests.conformance.process import scripted_process
from tests.conformance.test_kit import listening

SOON_S = 20.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with scripted_process(tmp_path_factory.mktemp("sdks")) as started:
        yield started


async def sent(client: Client, prefix: str, task_id: str = "") -> Task:
    parts = [Part(text="hello"), Part(raw=b"%PDF-1.7", filename="a.pdf", media_type="application/pdf")]
    message = Message(message_id=f"{prefix}-{uuid.uuid4().hex}", role=Role.ROLE_USER, parts=parts, task_id=task_id)
    (answer,) = [event async for event in client.send_message(SendMessageRequest(message=message))]
    return answer.task


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
async def test_the_sdk_of_1_0_keeps_webhooks_and_follows_tasks(url: str, binding: str) -> None:
    async with httpx.AsyncClient(timeout=30) as http, listening() as (address, told):
        card = await A2ACardResolver(http, url).get_agent_card()
        config = ClientConfig(httpx_client=http, streaming=False, supported_protocol_bindings=[binding])
        client = ClientFactory(config).create(card)
        following = ClientFactory(
            ClientConfig(httpx_client=http, supported_protocol_bindings=[binding]),
        ).create(card)
        assert (await client.get_extended_agent_card(GetExtendedAgentCardRequest())).name == card.name
        task = await sent(client, "tck-input-required")
        auth = AuthenticationInfo(scheme="Bearer", credentials="c0")
        hook = TaskPushNotificationConfig(task_id=task.id, id="h", url=address, token="t0", authentication=auth)
        assert await client.create_task_push_notification_config(hook) == hook
        spare = TaskPushNotificationConfig(task_id=task.id, id="spare", url=address)
        await client.create_task_push_notification_config(spare)
        named = GetTaskPushNotificationConfigRequest(task_id=task.id, id="h")
        assert await client.get_task_push_notification_config(named) == hook
        all_of_it = ListTaskPushNotificationConfigsRequest(task_id=task.id)
        for removed, kept in (("", ["h", "spare"]), ("spare", ["h"])):
            if removed:
                request = DeleteTaskPushNotificationConfigRequest(task_id=task.id, id=removed)
                await client.delete_task_push_notification_config(request)
            listed = await client.list_task_push_notification_configs(all_of_it)
            assert sorted(one.id for one in listed.configs) == kept
        stream = aiter(following.subscribe(SubscribeToTaskRequest(id=task.id)))
        first = await anext(stream)
        assert first.task.status.state == TaskState.TASK_STATE_INPUT_REQUIRED
        done = await sent(client, "tck-complete-task", task.id)
        assert done.status.state == TaskState.TASK_STATE_COMPLETED
        assert [part.WhichOneof("content") for part in done.history[0].parts] == ["text", "url"]  # bytes are spooled
        states = [event.status_update.status.state async for event in stream]
        assert states[-1] == TaskState.TASK_STATE_COMPLETED
        pushed: list[StreamResponse] = []
        while not pushed or pushed[-1].status_update.status.state != TaskState.TASK_STATE_COMPLETED:
            body, headers = await asyncio.wait_for(told.get(), SOON_S)
            assert (headers["Authorization"], headers["X-A2A-Notification-Token"]) == ("Bearer c0", "t0")
            pushed.append(ParseDict(body, StreamResponse()))
        assert [one.status_update.status.state for one in pushed][-len(states) :] == states  # as the stream told it


@pytest.mark.parametrize("transport", ["JSONRPC", "HTTP+JSON"])
def test_the_sdk_of_0_3_keeps_webhooks_and_follows_tasks(url: str, transport: str) -> None:
    assert sdk03.run(Path(__file__).with_name("sdk03_steps.py"), url, transport) == {
        "extended": "Document Extraction Agent",
        "made": True,
        "got": True,
        "done": "completed",
        "followed": ["input-required", "completed"],
        "headers": True,
        "pushed": True,
        "parts": ["text", "data", "file"],
    }
