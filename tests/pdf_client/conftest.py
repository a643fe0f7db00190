"""The scripted server as a command, and a way to wait for what another process does."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent.pdf_client.command import ServerCommand
from agent.pdf_client.timing import Timing

SCRIPT = Path(__file__).parent / "scripted_server.py"
QUICK = Timing(
    start_timeout_s=5.0, heartbeat_s=0.1, heartbeat_timeout_s=0.5, stable_s=60.0, backoff_base_s=0.01, grace_s=1.0
)
Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    directory = tmp_path / "marks"
    directory.mkdir()
    return directory


@pytest.fixture
def command(marks: Path) -> Callable[..., ServerCommand]:
    def make(mode: str = "", **environment: str) -> ServerCommand:
        known = {"PATH": os.environ["PATH"], "MCP_PDF_MARKS": str(marks)}
        return ServerCommand((sys.executable, "-S", str(SCRIPT), mode), known | environment)

    return make


@pytest.fixture
def until() -> Until:
    async def wait(condition: Callable[[], bool]) -> None:
        """Polls what another process decides; ten seconds at most."""
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            await asyncio.sleep(0.005)

    return wait


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
