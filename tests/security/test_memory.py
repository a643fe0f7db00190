"""What a process holds in memory stays there."""

from __future__ import annotations

import subprocess
import sys

import pytest

PR_GET_DUMPABLE = 3


@pytest.mark.parametrize(
    "call",
    ["from agent.cli.lifetime import keep_memory_private as call", "from mcp_pdf.isolation import undumpable as call"],
)
def test_service_and_pdf_server_leave_no_core_dump_and_cannot_be_read(call: str) -> None:
    tell = f"print(ctypes.CDLL(None).prctl({PR_GET_DUMPABLE}))"
    code = f"import ctypes\n{call}\n{tell}\ncall()\n{tell}"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.split() == ["1", "0"]
