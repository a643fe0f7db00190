"""A request's body: complete within its time; JSON that is not nested beyond what can be told again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from aiohttp import web

from agent.errors import Overloaded, ParseError
from agent.web.keys import MEMORY
from agent.web.nesting import check_nesting

BODY_S = 60.0  # a body that has not come by then never will
SMALL_BYTES = 128 * 1024


@asynccontextmanager
async def in_time(request: web.Request) -> AsyncIterator[None]:
    """For whatever reads a body. Raises Overloaded when it has not come whole within its time, or when it is large and
    memory is short."""
    length = request.content_length
    if length is None or length > SMALL_BYTES:
        request.app[MEMORY].admit()
    try:
        async with asyncio.timeout(BODY_S):
            yield
    except TimeoutError:
        raise Overloaded("The body did not come in time.") from None


async def read_json(request: web.Request) -> object:
    """What the body says. Raises ParseError, InvalidRequest, Overloaded."""
    try:
        body = await _bytes(request)
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ParseError("The body is no JSON.") from None
    check_nesting(body, value)
    return value


async def _bytes(request: web.Request) -> bytes:
    if request.content.is_eof():  # it came along with its head, as nearly every body does: nothing is waited for
        return await request.read()
    async with in_time(request):
        return await request.read()
