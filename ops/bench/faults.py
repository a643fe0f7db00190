"""What faults cost: each one struck while work is under way, in each kind of work, on each store.

    .venv/bin/python ops/bench/faults.py [--fault NAME ...] [--store sqlite|redis] [--repeat N] [--quick]

The real service (or `batch`) with its PDF server, a real Redis, and a TCP proxy on each way between them. A caller
repeats, reconnects and waits as the protocol lets him. lost: tasks that were acknowledged and are gone. stuck: orders
that did not end within a minute of the fault. wrong: ends, errors or events that the fault does not explain.
recovery: from the end of the strike until work that began after it was done.
mcp_recovery: from the SIGKILL of the PDF server, after a stable run, until the service is ready again.
redelivery: from the SIGKILL of a process that runs a task, until another one has ended it; the lease is LEASE_S.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the tests are no installed package

from agent.pdf_client.timing import Timing
from tests.faults.matrix import STORES, Outcome, batch_struck, cells, struck
from tests.faults.strikes import FAULTS, Fault
from tests.redis_server import redis_server
from tests.service import Service, running
from tests.tasks.stores import Place
from tests.tasks.test_shared import ended, opened, pages, sent, worker

QUICK = ("pdf_server_killed", "killed")
MCP_KILLS = 20
WORKER_KILLS = 20
LEASE_S = 2.0
STABLE_S = Timing().stable_s + 0.5
"""Between two kills: the first end after a stable run is what is measured."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", action="append", choices=[fault.name for fault in FAULTS], help="only these")
    parser.add_argument("--store", choices=STORES, help="only this one")
    parser.add_argument("--repeat", type=int, default=3, help="times that each cell is run (default 3)")
    parser.add_argument("--quick", action="store_true", help=f"once, only {' and '.join(QUICK)}, on SQLite")
    options = parser.parse_args()
    if options.quick:
        options.fault, options.store, options.repeat = list(QUICK), "sqlite", 1
    rows = {}
    for fault, work, store in cells():
        if (not options.fault or fault.name in options.fault) and options.store in (None, store):
            rows[fault.name, work, store] = [asyncio.run(_cell(fault, work, store)) for _ in range(options.repeat)]
            _print(fault.name, work, store, rows[fault.name, work, store])
    recoveries = _mcp_recoveries(2 if options.quick else MCP_KILLS)
    redeliveries = asyncio.run(_redeliveries(2 if options.quick else WORKER_KILLS))
    outcomes = [outcome for row in rows.values() for outcome in row]
    figures = {
        "cells": len(rows),
        "lost": sum(outcome.lost for outcome in outcomes),
        "stuck": sum(outcome.stuck for outcome in outcomes),
        "wrong": sum(len(outcome.wrong) for outcome in outcomes),
        "mcp_recovery_p50_s": f"{_percentile(recoveries, 50):.2f}",
        "mcp_recovery_p99_s": f"{_percentile(recoveries, 99):.2f}",
        "redelivery_p50_s": f"{_percentile(redeliveries, 50):.2f}",
        "redelivery_p99_s": f"{_percentile(redeliveries, 99):.2f}",
    }
    print(" ".join(f"{key}={value}" for key, value in figures.items()))
    return 1 if figures["lost"] or figures["stuck"] or figures["wrong"] else 0


async def _cell(fault: Fault, work: str, store: str) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        if work == "batch":
            return await batch_struck(fault, Path(folder))
        return await struck(fault, (work,), store, Path(folder))


def _print(fault: str, work: str, store: str, outcomes: Sequence[Outcome]) -> None:
    times = [outcome.recovery_s for outcome in outcomes]
    lost, stuck = sum(outcome.lost for outcome in outcomes), sum(outcome.stuck for outcome in outcomes)
    wrong = [words for outcome in outcomes for words in outcome.wrong]
    recovery = f"recovery p50 {_percentile(times, 50):5.2f} s, p99 {_percentile(times, 99):5.2f} s"
    print(f"{fault:24} {work:7} {store:7} lost {lost} stuck {stuck} wrong {len(wrong)} {recovery}", flush=True)
    for words in wrong:
        print(f"    {words}", flush=True)


def _mcp_recoveries(kills: int) -> list[float]:
    """Seconds from a SIGKILL of the PDF server until the service is ready with another one."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as service:
        return [_recovery(service) for _ in range(kills)]


def _recovery(service: Service) -> float:
    service.send({"data": {"documents": ["invoice.pdf"], "document_type": "invoice"}})
    stable = time.monotonic() + STABLE_S
    service.wait(lambda: time.monotonic() >= stable)
    pid = service.mcp_pid()
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    service.wait(_replaced(service, pid))
    return time.monotonic() - killed


def _replaced(service: Service, pid: int) -> Callable[[], bool]:
    def ready() -> bool:
        status, body = service.get("/health/ready")
        return status == 200 and body["details"]["mcp"]["pid"] != pid

    return ready


async def _redeliveries(kills: int) -> list[float]:
    """Seconds from a SIGKILL of a process at work until another process has ended its task."""
    times = []
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        place = Place(Path(folder), server.url)
        async with opened(place, takes=False) as front:
            for _ in range(kills):
                victim = await worker(place, "stuck")
                task = await sent(front)
                await victim.stdout.readline()
                async with opened(place, pages, lease_s=LEASE_S):
                    victim.kill()
                    killed = time.monotonic()
                    await ended(front, task.id)
                    times.append(time.monotonic() - killed)
                await victim.wait()
    return times


def _percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


if __name__ == "__main__":
    sys.exit(main())
