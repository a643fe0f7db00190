"""One way to reach a server: over the pipes of a process of ours, or by streamable HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from agent.pdf_client.command import RemoteServer, ServerCommand, StartError, launch
from agent.pdf_client.process import ServerProcess

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams


class Connection:
    """What the supervisor knows of one generation of the server. `gone` resolves to why it ended."""

    def __init__(self, process: ServerProcess | None) -> None:
        self.process = process
        self.gone: asyncio.Future[str] = process.gone if process else asyncio.get_running_loop().create_future()

    def streams(self, remote: RemoteServer | None, seen: Callable[[], None]) -> AbstractAsyncContextManager[Any]:
        """The transport for the SDK's Client. Imports the SDK, which takes a while."""
        if self.process is not None:
            from agent.pdf_client.pipes import pipe_transport

            return pipe_transport(self.process, seen)
        assert remote is not None, "a connection without a process has an address"  # noqa: S101 - narrows the type
        return _http_streams(remote)

    def lose(self, reason: str) -> None:
        """Somebody noticed that nothing comes through any more."""
        if not self.gone.done():
            self.gone.set_result(reason)

    async def reason(self) -> str:
        """Why it is gone; a pipe's end is often seen a moment before the process's own."""
        reason = self.gone.result()
        if reason == "closed" and self.process is not None:
            await self.process.settle()
            return self.process.end
        return reason

    def end(self, *, at_once: bool) -> None:
        """Begins the end: politely, or by a kill where the server is beyond asking."""
        if self.process is None:
            return
        if at_once:
            self.process.kill()
        else:
            self.process.hang_up()

    async def start_error(self, cause: Exception) -> StartError:
        """Why no session came about."""
        late = isinstance(cause, TimeoutError)
        why = "the time is up" if late else "what it says is no MCP"
        if self.process is None:
            return StartError("no_answer", f"The PDF server does not answer at its address: {cause!r}.")
        code = self.process.exit_code if late else await self.process.settle()
        words = self.process.last_words
        if code is not None:
            return StartError("exits_at_once", f"The PDF server ended at once with exit code {code}.", detail=words)
        return StartError("no_answer", f"The PDF server runs but does not answer: {why}.", detail=words)


@contextlib.asynccontextmanager
async def connect(
    server: ServerCommand | RemoteServer, launched: subprocess.Popen[bytes] | None, *, grace_s: float
) -> AsyncIterator[Connection]:
    """Starts the process (or takes the launched one over) and leaves nothing of it behind on any way out."""
    if isinstance(server, RemoteServer):
        yield Connection(None)
        return
    process = ServerProcess(launched or launch(server))
    try:
        await process.open()
        yield Connection(process)
    finally:
        await asyncio.shield(process.close(grace_s))


@contextlib.asynccontextmanager
async def _http_streams(remote: RemoteServer) -> AsyncIterator[TransportStreams]:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Authorization": f"Bearer {remote.token}"} if remote.token else {}
    timeout = httpx2.Timeout(30.0, read=None)  # a call's own deadline bounds the answer
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout) as client,
        streamable_http_client(remote.url, http_client=client) as streams,
    ):
        yield streams
