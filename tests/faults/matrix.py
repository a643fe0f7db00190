"""One cell of the fault matrix: a fault strikes while work is under way; what came of the work, and when it went on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.faults.documents import library, number_of, write
from tests.faults.orders import PATIENCE_S, WORKS, Orders, Receiver
from tests.faults.strikes import FAULTS, Fault
from tests.faults.victim import Victim, standing
from tests.faults.witness import Witness

ORDERS = 15
AT_A_TIME = 6
ENDING_S = 60.0
"""What has not ended so long after the fault is stuck."""

STORES = ("sqlite", "redis")


@dataclass
class Outcome:
    """`recovery_s`: from the end of the strike until work that began after it was done."""

    lost: int = 0
    stuck: int = 0
    recovery_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


def cells() -> Iterable[tuple[Fault, str, str]]:
    """(fault, work, store) of the whole matrix; `batch` keeps no tasks, so it has neither callers nor a store."""
    for fault in FAULTS:
        stores = (fault.of,) if fault.of in STORES else STORES
        for store in stores:
            yield from ((fault, work, store) for work in WORKS)
        if fault.of == "process":
            yield fault, "batch", "sqlite"


async def struck(fault: Fault, works: Iterable[str], store: str, directory: Path) -> Outcome:
    """Orders of several works side by side, so that one fault meets them all."""
    names = library(directory / "library", ORDERS)
    write(directory / "library" / "9999.pdf", pages=1)
    outcome, witness = Outcome(), Witness()
    async with ordering(directory, witness, store) as (victim, orders):
        kinds = [getattr(orders, work) for work in works]
        left = iter([(kinds[index % len(kinds)], name) for index, name in enumerate(names)])

        under_way: set[str] = set()

        async def take_turns() -> None:
            for kind, name in left:
                under_way.add(f"{kind.__name__} {name}")
                await kind(name)
                under_way.remove(f"{kind.__name__} {name}")

        turns = [asyncio.create_task(take_turns()) for _ in range(AT_A_TIME)]
        await asyncio.wait_for(orders.answered.wait(), ENDING_S)
        async with fault.strike(victim):
            pass
        over = time.monotonic()
        try:
            await asyncio.wait_for(orders.unary("9999.pdf"), ENDING_S)
        except TimeoutError:
            outcome.stuck += 1
        outcome.recovery_s = time.monotonic() - over
        _, late = await asyncio.wait(turns, timeout=ENDING_S)
        outcome.stuck += len(late)
        outcome.wrong = [f"stuck: {order}" for order in under_way]
        for turn in late:
            turn.cancel()
        for turn in turns:
            if turn not in late:
                turn.result()
    outcome.wrong += witness.contradictions
    outcome.lost = len(names) + 1 - len(witness.ends) - outcome.stuck
    return outcome


async def batch_struck(fault: Fault, directory: Path) -> Outcome:
    """`batch --resume`, begun again when it ended otherwise than with 0: every document once, and right."""
    names = library(directory / "library", ORDERS)
    out = directory / "results.jsonl"
    arguments = ["batch", str(directory / "library"), "--out", str(out), "--fields", "invoice_number", "--resume"]
    outcome = Outcome()
    async with standing(directory, arguments, {}, store="sqlite") as victim:
        await _lines(victim, out, 1)
        async with fault.strike(victim):
            pass
        over, already = time.monotonic(), len(_finished(out))
        try:
            await _lines(victim, out, min(already + 1, len(names)))
            outcome.recovery_s = time.monotonic() - over
            await _lines(victim, out, len(names))
        except TimeoutError:
            outcome.stuck = 1
    ends = _finished(out)
    outcome.lost = len(names) - len({end["id"] for end in ends})
    wrong = [end for end in ends if end["values"] != {"invoice_number": number_of(end["id"])}]
    outcome.wrong = [f"{end['id']}: {end['error']} {end['values']}" for end in wrong]
    outcome.wrong += [f"{len(ends) - len(names)} lines too many"] * (len(ends) > len(names))
    return outcome


async def _lines(victim: Victim, out: Path, count: int) -> None:
    async with asyncio.timeout(ENDING_S):
        while len(_finished(out)) < count:
            assert victim.process is not None
            if victim.process.poll() not in (None, 0):
                await victim.start()  # as its user would
            await asyncio.sleep(0.02)  # a poll with a deadline


def _finished(out: Path) -> list[dict[str, object]]:
    text = out.read_bytes() if out.exists() else b""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]


@asynccontextmanager
async def ordering(directory: Path, witness: Witness, store: str) -> AsyncIterator[tuple[Victim, Orders]]:
    """A service on `directory / "library"`, ready, that keeps no results; and callers who tell `witness` of it."""
    settings = {
        "MCP_PDF_SERVER_DIR": str(directory / "library"),
        "ENABLE_CACHE": "false",
        "PUSH_ALLOW_PRIVATE": "true",
    }
    receiver = Receiver()
    async with (
        standing(directory, ["serve"], settings, store=store) as victim,
        _receiving(receiver) as hook,
        _session() as http,
    ):
        url = f"http://127.0.0.1:{victim.callers.port}/"
        await _ready(http, url)
        yield victim, Orders(http, url, witness, receiver, hook)


def _session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(sock_connect=PATIENCE_S, sock_read=PATIENCE_S)
    return aiohttp.ClientSession(
        timeout=timeout, headers={"A2A-Version": "1.0"}, connector=aiohttp.TCPConnector(limit=0)
    )


@asynccontextmanager
async def _receiving(receiver: Receiver) -> AsyncIterator[str]:
    """The address of a webhook receiver on a free port of loopback."""
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


async def _ready(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(ENDING_S):
        while True:
            try:
                async with http.get(f"{url}health/ready") as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)  # a poll with a deadline
