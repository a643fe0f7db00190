"""The life of the PDF server, as one coroutine with named phases.

    STARTING -> READY -> (BACKING_OFF) -> STARTING ... -> STOPPED

The SDK's Client must be entered and left in one task and cannot be entered twice, so each generation of the server
has its own, made and left inside `_generation`. Calls run in their callers' tasks on the generation's `Link`.
The first restart after a stable run is immediate; later ones wait exponentially with full jitter, for ever.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import random
import subprocess
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

from agent.errors import Failure
from agent.pdf_client.command import RemoteServer, ServerCommand, StartError
from agent.pdf_client.connection import Connection, connect
from agent.pdf_client.link import Link, ToolInfo
from agent.pdf_client.report import Phase, Report, read_status
from agent.pdf_client.timing import Timing, backoff_s, start_timeout_s
from agent.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

_PATIENCE = 3  # failed starts in a row after which a caller is told instead of kept waiting


class Supervisor:
    """Keeps one server running; `run` is the only coroutine that starts, watches or ends it."""

    def __init__(
        self,
        server: ServerCommand | RemoteServer,
        *,
        metrics: Metrics,
        timing: Timing,
        launched: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._server = server
        self._timing = timing
        self._metrics = metrics
        self._launched = launched
        self._link: Link | None = None
        self._connection: Connection | None = None
        self._nudged = asyncio.Event()
        self._wish: str | None = None  # restart | stop
        self._changed = asyncio.Event()
        self._failures = 0  # ends since the last stable run: what the backoff grows by
        self._failed_starts = 0
        self._ready_at: float | None = None  # of the present generation
        self._generation = 0
        self._reason = ""  # why the generation ended
        self._lingering: set[asyncio.Task[Any]] = set()
        self._restarts: Counter[str] = Counter()
        self._last_seen: float | None = None
        self._status: dict[str, Any] | None = None
        self._worker_restarts: dict[str, int] = {}  # of this generation, by reason
        self._start_error: StartError | None = None
        self.phase = Phase.STARTING
        self.ready = asyncio.Event()
        self.tools: tuple[ToolInfo, ...] = ()
        metrics.mcp_up.set(0)

    async def run(self) -> None:
        """Until `stop`, or cancellation: then the process has gone, too."""
        try:
            while self._wish != "stop":
                self._enter(Phase.STARTING)
                reason = await self._live()
                if self._wish == "stop":
                    break
                self._restarts[reason] += 1
                self._metrics.mcp_restarts_total.labels(reason).inc()
                await self._back_off(reason)
        finally:
            self._enter(Phase.STOPPED)

    async def _live(self) -> str:
        """One generation of the server from start to end; the answer is why it ended."""
        self._generation += 1
        self._ready_at = self._status = None
        self._worker_restarts = {}
        self._reason = "start_failed"
        launched, self._launched = self._launched, None
        try:
            async with connect(self._server, launched, grace_s=self._timing.grace_s) as connection:
                self._connection = connection
                await self._session(connection)
        except Exception as exc:
            if self._ready_at is None:
                self._start_failed(exc)
            else:
                log.debug("mcp.session_broke", exc_info=exc)  # why it ended is known better
        finally:
            self._connection = None
        return self._reason

    async def _session(self, connection: Connection) -> None:
        async with AsyncExitStack() as stack:
            link = await self._open(stack, connection)
            try:
                self._announce(link)
                self._reason = await self._watch(link)
            finally:
                self._withdraw(link, self._reason)

    async def _open(self, stack: AsyncExitStack, connection: Connection) -> Link:
        """The session on a fresh connection, proven by a list of tools. Raises StartError."""
        try:
            async with asyncio.timeout(start_timeout_s(self._failed_starts, self._timing)):
                mcp = await asyncio.to_thread(importlib.import_module, "mcp")
                remote = self._server if isinstance(self._server, RemoteServer) else None
                client = await stack.enter_async_context(mcp.Client(connection.streams(remote, self._seen)))
                listed = await client.list_tools()
        except Exception as exc:
            self._start_error = await connection.start_error(exc)
            connection.end(at_once=True)
            raise self._start_error from exc
        tools = tuple(ToolInfo(tool.name, tool.description or "", tool.input_schema) for tool in listed.tools)
        return Link(client, connection, self._generation, tools)

    def _start_failed(self, exc: Exception) -> None:
        if isinstance(exc, StartError):
            self._start_error = exc
        error = self._start_error or StartError("no_answer", f"The PDF server could not be started: {exc!r}.")
        self._start_error = error
        self._failed_starts += 1
        self._failures = max(self._failures, 1)
        log.warning(
            "mcp.start_failed",
            extra={
                "reason": error.code,
                "cause": error.message,
                "failures": self._failed_starts,
                "detail": error.detail,
            },
        )
        self._tell()

    def _announce(self, link: Link) -> None:
        self._link, self._ready_at = link, time.monotonic()
        self._reason = "closed"
        self._failed_starts, self._start_error = 0, None
        self.tools = link.tools
        self._metrics.mcp_up.set(1)
        self._metrics.mcp_tools_available.set(len(link.tools))
        self.ready.set()
        self._enter(Phase.READY)

    def _withdraw(self, link: Link, reason: str) -> None:
        self._link = None
        self.ready.clear()
        self._metrics.mcp_up.set(0)
        self._metrics.mcp_tools_available.set(0)
        link.connection.lose(reason)  # calls in flight fail now
        link.connection.end(at_once=reason in {"hung", "killed", "closed"})
        if self._ready_at is not None and time.monotonic() - self._ready_at >= self._timing.stable_s:
            self._failures = 0
        self._tell()

    async def _watch(self, link: Link) -> str:
        """Until the generation ends, or has to."""
        gone = link.connection.gone
        while True:
            self._nudged.clear()
            if gone.done():
                return await link.connection.reason()
            if self._wish:
                self._wish = None if self._wish == "restart" else self._wish
                return "requested"
            await self._nudge(gone, self._timing.heartbeat_s)
            if not gone.done() and not self._wish and not await self._beats(link):
                return await link.connection.reason() if gone.done() else "hung"

    async def _nudge(self, gone: asyncio.Future[str] | None, timeout_s: float) -> None:
        """Waits for `gone`, a nudge or the time."""
        nudge = asyncio.create_task(self._nudged.wait())
        waits: set[asyncio.Future[Any]] = {nudge, gone} if gone else {nudge}
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nudge.cancel()

    async def _beats(self, link: Link) -> bool:
        """Whether the server answers a cheap question within the heartbeat's deadline."""
        gone = link.connection.gone
        beat = asyncio.create_task(link.client.call_tool("server_status", {}))
        try:
            waits: set[asyncio.Future[Any]] = {beat, gone}
            await asyncio.wait(waits, timeout=self._timing.heartbeat_timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not beat.done():
                self.abandon(beat)
        if not beat.done() or beat.cancelled() or beat.exception() is not None:
            return False
        self._seen()
        self._read(read_status(beat.result()))
        return True

    def _read(self, status: dict[str, Any] | None) -> None:
        """Keeps the server's own report, and counts by how much its workers' restarts have grown."""
        self._status = status
        told = (status or {}).get("worker_restarts") or {}
        for reason, count in told.items():
            grown = count - self._worker_restarts.get(reason, 0)
            self._metrics.pdf_worker_restarts_total.labels(reason).inc(max(0, grown))
        self._worker_restarts |= told

    async def _back_off(self, reason: str) -> None:
        if reason == "requested":
            return
        delay_s = random.uniform(0, backoff_s(self._failures, self._timing))  # noqa: S311 - jitter is no secret
        self._failures += 1
        log.warning("mcp.restart", extra={"reason": reason, "delay_s": round(delay_s, 3), "failures": self._failures})
        if delay_s:
            self._enter(Phase.BACKING_OFF)
            self._nudged.clear()
            await self._nudge(None, delay_s)
            self._wish = None if self._wish == "restart" else self._wish

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        log.info("mcp.phase", extra={"phase": phase.value, "generation": self._generation})
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _seen(self) -> None:
        self._last_seen = time.monotonic()

    def abandon(self, call: asyncio.Task[Any]) -> None:
        """Cancels a call without waiting for it: its courtesy note may be stuck in a full pipe for seconds."""
        self._lingering.add(call)
        call.add_done_callback(self._forget)
        call.cancel()

    def _forget(self, call: asyncio.Task[Any]) -> None:
        self._lingering.discard(call)
        if not call.cancelled():
            call.exception()  # looked at, so that nobody reports it as never retrieved

    async def link(self, deadline: float) -> Link:
        """The ready generation, waited for until `deadline` (loop time). Raises Failure."""
        while self._link is None:
            if self.phase is Phase.STOPPED or self._wish == "stop":  # it may be stopped before it ever ran
                raise Failure("internal", "The PDF server has been stopped.", retryable=True)
            if self._failed_starts >= _PATIENCE and self._start_error is not None:
                raise Failure("internal", f"The PDF server does not start ({self._start_error.code}).", retryable=True)
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                raise Failure("timeout", "The PDF server was not ready in time.", retryable=True) from None
        return self._link

    def lose(self, link: Link) -> None:
        """A caller saw this generation's connection break: nobody else shall try it."""
        link.connection.lose("closed")
        if self._link is link:
            self._link = None
        self.check()

    def check(self) -> None:
        """Looks at the server now instead of at the next heartbeat."""
        self._nudged.set()

    def restart(self, reason: str) -> None:
        """Ends the present server and starts another; calls in flight are repeated there."""
        log.warning("mcp.restart_asked", extra={"reason": reason})
        if self._wish is None:
            self._wish = "restart"
        self._nudged.set()

    def stop(self) -> None:
        """Ends the server and `run`."""
        self._wish = "stop"
        self._nudged.set()

    @property
    def pid(self) -> int | None:
        process = self._connection.process if self._connection else None
        return process.pid if process else None

    def report(self) -> Report:
        process = self._connection.process if self._connection else None
        error = self._start_error
        return Report(
            phase=self.phase.value,
            generation=self._generation,
            pid=self.pid,
            rss_bytes=process.rss_bytes if process else None,
            last_seen_age_s=None if self._last_seen is None else time.monotonic() - self._last_seen,
            restarts=dict(self._restarts),
            start_error=error.body() if error else None,
            server=self._status,
        )
