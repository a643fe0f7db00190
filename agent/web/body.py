"""A request's body: complete within its time, JSON, and not nested beyond what can be told again."""

from __future__ import annotations

import asyncio

import orjson
from aiohttp import web

from agent.errors import Overloaded, ParseError
from agent.web.nesting import check_nesting

BODY_S = 60.0  # a body that has not come by then never will


async def read_json(request: web.Request) -> object:
    """What the body says. Raises ParseError, InvalidRequest, Overloaded."""
    try:
        body = await _bytes(request)
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ParseError("The body is no JSON.") from None
    except TimeoutError:
        raise Overloaded("The body did not come in time.") from None
    check_nesting(body, value)
    return value


async def _bytes(request: web.Request) -> bytes:
    if request.content.is_eof():  # it came along with its head, as nearly every body does: nothing is waited for
        return await request.read()
    async with asyncio.timeout(BODY_S):
        return await request.read()
