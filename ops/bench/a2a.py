"""What the protocol costs: this service (SQLite, durable) beside the reference SDK's server and a bare echo.

    .venv/bin/python ops/bench/a2a.py [--quick] [--part peers|growth|streams|size …]

The service runs its own web, a2a and tasks layers with work that ends at once; 32 callers ask in closed loops. CPU is
the server process's own, as the kernel counts it. Every ratio is of rounds that take turns in one run.

x_send_cheaper_than_sdk, x_get_cheaper_than_sdk: CPU of the SDK's server a request over ours. x_send_of_bare_echo: our
CPU a SendMessage over that of an aiohttp handler that parses and returns the same body. growth_mb_per_10k_tasks: growth
of our anonymous memory for each 10,000 finished tasks, after warm-up. streams_open: subscriptions open at once that
each got their snapshot and then the end of their task. x_cpu_at_100k_tasks: our CPU a request (send, get, list) with
`stored_tasks` in the store over that with 100.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agent.caller import LOCAL  # noqa: E402  # the repository is no installed package here
from agent.task import Message, Part  # noqa: E402
from agent.web.keys import ENGINE  # noqa: E402
from tests.conformance.scripted_agent import scripted_app  # noqa: E402

CALLERS = 32
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
WORDS = "Extract the invoice number and the total from invoice.pdf. " * 18  # a message of about a kilobyte
numbers = itertools.count()


@dataclass(frozen=True)
class Server:
    """A process under measurement and the session that asks it."""

    process: subprocess.Popen[bytes]
    url: str
    http: aiohttp.ClientSession

    def cpu_s(self) -> float:
        stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / TICKS_PER_S

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) / 1024

    async def call(self, method: str, params: object) -> dict[str, object]:
        body = orjson.dumps({"jsonrpc": "2.0", "id": next(numbers), "method": method, "params": params})
        headers = {"Content-Type": "application/json", "A2A-Version": "1.0"}
        async with self.http.post(self.url, data=body, headers=headers) as answer:
            told = orjson.loads(await answer.read())
        if "result" not in told:
            raise SystemExit(f"{method} failed: {told}")
        return told["result"]

    async def send(self, prefix: str = "bench-") -> str:
        """Sends one message; the id of its task (of an echo: nothing)."""
        result = await self.call("SendMessage", {"message": message(f"{prefix}{next(numbers)}")})
        return str(result.get("task", {}).get("id", ""))


def message(message_id: str, task_id: str | None = None) -> dict[str, object]:
    told: dict[str, object] = {"messageId": message_id, "role": "ROLE_USER", "parts": [{"text": WORDS}]}
    return told | ({"taskId": task_id} if task_id else {})


@contextlib.asynccontextmanager
async def server(*arguments: str) -> AsyncIterator[Server]:
    """A Python process that serves on a free port; ended by SIGTERM, and killed when that is not enough."""
    process, port = launched(*arguments)
    try:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(600)) as http:
            await listening(process, port)
            yield Server(process, f"http://127.0.0.1:{port}/", http)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def launched(*arguments: str) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return subprocess.Popen([sys.executable, *arguments, "--port", str(port)], cwd=ROOT), port


async def listening(process: subprocess.Popen[bytes], port: int) -> None:
    began = time.monotonic()
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        if process.poll() is not None or time.monotonic() - began > 60:
            raise SystemExit("a server did not start")
        await asyncio.sleep(0.05)


async def closed_loop(ask: Callable[[], Awaitable[object]], count: int) -> None:
    """`count` requests by CALLERS callers, each asking again when it has its answer."""
    left = iter(range(count))

    async def caller() -> None:
        for _ in left:
            await ask()

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def cost_us(asked: Server, ask: Callable[[], Awaitable[object]], count: int) -> float:
    before = asked.cpu_s()
    await closed_loop(ask, count)
    return (asked.cpu_s() - before) / count * 1e6


def gets(asked: Server, task_ids: list[str]) -> Callable[[], Awaitable[object]]:
    turn: Iterator[str] = itertools.cycle(task_ids)
    return lambda: asked.call("GetTask", {"id": next(turn)})


async def against_peers(count: int, rounds: int) -> dict[str, float]:
    """Medians of CPU µs a request, ours and the peers', rounds in turn."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            server("-m", "tests.conformance.scripted_agent", "--data-dir", folder) as ours,
            server("ops/bench/peers/a2a_servers.py", "sdk") as sdk,
            server("ops/bench/peers/a2a_servers.py", "echo") as echo,
        ):
            known = {id(one): [await one.send() for _ in range(CALLERS)] for one in (ours, sdk)}
            asked = {
                "send_ours": (ours, ours.send),
                "send_sdk": (sdk, sdk.send),
                "send_echo": (echo, echo.send),
                "get_ours": (ours, gets(ours, known[id(ours)])),
                "get_sdk": (sdk, gets(sdk, known[id(sdk)])),
            }
            for _, ask in asked.values():
                await closed_loop(ask, count // 4)
            costs: dict[str, list[float]] = {name: [] for name in asked}
            for _ in range(rounds):
                for name, (one, ask) in asked.items():
                    costs[name].append(await cost_us(one, ask, count))
    return {name: statistics.median(seen) for name, seen in costs.items()}


async def growth_mb(tasks: int) -> float:
    """Growth of anonymous memory for each 10,000 finished tasks, after a third of that number as warm-up."""
    with tempfile.TemporaryDirectory() as folder:
        async with server("-m", "tests.conformance.scripted_agent", "--data-dir", folder) as ours:
            await closed_loop(ours.send, tasks // 3)
            before = ours.memory_mb()
            await closed_loop(ours.send, tasks)
            return (ours.memory_mb() - before) / tasks * 10_000


async def streams_served(count: int) -> int:
    """How many of `count` subscriptions, all open at once, got their snapshot and then their task's end."""
    with tempfile.TemporaryDirectory() as folder:
        async with server("-m", "tests.conformance.scripted_agent", "--data-dir", folder) as ours:
            task_ids = [await ours.send("tck-input-required-") for _ in range(count)]
            opened = [asyncio.Event() for _ in range(count)]
            readers = [
                asyncio.create_task(follow(ours, task_id, seen)) for task_id, seen in zip(task_ids, opened, strict=True)
            ]
            await asyncio.gather(*(seen.wait() for seen in opened))
            turn = iter(task_ids)
            await closed_loop(lambda: finish(ours, next(turn)), count)
            return sum(await asyncio.gather(*readers))


async def finish(asked: Server, task_id: str) -> None:
    await asked.call("SendMessage", {"message": message(f"tck-complete-task-{next(numbers)}", task_id)})


async def follow(asked: Server, task_id: str, opened: asyncio.Event) -> bool:
    """Reads one subscription to its end; whether it began with the snapshot and ended with the task."""
    url = f"{asked.url}tasks/{task_id}:subscribe"
    async with asked.http.get(url, headers={"A2A-Version": "1.0"}) as answer:
        events = []
        async for line in answer.content:
            if line.startswith(b"data:"):
                events.append(orjson.loads(line[5:]))
                opened.set()
    last = events[-1].get("statusUpdate", {}).get("status", {}).get("state")
    return "task" in events[0] and last == "TASK_STATE_COMPLETED"


async def fill(folder: Path, count: int) -> None:
    """Stores `count` finished tasks through the task engine."""
    async with scripted_app(folder, "http://127.0.0.1") as app:
        engine, left = app[ENGINE], iter(range(count))

        async def caller() -> None:
            for _ in left:
                task = await engine.send(LOCAL, Message(f"bench-{next(numbers)}", "user", (Part(text=WORDS),)))
                assert not isinstance(task, Message)
                await engine.wait(LOCAL, task.id, 60)

        await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def cost_by_size(stored: int, count: int, rounds: int) -> tuple[float, float]:
    """(CPU µs a request with 100 stored tasks, with `stored`): as many sends as gets, and a list for each 32."""
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        await fill(Path(few), 100)
        await fill(Path(many), stored)
        async with (
            server("-m", "tests.conformance.scripted_agent", "--data-dir", few) as small,
            server("-m", "tests.conformance.scripted_agent", "--data-dir", many) as large,
        ):
            costs: dict[int, list[float]] = {id(small): [], id(large): []}
            for number in range(rounds + 1):
                for one in (small, large):
                    cost = await cost_us(one, mixed(one), count)
                    if number:  # the first round warms up
                        costs[id(one)].append(cost)
            return statistics.median(costs[id(small)]), statistics.median(costs[id(large)])


def mixed(asked: Server) -> Callable[[], Awaitable[object]]:
    async def ask() -> None:
        task_id = await asked.send()
        await asked.call("GetTask", {"id": task_id})
        if next(numbers) % 32 == 0:
            await asked.call("ListTasks", {"pageSize": 10})

    return ask


async def peers(*, quick: bool) -> dict[str, str]:
    count, rounds = (600, 3) if quick else (3000, 5)
    costs = await against_peers(count, rounds)
    print("| CPU a request | this service | reference SDK | bare echo |\n|---|--:|--:|--:|")
    print(f"| SendMessage | {costs['send_ours']:.0f} µs | {costs['send_sdk']:.0f} µs | {costs['send_echo']:.0f} µs |")
    print(f"| GetTask | {costs['get_ours']:.0f} µs | {costs['get_sdk']:.0f} µs | |")
    return {
        "x_send_cheaper_than_sdk": f"{costs['send_sdk'] / costs['send_ours']:.2f}",
        "x_send_of_bare_echo": f"{costs['send_ours'] / costs['send_echo']:.2f}",
        "x_get_cheaper_than_sdk": f"{costs['get_sdk'] / costs['get_ours']:.2f}",
    }


async def growth(*, quick: bool) -> dict[str, str]:
    return {"growth_mb_per_10k_tasks": f"{await growth_mb(6000 if quick else 30_000):.2f}"}


async def streams(*, quick: bool) -> dict[str, str]:
    return {"streams_open": str(await streams_served(200 if quick else 1000))}


async def size(*, quick: bool) -> dict[str, str]:
    stored, count, rounds = (5000, 600, 3) if quick else (100_000, 3000, 5)
    small, large = await cost_by_size(stored, count, rounds)
    print(f"A send and a get with 100 stored tasks: {small:.0f} µs, with {stored:,}: {large:.0f} µs.")
    return {"x_cpu_at_100k_tasks": f"{large / small:.2f}", "stored_tasks": str(stored)}


PARTS = {"peers": peers, "growth": growth, "streams": streams, "size": size}


async def measure(parts: list[str], *, quick: bool) -> None:
    figures: dict[str, str] = {}
    for part in parts:
        figures |= await PARTS[part](quick=quick)
    print(" ".join(f"{key}={value}" for key, value in figures.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer requests, 5,000 stored tasks, 200 streams")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS), help="these alone (default: all)")
    options = parser.parse_args()
    asyncio.run(measure(options.part, quick=options.quick))


if __name__ == "__main__":
    main()
