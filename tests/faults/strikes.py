"""The faults of the matrix: each is a context in which something of the deployment is broken.

A strike gets the victim (the process that does the work, and what stands around it) and leaves it able to heal: what it
killed it starts again, what it held it lets go.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

from tests.faults import processes
from tests.faults.proxy import Trouble
from tests.faults.victim import Victim

HELD_S = 1.5
"""How long a fault lasts that is not over at once: longer than a probe, shorter than a caller's patience."""

Strike = Callable[[Victim], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`of` is the part that fails: `process` (batch has it too), `sqlite`, `redis`, `caller` (its connection)."""

    name: str
    of: str
    strike: Strike


@asynccontextmanager
async def _pdf_server_killed(victim: Victim) -> AsyncIterator[None]:
    os.kill(processes.pdf_server(victim.pid), signal.SIGKILL)
    yield


@asynccontextmanager
async def _pdf_server_stopped(victim: Victim) -> AsyncIterator[None]:
    """It answers no more and does not end; nobody continues it: the supervisor must take another."""
    os.kill(processes.pdf_server(victim.pid), signal.SIGSTOP)
    yield


@asynccontextmanager
async def _pdf_worker_killed(victim: Victim) -> AsyncIterator[None]:
    with suppress(ProcessLookupError):
        os.kill(processes.pdf_worker(victim.pid), signal.SIGKILL)
    yield


@asynccontextmanager
async def _killed(victim: Victim) -> AsyncIterator[None]:
    await victim.restart(signal.SIGKILL)
    yield


@asynccontextmanager
async def _terminated(victim: Victim) -> AsyncIterator[None]:
    await victim.restart(signal.SIGTERM)
    yield


@asynccontextmanager
async def _store_locked(victim: Victim) -> AsyncIterator[None]:
    """Another program keeps a write transaction open for longer than SQLite waits."""
    other = sqlite3.connect(victim.database, isolation_level=None)
    try:
        while True:
            with suppress(sqlite3.OperationalError):
                other.execute("BEGIN IMMEDIATE")
                break
        await asyncio.sleep(4 * HELD_S)
        yield
    finally:
        other.close()


@asynccontextmanager
async def _disk_full(victim: Victim) -> AsyncIterator[None]:
    """No file of the process may grow: each write that would make one longer is refused by the kernel."""
    soft, hard = resource.prlimit(victim.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(victim.pid, resource.RLIMIT_FSIZE, (4096, hard))
    try:
        await asyncio.sleep(HELD_S)
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(victim.pid, resource.RLIMIT_FSIZE, (soft, hard))
    yield


@asynccontextmanager
async def _log_pipe_full(victim: Victim) -> AsyncIterator[None]:
    with victim.log.held():
        await asyncio.sleep(HELD_S)
        yield


def _caller(trouble: Trouble) -> Strike:
    @asynccontextmanager
    async def strike(victim: Victim) -> AsyncIterator[None]:
        with victim.callers.troubled(trouble):
            await asyncio.sleep(HELD_S)
        yield

    return strike


def _redis(trouble: Trouble) -> Strike:
    @asynccontextmanager
    async def strike(victim: Victim) -> AsyncIterator[None]:
        with victim.to_redis.troubled(trouble):
            await asyncio.sleep(HELD_S)
        yield

    return strike


@asynccontextmanager
async def _redis_restarted(victim: Victim) -> AsyncIterator[None]:
    """Killed and started from its append-only file."""
    await asyncio.to_thread(victim.redis.stop)
    await asyncio.to_thread(victim.redis.start)
    yield


@asynccontextmanager
async def _redis_stalled(victim: Victim) -> AsyncIterator[None]:
    victim.redis.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(HELD_S)
    finally:
        victim.redis.send_signal(signal.SIGCONT)
    yield


_LATE, _HOLE = Trouble(latency_s=0.2), Trouble(blackhole=True)
_TORN, _CUT, _SLOW = Trouble(reset=True), Trouble(cut_after=200), Trouble(bytes_per_s=4000)

FAULTS = (
    Fault("pdf_server_killed", "process", _pdf_server_killed),
    Fault("pdf_server_stopped", "process", _pdf_server_stopped),
    Fault("pdf_worker_killed", "process", _pdf_worker_killed),
    Fault("killed", "process", _killed),
    Fault("terminated", "process", _terminated),
    Fault("disk_full", "process", _disk_full),
    Fault("log_pipe_full", "process", _log_pipe_full),
    Fault("store_locked", "sqlite", _store_locked),
    Fault("caller_late", "caller", _caller(_LATE)),
    Fault("caller_in_a_black_hole", "caller", _caller(_HOLE)),
    Fault("caller_torn_off", "caller", _caller(_TORN)),
    Fault("caller_cut_short", "caller", _caller(_CUT)),
    Fault("caller_slow", "caller", _caller(_SLOW)),
    Fault("redis_restarted", "redis", _redis_restarted),
    Fault("redis_stalled", "redis", _redis_stalled),
    Fault("redis_late", "redis", _redis(_LATE)),
    Fault("redis_in_a_black_hole", "redis", _redis(_HOLE)),
    Fault("redis_torn_off", "redis", _redis(_TORN)),
    Fault("redis_cut_short", "redis", _redis(_CUT)),
)
