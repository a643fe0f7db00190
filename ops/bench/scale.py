"""What more processes bring, and what their deaths cost: PDF workers, a whole installation under kills, a full store.

    .venv/bin/python ops/bench/scale.py [--quick] [--part workers|topology|store …]

x_two_workers: ten-page documents of their own content, nothing cached, through one service with two PDF worker
processes over the same with one; throughput is documents ÷ (wall time − half of the load generator's CPU), on two
cores. Rounds take turns.

lost, doubled: two services that only take, two workers, a Redis and an nginx as real processes; a random one of them is
killed (SIGKILL) every ten seconds and started again; tasks that did not end, and artifacts that were committed twice.

x_cpu_at_100k_tasks: CPU of this process and of Redis for a task's life (create, start, artifact, end, get, list) with
`stored_tasks` in Redis over that with 100. redis_left_percent: Redis' memory after the time to live of all tasks, over
what it grew by while they were there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agent.pools import Pools  # noqa: E402  # the repository is no installed package here
from agent.task import Artifact, ArtifactChanged, AttemptStarted, Part, State, StatusChanged, Task, apply, now  # noqa: E402
from agent.tasks.redis.store import RedisStore  # noqa: E402
from agent.tasks.store import Commit, Erased, ListQuery, Store  # noqa: E402
from tests.faults.documents import library  # noqa: E402
from tests.faults.topology import Outcome, Topology, carried, standing  # noqa: E402
from tests.redis_server import RedisServer, redis_server  # noqa: E402
from tests.service import running  # noqa: E402
from tests.tasks.test_store import made  # noqa: E402

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
KILL_EVERY_S = 10.0
FIELDS = [{"name": "invoice_number", "type": "id", "description": "Invoice number"}]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="within a minute")
    parser.add_argument("--part", choices=sorted(PARTS), action="append", help="only this (may be repeated)")
    parser.add_argument("--tasks", type=int, help="tasks of the topology (default: 2000, quick: 60)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended
    figures: dict[str, str] = {}
    for name in options.part or PARTS:
        with tempfile.TemporaryDirectory(prefix=f"scale-{name}-") as folder:
            figures |= PARTS[name](Path(folder), options)
    print(*(f"{key}={value}" for key, value in figures.items()))
    return 0


def workers(folder: Path, options: argparse.Namespace) -> dict[str, str]:
    """Throughput with one and with two PDF workers; each round has documents nobody has seen."""
    count, rounds = (12, 1) if options.quick else (40, 3)
    found: dict[int, list[float]] = {1: [], 2: []}
    names = library(folder / "library", count * rounds * 2, pages=10)
    for number in range(rounds):
        for place, processes in enumerate((1, 2)):
            at = (2 * number + place) * count
            settings = {"MCP_PDF_WORKERS": str(processes), "ENABLE_CACHE": "false"}
            data = folder / f"data-{number}-{processes}"
            with running(data, library=folder / "library", settings=settings) as service:
                throughput = asyncio.run(_throughput(service.url, names[at : at + count]))
            found[processes].append(throughput)
            print(f"{processes} PDF worker{'s' * (processes - 1)}: {throughput:6.2f} documents/s")
    one, two = (statistics.median(found[processes]) for processes in (1, 2))
    return {"x_two_workers": f"{two / one:.2f}", "documents_per_s_two_workers": f"{two:.2f}"}


async def _throughput(url: str, names: list[str]) -> float:
    began, cpu_began = time.perf_counter(), time.process_time()
    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(_extract(http, url, name) for name in names))
    wall_s, own_s = time.perf_counter() - began, time.process_time() - cpu_began
    return len(names) / (wall_s - own_s / 2)


async def _extract(http: aiohttp.ClientSession, url: str, name: str) -> None:
    part = {"data": {"documents": [name], "fields": FIELDS}}
    message = {"messageId": f"scale {name}", "role": "ROLE_USER", "parts": [part]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}
    async with http.post(url, json=call, headers={"A2A-Version": "1.0"}) as answer:
        state = (await answer.json())["result"]["task"]["status"]["state"]
    if state != "TASK_STATE_COMPLETED":
        raise SystemExit(f"{name} is {state}")


def topology(folder: Path, options: argparse.Namespace) -> dict[str, str]:
    """An installation that loses a process every few seconds."""
    count = options.tasks or (60 if options.quick else 2000)
    names = library(folder / "library", count, pages=3)
    outcome = asyncio.run(_carried(folder, names, every_s=KILL_EVERY_S if count > 500 else 3.0))
    print(f"{count} tasks in {outcome.wall_s:.0f} s; killed:", dict(outcome.kills))
    for words in outcome.wrong[:10]:
        print("wrong:", words)
    figures = {"tasks": count, "ended": outcome.ended, "kills": outcome.kills.total(), "lost": outcome.lost}
    return {key: str(value) for key, value in (figures | {"doubled": outcome.doubled}).items()}


async def _carried(folder: Path, names: list[str], *, every_s: float) -> Outcome:
    chance = random.Random(1)  # noqa: S311  # a run that can be repeated

    async def strike(installation: Topology, outcome: Outcome) -> None:
        while True:
            await asyncio.sleep(every_s)
            name = chance.choice(installation.names)
            await asyncio.to_thread(installation.kill, name)
            outcome.kills[name] += 1

    async with standing(folder, folder / "library") as installation:
        return await carried(installation, names, strike, at_a_time=16, within_s=len(names) * 1.0 + 120)


def store(folder: Path, options: argparse.Namespace) -> dict[str, str]:
    """Cost of a task's life in a store with few and with many; what is left when their time is over."""
    stored, lives, rounds = (5000, 300, 3) if options.quick else (100_000, 1000, 5)
    with redis_server(folder, "--appendonly", "yes") as server:
        return asyncio.run(_grown(server, stored, lives, rounds))


