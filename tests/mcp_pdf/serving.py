"""A real `mcp_pdf` process on stdio behind the official client, called from plain test functions."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters

SAMPLES = Path(__file__).parents[2] / "agent" / "samples"


@dataclass(frozen=True)
class Serving:
    """A live server: `call` gives the parsed JSON of a result, `fail` that of an error result."""

    portal: BlockingPortal
    client: Client

    def raw(self, tool: str, **arguments: Any) -> Any:
        async def ask() -> Any:
            return await self.client.call_tool(tool, arguments, read_timeout_seconds=60)

        return self.portal.call(ask)

    def together(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[Any]:
        """The results of calls that are all under way at once."""

        async def ask() -> list[Any]:
            return await asyncio.gather(
                *(self.client.call_tool(tool, arguments, read_timeout_seconds=60) for tool, arguments in calls)
            )

        return self.portal.call(ask)

    def call(self, tool: str, **arguments: Any) -> Any:
        result = self.raw(tool, **arguments)
        assert not result.is_error, result.content[0].text
        return json.loads(result.content[0].text)

    def fail(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.raw(tool, **arguments)
        assert result.is_error, result.content[0].text[:500]
        body = json.loads(result.content[0].text)
        assert sorted(body) == ["code", "hint", "message", "retryable"]
        return body

    @property
    def workers(self) -> list[int]:
        return self.call("server_status")["workers"]["pids"]


@contextmanager
def serving(directory: Path, **environment: str) -> Iterator[Serving]:
    """A server of this directory; leaving stops it."""
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_pdf", "--dir", str(directory)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "MCP_PDF_WORKERS": "2", **environment},
    )
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Client(parameters)) as client:
        yield Serving(portal, client)


@contextmanager
def serving_http(directory: Path, **environment: str) -> Iterator[str]:
    """The address of a server of this directory over streamable HTTP; leaving ends it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "mcp_pdf", "--dir", str(directory), "--transport", "http", "--port", str(port)]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "MCP_PDF_WORKERS": "1"} | environment
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: _is_open(port))
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def eventually(holds: Callable[[], bool], within_s: float = 30.0) -> bool:
    """Polls until it holds; False when the time is up."""
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)  # the one polling wait of these tests: processes of others send no event
    return True


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
