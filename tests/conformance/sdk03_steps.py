"""Run by the Python of an environment with a2a-sdk 0.3.26: webhooks, resubscription and the extended card against URL.

Prints what it saw.
"""

import asyncio
import json
import sys
import uuid

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.client.card_resolver import A2ACardResolver
from a2a.types import (
    DataPart,
    FilePart,
    FileWithBytes,
    GetTaskPushNotificationConfigParams,
    Message,
    Part,
    PushNotificationAuthenticationInfo,
    PushNotificationConfig,
    Role,
    Task,
    TaskIdParams,
    TaskPushNotificationConfig,
    TextPart,
    TransportProtocol,
)

DELIVERED_S = 20.0


def message(prefix: str, task_id: str | None = None) -> Message:
    parts = [
        Part(root=TextPart(text="hello")),
        Part(root=DataPart(data={"a": [1, None, {"b": "c"}]}, metadata={"m": 1})),
        Part(root=FilePart(file=FileWithBytes(bytes="JVBERi0xLjcK", name="a.pdf", mime_type="application/pdf"))),
    ]
    return Message(message_id=f"{prefix}-{uuid.uuid4().hex}", role=Role.user, parts=parts, task_id=task_id)


async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, told: asyncio.Queue) -> None:
    """A receiver of webhooks without any library."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length: ")[2].split("\r\n")[0])
    body = json.loads(await reader.readexactly(length))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()
    await told.put((body, head))


async def main(url: str, transport: str) -> None:
    seen: dict[str, object] = {}
    told: asyncio.Queue = asyncio.Queue()
    server = await asyncio.start_server(lambda reader, writer: hook(reader, writer, told), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with httpx.AsyncClient(timeout=30) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        common = {"httpx_client": http, "supported_transports": [TransportProtocol(transport)]}
        unary = ClientFactory(ClientConfig(streaming=False, **common)).create(card)
        streaming = ClientFactory(ClientConfig(streaming=True, **common)).create(card)
        seen["extended"] = (await unary.get_card()).name
        waiting = [event async for event in unary.send_message(message("tck-input-required"))][-1][0]
        auth = PushNotificationAuthenticationInfo(schemes=["Bearer"], credentials="c0")
        config = PushNotificationConfig(id="h", url=address, token="t0", authentication=auth)
        made = await unary.set_task_callback(
            TaskPushNotificationConfig(task_id=waiting.id, push_notification_config=config)
        )
        seen["made"] = made.push_notification_config == config
        got = await unary.get_task_callback(
            GetTaskPushNotificationConfigParams(id=waiting.id, push_notification_config_id="h")
        )
        seen["got"] = got == made
        following = asyncio.create_task(follow(streaming, waiting.id))
        await asyncio.wait({following}, timeout=0.5)
        done = [event async for event in unary.send_message(message("tck-complete-task", waiting.id))][-1][0]
        seen["done"] = done.status.state.value
        seen["followed"] = await following
        pushed = []
        while not pushed or pushed[-1].status.state.value != "completed":
            body, head = await asyncio.wait_for(told.get(), DELIVERED_S)
            pushed.append(Task.model_validate(body))  # a bare task: what 0.3 says is pushed
            seen["headers"] = "authorization: bearer c0" in head and "x-a2a-notification-token: t0" in head
        seen["pushed"] = {task.id for task in pushed} == {waiting.id}
        seen["parts"] = [part.root.kind for part in done.history[0].parts]
    server.close()
    print(json.dumps(seen))


async def follow(client: object, task_id: str) -> list[str]:
    """The states that a resubscription tells."""
    states = []
    async for task, _ in client.resubscribe(TaskIdParams(id=task_id)):
        states.append(task.status.state.value)
    return [states[0], states[-1]]


asyncio.run(main(sys.argv[1], sys.argv[2]))
