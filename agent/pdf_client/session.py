"""Calls to the PDF server: parsed answers, deadlines that hold, one retry on a fresh server."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import orjson

from agent.errors import Failure
from agent.pdf_client.command import RemoteServer, ServerCommand
from agent.pdf_client.link import Link, ToolInfo
from agent.pdf_client.report import Phase, Report
from agent.pdf_client.supervisor import Supervisor
from agent.pdf_client.timing import Timing
from agent.telemetry import tracing
from agent.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from mcp.shared.dispatcher import ProgressFnT
    from mcp_types import CallToolResult

Progress = Callable[[float, float | None, str], Awaitable[None]]

_WRITES = frozenset({"release_document", "forget_document"})  # not repeated on a new process
_STOP_S = 5.0


class _Lost(Exception):
    """The server went while it had our call."""


class PdfClient:
    """The PDF server for as long as the context is open; it is started, watched and ended in here."""

    def __init__(
        self,
        server: ServerCommand | RemoteServer,
        *,
        metrics: Metrics | None = None,
        timing: Timing | None = None,
        launched: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._supervisor = Supervisor(server, metrics=self._metrics, timing=timing or Timing(), launched=launched)
        self._life: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """At once: the server starts meanwhile, `ready` tells when."""
        self._life = asyncio.create_task(self._supervisor.run(), name="pdf-server")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._life is not None, "entered before it is left"  # noqa: S101 - narrows the type
        self._supervisor.stop()
        if self.phase is Phase.READY:
            await asyncio.wait({self._life}, timeout=_STOP_S)
        self._life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._life

    @property
    def tools(self) -> tuple[ToolInfo, ...]:
        return self._supervisor.tools

    @property
    def phase(self) -> Phase:
        return self._supervisor.phase

    @property
    def pid(self) -> int | None:
        return self._supervisor.pid

    @property
    def restarts(self) -> Mapping[str, int]:
        return self.report().restarts

    @property
    def ready(self) -> asyncio.Event:
        return self._supervisor.ready

    def report(self) -> Report:
        return self._supervisor.report()

    def restart(self, reason: str) -> None:
        """Replaces the server; calls in flight are repeated on the new one."""
        self._supervisor.restart(reason)

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, timeout_s: float, progress: Progress | None = None
    ) -> Any:
        """The parsed JSON of the tool's text.

        Raises Failure: with the tool's own code, with `timeout` when `timeout_s` (start of the server included) has
        passed, or retryable when the server died under the call twice (once for a call that changes something).
        Cancellation reaches the server.
        """
        took = self._metrics.mcp_call_duration_seconds.labels(tool)
        with tracing.span(f"pdf {tool}", timed=took):
            return await self._tried(tool, dict(arguments), timeout_s, progress)

    async def _tried(self, tool: str, arguments: dict[str, Any], timeout_s: float, progress: Progress | None) -> Any:
        deadline = asyncio.get_running_loop().time() + timeout_s
        for attempts_left in (0,) if tool in _WRITES else (1, 0):
            link = await self._supervisor.link(deadline)
            try:
                return answer(await self._once(link, tool, arguments, deadline, progress))
            except _Lost:
                self._supervisor.lose(link)
                if not attempts_left:
                    break
        raise Failure(
            "internal", "The PDF server died while it worked on this.", hint="Try again in a moment.", retryable=True
        )

    async def _once(
        self, link: Link, tool: str, arguments: dict[str, Any], deadline: float, progress: Progress | None
    ) -> CallToolResult:
        """In a task of its own: with a stuck pipe the SDK's timeouts do not fire."""
        gone = link.connection.gone
        call = asyncio.create_task(
            link.client.call_tool(tool, arguments, progress_callback=_in_context(progress)), name=f"mcp:{tool}"
        )
        left_s = deadline - asyncio.get_running_loop().time()
        try:
            waits: set[asyncio.Future[Any]] = {call, gone}
            await asyncio.wait(waits, timeout=max(0.0, left_s), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not call.done():
                self._supervisor.abandon(call)
        if call.done() and not call.cancelled():
            return _outcome(call)
        if gone.done() or call.cancelled():
            raise _Lost
        self._supervisor.check()
        raise Failure("timeout", f"{tool} took too long.", hint="Ask for fewer pages.", retryable=True)


def _outcome(call: asyncio.Task[CallToolResult]) -> CallToolResult:
    """The result; any exception of the SDK means that the conversation with this server is broken."""
    try:
        return call.result()
    except Exception as exc:
        from mcp import MCPError

        if isinstance(exc, MCPError) and exc.code != -32000:  # the server answered with a protocol error
            raise Failure("internal", f"The PDF server refused the call: {exc.code}.") from exc
        raise _Lost from exc


def _in_context(progress: Progress | None) -> ProgressFnT | None:
    """The callback under the caller's context, so that its log lines name the task; the SDK has its own."""
    if progress is None:
        return None
    tell, context = progress, contextvars.copy_context()

    async def report(progress: float, total: float | None, message: str | None) -> None:
        async def told() -> None:
            await tell(progress, total, message or "")

        await asyncio.create_task(told(), context=context)

    return report


def answer(result: CallToolResult) -> Any:
    """The JSON in a tool's text; a picture beside it becomes its `base64`.

    Raises Failure for a tool error: the server's own failure shape, where it has one.
    """
    text = "".join(block.text for block in result.content if block.type == "text")
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        if not result.is_error:
            raise Failure("internal", "The PDF server answered with something other than JSON.") from None
        body = {"code": "internal", "message": text[:300]}
    if not result.is_error:
        pictures = [block.data for block in result.content if block.type == "image"]
        return body | {"base64": pictures[0]} if pictures else body
    if not isinstance(body, dict):
        body = {}
    raise Failure(
        str(body.get("code", "internal")),
        str(body.get("message", "The PDF server failed.")),
        hint=body.get("hint"),
        retryable=bool(body.get("retryable", False)),
    )
