"""A stream of server-sent events as a caller reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp


class Refused(Exception):
    """The stream ended with an error; `failure` has its code and whether to try again."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.failure = error["data"][0]["metadata"]


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """(SSE id, result of the JSON-RPC answer) as they come; an event that was cut off was not told. Raises Refused."""
    sequence, data = -1, b""
    async for line in answer.content:
        if line.startswith(b"id: "):
            sequence = int(line[4:])
        elif line.startswith(b"data: "):
            data = line[6:]
        elif line == b"\n" and data:
            told = json.loads(data)
            if "error" in told:
                raise Refused(told["error"])
            yield sequence, told["result"]
            data = b""
