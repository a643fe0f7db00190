"""A stream of task updates over HTTP: snapshot first, comments to keep it open, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

from agent.a2a import operations as ops
from agent.a2a.codec import Codec
from agent.errors import AgentError
from agent.task import Message, State, state_after
from agent.tasks.subscription import Update
from agent.web import sse
from agent.web.answers import common_headers, dump, echo_headers
from agent.web.keys import FIRST_BYTE

PING_S = 15.0
IDLE_S = 3600.0  # a stream that waits for a person's input this long is closed
AUTH_S = 30.0  # one that only sent a message waits this long for a credential given elsewhere

Wrap = Callable[[Any], Any]


async def tell(
    request: web.Request,
    updates: AsyncIterator[Update] | Message,
    *,
    codec: Codec,
    history_length: int | None,
    stays: bool,
    wrap: Wrap,
    failed: Callable[[BaseException], Any],
) -> web.StreamResponse:
    """Writes the updates until the task ends or, unless it `stays`, waits for input. The reader may vanish."""
    told = {**sse.HEADERS, **common_headers(request), **echo_headers(request, codec.version)}
    response = web.StreamResponse(headers=told)
    await response.prepare(request)
    request[FIRST_BYTE] = time.perf_counter()
    if isinstance(updates, Message):
        await response.write(sse.encode(dump(wrap(codec.task_or_message(updates, history_length)))))
        return response
    # 0.3 clients wait for a final event, so theirs ends; 1.0 keeps it open a while (§7.6.1).
    pauses = {State.INPUT_REQUIRED} if codec.version == ops.V1 else {State.INPUT_REQUIRED, State.AUTH_REQUIRED}
    try:
        async for update in _with_pings(updates, response, stays=stays):
            last = update.last or (not stays and _state(update) in pauses)
            event = codec.event(update.task, update.event, history_length, final=last)
            await response.write(sse.encode(dump(wrap(event)), sequence=update.sequence))
            if last:
                break
        else:
            await response.write(sse.GOODBYE)
    except AgentError as exc:
        with contextlib.suppress(ConnectionError):
            await response.write(sse.encode(dump(failed(exc)), event="error"))
    except ConnectionError:
        return response  # the reader went; the task goes on
    with contextlib.suppress(ConnectionError):
        await response.write_eof()
    return response


def _state(update: Update) -> State | None:
    """The state an update tells of; None where it tells of none."""
    return update.task.state if update.event is None else state_after(update.event)


async def _with_pings(
    updates: AsyncIterator[Update], response: web.StreamResponse, *, stays: bool
) -> AsyncIterator[Update]:
    """The updates; a comment whenever nothing has come for a while."""
    waiting: asyncio.Future[Update] | None = None
    quiet_s, patience_s = 0.0, IDLE_S
    try:
        while quiet_s < patience_s:
            waiting = waiting or asyncio.ensure_future(anext(updates))
            done, _ = await asyncio.wait({waiting}, timeout=PING_S)
            if not done:
                quiet_s += PING_S
                await response.write(sse.PING)
                continue
            quiet_s = 0.0
            try:
                update = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            patience_s = AUTH_S if not stays and _state(update) is State.AUTH_REQUIRED else IDLE_S
            yield update
    finally:
        if waiting is not None:
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, AgentError):
                await waiting
