"""Whether anything grows: a mixed load with faults for half an hour, and what the processes hold meanwhile.

    .venv/bin/python ops/bench/soak.py [--minutes N] [--quick]

The real service (SQLite, no result cache) reads documents for callers that wait, that stream and that are told by
webhook. Every ten seconds something fails: its PDF server, one of its workers, the callers' connections. Every second
its memory is read. rss_growth_percent: of the process that grew most (agent or PDF server), the median of the last
fifth of the time over that of the second fifth. fds_growth, processes_growth: the same as differences, of the agent
with all below it. lost: orders that did not end as they should.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the tests are no installed package

from tests.faults import processes
from tests.faults.documents import library
from tests.faults.matrix import ordering
from tests.faults.orders import WORKS
from tests.faults.strikes import FAULTS
from tests.faults.victim import Victim
from tests.faults.witness import Witness

DOCUMENTS = 60
AT_A_TIME = 6
FAULT_EVERY_S = 10.0
STRIKES = ("pdf_server_killed", "pdf_worker_killed", "caller_torn_off", "caller_late", "caller_cut_short")
"""Faults that leave the agent alive: its memory is what is watched."""


@dataclass(frozen=True, slots=True)
class Sample:
    agent_mb: float
    pdf_server_mb: float
    fds: int
    processes: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--quick", action="store_true", help="40 seconds")
    options = parser.parse_args()
    minutes = 40 / 60 if options.quick else options.minutes
    with tempfile.TemporaryDirectory() as folder:
        samples, orders, lost = asyncio.run(_soak(Path(folder), 60 * minutes))
    fifth = len(samples) // 5
    early, late = samples[fifth : 2 * fifth], samples[-fifth:]
    for words, part in (("second fifth", early), ("last fifth", late)):
        print(
            f"{words}: agent {_median(part, 'agent_mb'):.1f} MB, PDF server {_median(part, 'pdf_server_mb'):.1f} MB, "
            f"{_median(part, 'fds'):.0f} descriptors, {_median(part, 'processes'):.0f} processes"
        )
    growths = [100 * (_median(late, of) / _median(early, of) - 1) for of in ("agent_mb", "pdf_server_mb")]
    figures = {
        "minutes": f"{minutes:.1f}",
        "orders": orders,
        "rss_growth_percent": f"{max(growths):.1f}",
        "fds_growth": f"{_median(late, 'fds') - _median(early, 'fds'):.0f}",
        "processes_growth": f"{_median(late, 'processes') - _median(early, 'processes'):.0f}",
        "lost": lost,
    }
    print(" ".join(f"{key}={value}" for key, value in figures.items()))
    return 1 if lost else 0


async def _soak(directory: Path, duration_s: float) -> tuple[list[Sample], int, int]:
    """What was seen, how many orders were given, how many of them went wrong."""
    names = library(directory / "library", DOCUMENTS)
    witness, given = Witness(), itertools.count()
    async with ordering(directory, witness, "sqlite") as (victim, orders):
        end = time.monotonic() + duration_s

        async def caller() -> None:
            while time.monotonic() < end:
                number = next(given)
                await getattr(orders, WORKS[number % len(WORKS)])(names[number % len(names)])

        samples: list[Sample] = []
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_A_TIME):
                group.create_task(caller())
            group.create_task(_strike(victim, end))
            while time.monotonic() < end:
                await asyncio.sleep(1)
                with suppress(LookupError, FileNotFoundError, ProcessLookupError):  # a process that ended meanwhile
                    samples.append(_sample(victim.pid))
    for words in witness.contradictions:
        print(words)
    count = next(given)
    return samples, count, count - len(witness.ends) + len(witness.contradictions)


async def _strike(victim: Victim, end: float) -> None:
    strikes = itertools.cycle(fault.strike for fault in FAULTS if fault.name in STRIKES)
    while time.monotonic() + FAULT_EVERY_S < end:
        await asyncio.sleep(FAULT_EVERY_S)
        with suppress(LookupError):  # it has just ended by itself
            async with next(strikes)(victim):
                pass


def _sample(agent: int) -> Sample:
    family = [agent, *processes.descendants(agent)]
    fds = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in family)
    return Sample(_rss_mb(agent), _rss_mb(processes.pdf_server(agent)), fds, len(family))


def _rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _median(samples: list[Sample], of: str) -> float:
    return statistics.median(getattr(sample, of) for sample in samples)


if __name__ == "__main__":
    sys.exit(main())
