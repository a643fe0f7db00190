"""Calls: answers, failures, deadlines, death and cancellation, against real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import Failure
from agent.pdf_client.command import ServerCommand
from agent.pdf_client.report import Phase
from agent.pdf_client.session import PdfClient
from tests.pdf_client.conftest import QUICK, Until, alive

Command = Callable[..., ServerCommand]


async def test_a_call_gives_the_parsed_json(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        assert (await client.call("echo", {}, timeout_s=5))["pid"] == client.pid


async def test_the_tools_are_known_once_ready(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await asyncio.wait_for(client.ready.wait(), 5)
        assert "echo" in [tool.name for tool in client.tools]
        assert client.phase is Phase.READY


async def test_a_tool_error_is_a_failure_with_its_code_and_hint(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        with pytest.raises(Failure) as caught:
            await client.call("fail", {}, timeout_s=5)
    expected = {"code": "not_a_pdf", "message": "This is no PDF.", "hint": "Send one.", "retryable": False}
    assert caught.value.body() == expected


@pytest.mark.parametrize("tool", ["refuse", "prose"])
async def test_an_answer_without_json_is_an_internal_failure(command: Command, tool: str) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        with pytest.raises(Failure) as caught:
            await client.call(tool, {}, timeout_s=5)
    assert caught.value.code == "internal"


async def test_progress_reaches_the_caller_in_order(command: Command) -> None:
    heard: list[tuple[float, float | None, str]] = []

    async def progress(done: float, total: float | None, message: str) -> None:
        heard.append((done, total, message))

    async with PdfClient(command(), timing=QUICK) as client:
        await client.call("count", {}, timeout_s=5, progress=progress)
    assert heard == [(n, 3, f"reading page {n} of 3") for n in (1, 2, 3)]


async def test_a_stray_line_on_stdout_harms_nobody(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        assert await client.call("junk", {}, timeout_s=5) == {}
        assert client.restarts == {}


async def test_a_large_result_takes_linear_time(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await client.ready.wait()
        began = time.monotonic()
        assert len(await client.call("big", {"size": 20_000_000}, timeout_s=30)) == 20_000_000
        assert time.monotonic() - began < 4  # the SDK's own client takes six seconds and more


async def test_a_call_that_its_server_dies_under_is_repeated_on_the_next(
    command: Command, marks: Path, until: Until
) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        call = asyncio.create_task(client.call("park", {}, timeout_s=20))
        for generation in (1, 2):
            await until(lambda n=generation: _count(marks / "parked") == n)  # type: ignore[misc]  # the loop's value
            if generation == 1:
                os.kill(client.pid or 0, signal.SIGKILL)
        assert not call.done()
        os.kill(client.pid or 0, signal.SIGKILL)
        with pytest.raises(Failure) as caught:
            await call
    assert (caught.value.code, caught.value.retryable) == ("internal", True)
    assert _count(marks / "parked") == 2


async def test_a_call_that_changes_something_is_not_repeated(command: Command, marks: Path) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await client.ready.wait()
        call = asyncio.create_task(client.call("forget_document", {}, timeout_s=20))
        await client.call("echo", {}, timeout_s=5)
        os.kill(client.pid or 0, signal.SIGKILL)
        with pytest.raises(Failure) as caught:
            await call
    assert caught.value.retryable


async def test_calls_after_a_death_wait_for_the_next_server(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        first = (await client.call("echo", {}, timeout_s=5))["pid"]
        os.kill(first, signal.SIGKILL)
        assert (await client.call("echo", {}, timeout_s=5))["pid"] != first


async def test_a_deadline_holds_for_a_server_that_never_answers(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await client.ready.wait()
        began = time.monotonic()
        with pytest.raises(Failure) as caught:
            await client.call("park", {}, timeout_s=0.3)
    assert caught.value.code == "timeout"
    assert time.monotonic() - began < 2


async def test_a_deadline_holds_when_the_pipe_is_stuck(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        pid = (await client.call("echo", {}, timeout_s=5))["pid"]
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(Failure) as caught:
            await client.call("echo", {"text": "x" * 5_000_000}, timeout_s=0.3)
        assert time.monotonic() - began < 1
        assert caught.value.code == "timeout"
        assert (await client.call("echo", {}, timeout_s=5))["pid"] != pid
        assert client.restarts == {"hung": 1}
        assert not alive(pid)


async def test_a_cancelled_call_is_cancelled_in_the_server(command: Command, marks: Path, until: Until) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        call = asyncio.create_task(client.call("park", {}, timeout_s=20))
        await until((marks / "parked").exists)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until((marks / "cancelled").exists)


async def test_a_hundred_calls_in_flight_survive_a_death(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await client.ready.wait()
        calls = [asyncio.create_task(client.call("echo", {"n": n}, timeout_s=10)) for n in range(100)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        os.kill(client.pid or 0, signal.SIGKILL)
        assert all("pid" in answer for answer in await asyncio.gather(*calls))


def _count(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0
