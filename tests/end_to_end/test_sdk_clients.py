"""Clients of others against the real service: a2a-sdk 1.3 here, a2a-sdk 0.3.26 in an environment of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    Task,
    TaskState,
)

from tests import sdk03
from tests.service import Service, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("sdk") / "data") as started:
        yield started


def request(text: str) -> SendMessageRequest:
    message = Message(message_id=uuid.uuid4().hex, role=Role.ROLE_USER, parts=[Part(text=text)])
    return SendMessageRequest(message=message)


async def last_task(client: Client, text: str) -> Task:
    """The task as the stream left it: the snapshot with its updates applied."""
    found = None
    async for event in client.send_message(request(text)):
        if event.HasField("task"):
            found = event.task
        elif event.HasField("status_update"):
            assert found is not None
            found.status.CopyFrom(event.status_update.status)
    assert found is not None
    return found


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
async def test_the_sdk_of_1_0_does_every_step(service: Service, binding: str) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        card = await A2ACardResolver(http, service.url).get_agent_card()
        assert card.name == "Document Extraction Agent"
        streaming = ClientFactory(ClientConfig(httpx_client=http, supported_protocol_bindings=[binding])).create(card)
        unary = ClientFactory(
            ClientConfig(httpx_client=http, streaming=False, supported_protocol_bindings=[binding])
        ).create(card)
        done = await last_task(streaming, "Extract the total from invoice.pdf")
        assert done.status.state == TaskState.TASK_STATE_COMPLETED
        got = await unary.get_task(GetTaskRequest(id=done.id))
        assert [artifact.artifact_id for artifact in got.artifacts] == ["extraction-1"]
        waiting = await last_task(unary, "Extract the total from nothing.pdf")
        assert waiting.status.state == TaskState.TASK_STATE_INPUT_REQUIRED
        canceled = await unary.cancel_task(CancelTaskRequest(id=waiting.id))
        assert canceled.status.state == TaskState.TASK_STATE_CANCELED
        listed = await unary.list_tasks(ListTasksRequest(page_size=50))
        assert {done.id, waiting.id} <= {task.id for task in listed.tasks}


@pytest.mark.parametrize("transport", ["JSONRPC", "HTTP+JSON"])
def test_the_sdk_of_0_3_does_every_step(service: Service, transport: str) -> None:
    assert sdk03.run(Path(__file__).with_name("sdk03_client.py"), service.url, transport) == {
        "card": "Document Extraction Agent",
        "stream": "completed",
        "got": "completed",
        "asked": "input-required",
        "canceled": "canceled",
    }
