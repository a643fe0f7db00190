"""The SDK's transport over a server process's pipes: one JSON-RPC message a line.

The SDK's own stdio client re-splits its whole buffer at each chunk (quadratic in the size of a result) and keeps
the end of an idle server to itself; this one does neither.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from agent.pdf_client.process import Lines, ServerProcess

log = logging.getLogger(__name__)

_INBOX = 64  # messages read ahead of the session


@contextlib.asynccontextmanager
async def pipe_transport(process: ServerProcess, seen: Callable[[], None]) -> AsyncIterator[TransportStreams]:
    """Streams for one session; `seen` is called for each message of the server."""
    inbox_in, inbox = anyio.create_memory_object_stream[SessionMessage | Exception](_INBOX)
    outbox, outbox_out = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as group:
        group.start_soon(_read, process, inbox_in, seen)
        group.start_soon(_write, process, outbox_out, inbox_in)
        try:
            yield inbox, outbox
        finally:
            group.cancel_scope.cancel()
            for stream in (inbox, outbox, inbox_in, outbox_out):
                stream.close()


async def _read(process: ServerProcess, inbox: MemoryObjectSendStream[Any], seen: Callable[[], None]) -> None:
    lines = Lines()
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async with inbox:
            while chunk := await process.read():
                try:
                    complete = lines.feed(chunk)
                except ValueError as exc:
                    log.warning("mcp.line_too_long", extra={"cause": str(exc)})
                    return
                for line in complete:
                    if (message := _parse(line)) is not None:
                        seen()
                        await inbox.send(message)


def _parse(line: bytes) -> SessionMessage | None:
    """None for what is no message: a stray print must not end the session."""
    if not line.strip():
        return None
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        log.warning("mcp.junk_line", extra={"size_bytes": len(line)})
        return None


async def _write(
    process: ServerProcess,
    outbox: MemoryObjectReceiveStream[SessionMessage],
    inbox: MemoryObjectSendStream[Any],
) -> None:
    try:
        async with outbox:
            async for item in outbox:
                text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                await process.write(text.encode() + b"\n")
    except (ConnectionError, anyio.ClosedResourceError, anyio.BrokenResourceError):
        inbox.close()  # so that the session sees the end, also while stdout is still open
