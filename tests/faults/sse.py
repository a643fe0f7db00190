"""A stream of server-sent events as a caller reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """(SSE id, result of the JSON-RPC answer) as they come; an event that was cut off was not told."""
    sequence, data = -1, b""
    async for line in answer.content:
        if line.startswith(b"id: "):
            sequence = int(line[4:])
        elif line.startswith(b"data: "):
            data = line[6:]
        elif line == b"\n" and data:
            yield sequence, json.loads(data)["result"]
            data = b""
