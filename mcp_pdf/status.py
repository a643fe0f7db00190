"""How the server is: processes, isolation, quarantine, cache, memory."""

from __future__ import annotations

from typing import Any

import orjson

from mcp_pdf import __version__
from mcp_pdf.desk import Desk
from mcp_pdf.workers import Pool


async def read_status(desk: Desk, *, memory: bool) -> dict[str, Any]:
    """The answer of `server_status`; with `memory` the processes are measured too (PSS, KB)."""
    pool = desk.pool
    status: dict[str, Any] = {
        "version": __version__,
        "workers": _workers(pool),
        "forkserver_pid": pool.forkservers.pid,
        "jobs_done": pool.jobs_done,
        "worker_restarts": dict(pool.restarts),
        "ocr": None if desk.recognition is None else _ocr_status(desk.recognition.pool),
        "isolation": pool.isolation,
        "quarantine": desk.quarantine.held(),
        "cache": {"hits": desk.cache.hits, "misses": desk.cache.misses, "bytes": desk.cache.size_bytes()},
    }
    if memory:
        status["pss_kb"] = await _memory(desk)
    return status


def _workers(pool: Pool) -> dict[str, Any]:
    return {"pids": pool.pids, "size": pool.size, "busy": pool.busy, "waiting": pool.waiting}


def _ocr_status(pool: Pool) -> dict[str, Any]:
    engine = pool.kind.partition(":")[0]
    return {"engine": engine, "workers": _workers(pool), "worker_restarts": dict(pool.restarts)}


async def _memory(desk: Desk) -> dict[str, Any]:
    shares = [answer async for answer in desk.pool.each_idle({"job": "memory"})]
    return {
        "server": _own_share_kb(),
        "forkserver": await desk.pool.forkservers.memory_kb(),
        "workers": [orjson.loads(answer.parts["answer"])["pss_kb"] for answer in shares if answer is not None],
    }


def _own_share_kb() -> int:
    with open("/proc/self/smaps_rollup", encoding="ascii") as report:  # noqa: PTH123  # a file of the kernel
        return next(int(line.split()[1]) for line in report if line.startswith("Pss:"))
