"""A whole installation loses a process after the other, and no task; `ops/bench/scale.py` does it for longer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.documents import library
from tests.faults.topology import Outcome, Topology, carried, standing

TASKS = 60
EVERY_S = 3.0
VICTIMS = ("worker-1", "front-1", "redis", "nginx", "worker-2")


async def one_after_the_other(topology: Topology, outcome: Outcome) -> None:
    for name in VICTIMS:
        await asyncio.to_thread(topology.kill, name)
        outcome.kills[name] += 1
        await asyncio.sleep(EVERY_S)  # the next one dies in the midst of what the last death left


async def test_every_process_of_an_installation_is_killed_and_each_task_ends_once(tmp_path: Path) -> None:
    names = library(tmp_path / "library", TASKS, pages=3)
    async with standing(tmp_path, tmp_path / "library") as topology:
        outcome = await carried(topology, names, one_after_the_other, at_a_time=8, within_s=180.0)
    assert (outcome.lost, outcome.doubled, outcome.wrong) == (0, 0, [])
    assert outcome.kills
