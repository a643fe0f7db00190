"""The server's life: starts that fail, deaths that are seen, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import Failure
from agent.pdf_client.command import ServerCommand, StartError, child_environment, launch
from agent.pdf_client.connection import connect
from agent.pdf_client.report import Phase
from agent.pdf_client.session import PdfClient
from agent.pdf_client.timing import Timing, backoff_s, start_timeout_s
from agent.telemetry.metrics import Metrics
from tests.pdf_client.conftest import QUICK, Until, alive

Command = Callable[..., ServerCommand]
ROOT = Path(__file__).parents[2]


async def test_an_idle_death_is_seen_and_the_first_restart_is_immediate(command: Command, until: Until) -> None:
    timing = Timing(heartbeat_s=60, backoff_base_s=60)
    async with PdfClient(command(), timing=timing) as client:
        await client.ready.wait()
        first = client.pid or 0
        os.kill(first, signal.SIGKILL)
        await until(lambda: client.phase is Phase.READY and client.pid != first)
        assert client.restarts == {"killed": 1}


@pytest.mark.parametrize("tool", ["close", "die"])  # stdout closed by a living process; death
async def test_a_server_that_can_answer_no_more_is_ended(command: Command, until: Until, tool: str) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await client.ready.wait()
        first = client.pid or 0
        with pytest.raises(Failure):
            await client.call(tool, {}, timeout_s=5)
        await until(lambda: not alive(first))


async def test_a_stopped_server_is_replaced_without_any_call(command: Command, until: Until) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await client.ready.wait()
        first = client.pid or 0
        os.kill(first, signal.SIGSTOP)
        await until(lambda: client.restarts == {"hung": 1} and client.phase is Phase.READY)
        assert not alive(first)


async def test_a_restart_on_request_takes_no_backoff(command: Command, until: Until) -> None:
    async with PdfClient(command(), timing=Timing(backoff_base_s=60)) as client:
        await client.ready.wait()
        first = client.pid
        client.restart("an operator asked")
        await until(lambda: client.phase is Phase.READY and client.pid != first)
        assert client.restarts == {"requested": 1}


@pytest.mark.parametrize(
    ("argv", "library", "code"),
    [
        (("/nowhere/mcp",), None, "command_not_found"),
        ((sys.executable, "/nowhere/server.py"), None, "file_missing"),
        ((sys.executable, "-c", "import sys; sys.exit('the reason it gives')"), None, "exits_at_once"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), None, "no_answer"),
        ((sys.executable,), Path("/nowhere"), "dir_missing"),
    ],
)
async def test_each_way_not_to_start_has_its_name(
    argv: tuple[str, ...], library: Path | None, code: str, until: Until
) -> None:
    timing = Timing(start_timeout_s=0.7, grace_s=0.2)
    server = ServerCommand(argv, {"PATH": os.environ["PATH"]}, library)
    async with PdfClient(server, timing=timing) as client:
        await until(lambda: client.report().start_error is not None)
        error = client.report().start_error
        assert error is not None
        assert error["code"] == code
        assert not client.ready.is_set()
        if code == "exits_at_once":
            assert error["stderr"] == ["the reason it gives"]


@pytest.mark.parametrize("mode", ["mute", "deaf"])
async def test_a_server_that_never_answers_is_no_start(command: Command, until: Until, mode: str) -> None:
    async with PdfClient(command(mode), timing=Timing(start_timeout_s=0.7)) as client:
        await until(lambda: client.report().start_error is not None)
        assert (client.report().start_error or {})["code"] == "no_answer"


async def test_callers_are_told_when_the_server_keeps_failing_to_start(command: Command) -> None:
    timing = Timing(backoff_base_s=0.01)
    async with PdfClient(command("exit"), timing=timing) as client:
        with pytest.raises(Failure) as caught:
            await client.call("echo", {}, timeout_s=30)
    assert "exits_at_once" in caught.value.message
    assert caught.value.retryable


async def test_fifteen_hundred_failures_do_not_end_the_supervisor(until: Until) -> None:
    server = ServerCommand((sys.executable,), {}, Path("/nowhere"))
    async with PdfClient(server, timing=Timing(backoff_base_s=1e-9, backoff_cap_s=1e-9)) as client:
        await until(lambda: client.restarts.get("start_failed", 0) >= 1500)
        assert client.phase is not Phase.STOPPED


def test_the_backoff_is_capped_and_never_overflows() -> None:
    assert [backoff_s(n, Timing()) for n in (0, 1, 2, 3)] == [0.0, 0.25, 0.5, 1.0]
    assert backoff_s(1500, Timing()) == Timing().backoff_cap_s


def test_each_failed_start_gives_the_next_one_longer_up_to_two_minutes() -> None:
    assert [start_timeout_s(failed, Timing()) for failed in (0, 1, 2, 3, 1500)] == [30, 60, 120, 120, 120]


async def test_no_process_of_the_group_outlives_the_client(command: Command, marks: Path, until: Until) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await client.ready.wait()
        call = asyncio.create_task(client.call("brood", {}, timeout_s=20))
        await until((marks / "brooding").exists)
        group = client.pid or 0
        call.cancel()
    await until(lambda: not _group(group))


async def test_a_death_takes_the_servers_children_along(command: Command, marks: Path, until: Until) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        await client.ready.wait()
        call = asyncio.create_task(client.call("brood", {}, timeout_s=20))
        await until((marks / "brooding").exists)
        group = client.pid or 0
        call.cancel()
        os.kill(group, signal.SIGKILL)
        await until(lambda: not _group(group))


async def test_a_server_dies_with_an_agent_that_is_killed(command: Command, marks: Path, until: Until) -> None:
    server = command()
    program = f"""
        import asyncio
        from agent.pdf_client.command import ServerCommand
        from agent.pdf_client.session import PdfClient
        async def main():
            async with PdfClient(ServerCommand({server.argv!r}, {dict(server.environment)!r})) as client:
                await asyncio.Event().wait()
        asyncio.run(main())
    """
    agent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT)
    await until(lambda: (marks / "starts").exists() and bool((marks / "starts").read_text()))
    child = int((marks / "starts").read_text())
    assert alive(child)
    agent.kill()
    agent.wait()
    await until(lambda: not alive(child))


async def test_a_process_launched_earlier_is_taken_over(command: Command, marks: Path) -> None:
    server = command()
    popen = launch(server)
    async with PdfClient(server, timing=QUICK, launched=popen) as client:
        assert (await client.call("echo", {}, timeout_s=5))["pid"] == popen.pid
    assert popen.returncode == 0  # asked, not killed


async def test_metrics_and_report_tell_the_truth(command: Command, until: Until) -> None:
    metrics = Metrics()

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    async with PdfClient(command(), metrics=metrics, timing=QUICK) as client:
        await client.ready.wait()
        assert (value("mcp_up"), value("mcp_tools_available")) == (1, 13)
        await client.call("echo", {}, timeout_s=5)
        assert value("mcp_call_duration_seconds_count", tool="echo") == 1
        await until(lambda: client.report().server == {"pid": client.pid})
        report = client.report()
        assert (report.phase, report.generation, report.start_error) == ("ready", 1, None)
        assert report.rss_bytes
        assert report.last_seen_age_s is not None
        os.kill(client.pid or 0, signal.SIGKILL)
        await until(lambda: value("mcp_restarts_total", reason="killed") == 1)
    assert (value("mcp_up"), client.phase) == (0, Phase.STOPPED)


async def test_a_call_after_the_end_fails_at_once(command: Command) -> None:
    async with PdfClient(command(), timing=QUICK) as client:
        pass
    with pytest.raises(Failure):
        await client.call("echo", {}, timeout_s=5)


async def test_the_model_key_never_reaches_the_server(command: Command) -> None:
    own = {"PATH": "/bin", "GOOGLE_API_KEY": "secret", "MCP_PDF_TOKEN": "secret", "MAX_PDF_SIZE_KB": "5", "LANG": "C"}
    environment = child_environment(own, {"MCP_PDF_SERVER_DIR": "/library"})
    expected = {"PATH": "/bin", "MAX_PDF_SIZE_KB": "5", "LANG": "C", "MCP_PDF_SERVER_DIR": "/library"}
    assert environment == expected
    async with PdfClient(ServerCommand(command().argv, environment), timing=QUICK) as client:
        assert "GOOGLE_API_KEY" not in await client.call("environment", {}, timeout_s=5)


def test_a_directory_that_cannot_be_read_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything: no real mode would do
    with pytest.raises(StartError) as caught:
        launch(ServerCommand((sys.executable,), {}, tmp_path))
    assert caught.value.code == "dir_unreadable"


@pytest.mark.parametrize("turns", range(1, 9))
async def test_a_start_that_is_cut_short_leaves_no_pipe_open(command: Command, turns: int) -> None:
    before = _open_files()
    popen = launch(command())

    async def start() -> None:
        async with connect(command(), popen, grace_s=5):
            await asyncio.Event().wait()

    start_task = asyncio.create_task(start())
    for _ in range(turns):
        await asyncio.sleep(0)
    start_task.cancel()
    await asyncio.wait({start_task})
    assert not alive(popen.pid)
    assert _open_files() <= before


def _open_files() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def _group(pgid: int) -> list[int]:
    """The living processes of a group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == pgid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