async def _grown(server: RedisServer, stored: int, lives: int, rounds: int) -> dict[str, str]:
    async with _opened(server) as (kept, raw):
        empty = await _memory(raw)
        await _filled(kept, 100)
        small = statistics.median([await _cost_us(kept, server, lives) for _ in range(rounds)])
        await _filled(kept, stored - 100 - lives * rounds)
        large = statistics.median([await _cost_us(kept, server, lives) for _ in range(rounds)])
        full = await _memory(raw)
        later = now() + timedelta(days=1)
        while await kept.retain(tasks_before=later, task_max=10**9, now=later) != Erased():
            pass
        left = await _memory(raw)
    print(f"a task's life with 100 stored: {small:.0f} µs CPU; with {stored}: {large:.0f} µs")
    print(f"Redis: {empty / 1e6:.1f} MB empty, {full / 1e6:.1f} MB full, {left / 1e6:.1f} MB after the time to live")
    percent = 100 * (left - empty) / (full - empty)
    return {
        "x_cpu_at_100k_tasks": f"{large / small:.2f}",
        "stored_tasks": str(stored),
        "redis_left_percent": f"{percent:.1f}",
    }


@asynccontextmanager
async def _opened(server: RedisServer) -> AsyncIterator[tuple[Store, Any]]:
    async with Pools() as pools:
        raw = pools.redis("tasks", server.url)
        async with RedisStore(raw, pools.redis("events", server.url, blocking=True), task_ttl_s=86_400) as kept:
            yield kept, raw


async def _memory(raw: Any) -> int:
    return int((await raw.info("memory"))["used_memory"])


async def _filled(kept: Store, count: int) -> None:
    """Ended tasks, each in one commit."""
    for _ in range(0, count, 500):
        ended = [replace(made(), state=State.COMPLETED, timestamp=now(), created=now()) for _ in range(min(count, 500))]
        await asyncio.gather(*(_committed(kept, Commit(task)) for task in ended))


async def _cost_us(kept: Store, server: RedisServer, lives: int) -> float:
    """CPU of this process and of Redis for one life, a list and a look at it."""
    assert server.process is not None
    began = time.process_time() + _cpu_s(server.process.pid)
    for _ in range(0, lives, 50):
        for task in await asyncio.gather(*(_life(kept) for _ in range(50))):
            await kept.load(task.id)
        await kept.page("ann", ListQuery(page_size=20))
        await kept.page("ann", ListQuery(page_size=20, state=State.COMPLETED))
    return (time.process_time() + _cpu_s(server.process.pid) - began) / lives * 1e6


async def _life(kept: Store) -> Task:
    values = Part(data={"invoice_number": "INV-1", "total": "1190.00"}, has_data=True)
    task = replace(made(), timestamp=now(), created=now())
    await _committed(kept, Commit(task))
    artifact = ArtifactChanged(Artifact("extraction-1", (values, values)))
    for event in (AttemptStarted(now()), artifact, StatusChanged(State.COMPLETED, now())):
        after = apply(task, event)
        await _committed(kept, Commit(after, event, task))
        task = after
    return task


async def _committed(kept: Store, commit: Commit) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    kept.submit(commit, lambda _, fault: future.set_result(None) if fault is None else future.set_exception(fault))
    await future


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


PARTS: dict[str, Callable[[Path, argparse.Namespace], dict[str, str]]] = {
    "workers": workers,
    "topology": topology,
    "store": store,
}

if __name__ == "__main__":
    sys.exit(main())
