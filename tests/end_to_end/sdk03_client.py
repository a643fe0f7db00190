"""Run by the Python of an environment with a2a-sdk 0.3.26: every step of its client against URL; prints what it saw."""

import asyncio
import json
import sys
import uuid

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.client.card_resolver import A2ACardResolver
from a2a.types import Message, Part, Role, TaskIdParams, TaskQueryParams, TextPart, TransportProtocol


def message(text: str) -> Message:
    return Message(message_id=uuid.uuid4().hex, role=Role.user, parts=[Part(root=TextPart(text=text))])


async def main(url: str, transport: str) -> None:
    seen: dict[str, object] = {}
    async with httpx.AsyncClient(timeout=30) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        seen["card"] = card.name
        config = ClientConfig(httpx_client=http, streaming=True, supported_transports=[TransportProtocol(transport)])
        client = ClientFactory(config).create(card)
        events = [event async for event in client.send_message(message("Extract the total from invoice.pdf"))]
        task = events[-1][0]
        seen["stream"] = task.status.state.value
        seen["got"] = (await client.get_task(TaskQueryParams(id=task.id))).status.state.value
        unary = ClientConfig(httpx_client=http, streaming=False, supported_transports=[TransportProtocol(transport)])
        client = ClientFactory(unary).create(card)
        asked = [event async for event in client.send_message(message("Extract the total from nothing.pdf"))]
        waiting = asked[-1][0]
        seen["asked"] = waiting.status.state.value
        seen["canceled"] = (await client.cancel_task(TaskIdParams(id=waiting.id))).status.state.value
    print(json.dumps(seen))


asyncio.run(main(sys.argv[1], sys.argv[2]))
