"""What only an operator may see and do: the state of all parts, the PDF server, the quarantine, the configuration."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import shutil
import sys
import traceback
from dataclasses import asdict

from aiohttp import web

from agent import __version__
from agent.errors import InvalidParams
from agent.web.answers import json_answer
from agent.web.door import require
from agent.web.health import HEALTH
from agent.web.keys import CONFIGURATION, DATA_DIR, ENGINE, HISTORY, PDF, POOLS

audit = logging.getLogger("agent.audit")

CALL_S = 10.0


async def state(request: web.Request) -> web.Response:
    """All that moves in one answer: readiness with ages, the PDF server, tasks, pools, disk, the last hour."""
    require(request, "admin")
    app = request.app
    _, readiness = app[HEALTH].report()
    disk = await asyncio.to_thread(shutil.disk_usage, app[DATA_DIR])
    return json_answer(
        {
            "version": __version__,
            "pid": os.getpid(),
            "readiness": readiness,
            "mcp": asdict(app[PDF].report()),
            "tasks": {"waiting": app[ENGINE].queued, "running": app[ENGINE].running},
            "pools": [asdict(pool) for pool in app[POOLS].report()],
            "disk": {"free_bytes": disk.free, "total_bytes": disk.total},
            "history": app[HISTORY].report(),
        }
    )


async def mcp(request: web.Request) -> web.Response:
    """The supervisor's view, and the server's own."""
    require(request, "admin")
    return json_answer(asdict(request.app[PDF].report()))


async def restart(request: web.Request) -> web.Response:
    """Replaces the PDF server; calls in flight are repeated on the new one."""
    caller = require(request, "admin")
    audit.warning("mcp.restart", extra={"by": caller.id})
    request.app[PDF].restart("admin")
    return json_answer({"restarting": True}, status=202)


async def quarantine(request: web.Request) -> web.Response:
    """The documents that are not opened any more: `{sha256, kills, reason, at}`, the latest first."""
    require(request, "admin")
    status = await request.app[PDF].call("server_status", {}, timeout_s=CALL_S)
    return json_answer({"quarantine": status["quarantine"]})


async def release(request: web.Request) -> web.Response:
    """Lets one of them be opened again."""
    caller = require(request, "admin")
    sha256 = request.match_info["sha256"]
    if len(sha256) != 64:
        raise InvalidParams("sha256 has 64 hexadecimal digits", field="sha256")
    audit.warning("quarantine.release", extra={"by": caller.id, "sha256": sha256})
    return json_answer(await request.app[PDF].call("release_document", {"sha256": sha256}, timeout_s=CALL_S))


async def dead_letters(request: web.Request) -> web.Response:
    """Tasks that were given up because the processes that ran them died."""
    require(request, "admin")
    rows = [
        {
            "id": t.id,
            "caller": t.caller,
            "state": t.state.value,
            "attempts": t.attempt,
            "ended": t.timestamp.isoformat(),
        }
        for t in await request.app[ENGINE].dead_letters.list()
    ]
    return json_answer({"deadLetters": rows})


async def replay(request: web.Request) -> web.Response:
    """Asks for the same again, as a new task of the same caller."""
    caller = require(request, "admin")
    task_id = request.match_info["id"]
    audit.warning("dead_letter.replay", extra={"by": caller.id, "task": task_id})
    return json_answer({"id": (await request.app[ENGINE].dead_letters.replay(task_id)).id}, status=202)


async def memory(request: web.Request) -> web.Response:
    """Proportional memory in KB: each process reports its own."""
    require(request, "admin")
    status = await request.app[PDF].call("server_status", {"memory": True}, timeout_s=CALL_S)
    return json_answer({"agent": await asyncio.to_thread(_own_share_kb), "mcp_pdf": status["pss_kb"]})


async def stacks(request: web.Request) -> web.Response:
    """Where every thread and task stands, as text."""
    require(request, "admin")
    out = io.StringIO()
    for number, frame in sys._current_frames().items():  # noqa: SLF001  # the documented way to all threads
        out.write(f"thread {number}\n{''.join(traceback.format_stack(frame))}\n")
    for task in asyncio.all_tasks():
        out.write(f"task {task.get_name()}\n")
        task.print_stack(limit=8, file=out)
    return web.Response(text=out.getvalue())


async def configuration(request: web.Request) -> web.Response:
    """Effective settings with their sources; secrets are masked."""
    require(request, "admin")
    rows = [{"name": n, "value": v, "source": s} for n, v, s in request.app[CONFIGURATION]]
    return json_answer({"settings": rows})


def _own_share_kb() -> int:
    with open("/proc/self/smaps_rollup", encoding="ascii") as report:  # noqa: PTH123  # a file of the kernel
        return next(int(line.split()[1]) for line in report if line.startswith("Pss:"))


def add_routes(app: web.Application) -> None:
    app.router.add_get("/admin/state", state)
    app.router.add_get("/admin/mcp", mcp)
    app.router.add_post("/admin/mcp/restart", restart)
    app.router.add_get("/admin/quarantine", quarantine)
    app.router.add_post("/admin/quarantine/{sha256:[0-9a-f]+}/release", release)
    app.router.add_get("/admin/dead-letters", dead_letters)
    app.router.add_post("/admin/dead-letters/{id}/replay", replay)
    app.router.add_get("/admin/memory", memory)
    app.router.add_get("/admin/stacks", stacks)
    app.router.add_get("/admin/configuration", configuration)
