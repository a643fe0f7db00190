"""drill.py - brings compose.yaml up by podman-compose and proves it: TLS, scrape, a killed agent, ten switches.

Needs the images that compose.yaml names (where there is no registry: ops/compose/stand-ins), podman and
podman-compose on the path; `--keep` leaves the project running. Load is bounded and stays on this machine. The last
line is `key=value` figures; exit 1 when a promise is broken.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "compose-drill.part"  # relative paths are those of compose.yaml
PROJECT = "extraction-drill"
CLIENTS = 8
SWITCHES = 10
UP_S = 120.0
PORTS = {"PUBLIC_PORT": "28443", "AGENT_PORT": "28080", "PROMETHEUS_PORT": "29090", "ALERTMANAGER_PORT": "29093"}
PUBLIC = "https://127.0.0.1:28443"
PROMETHEUS = "http://127.0.0.1:29090"
LEFT_OUT = ("grafana", "jaeger", "log-collector", "loki")
PROCESSES = ("agent", "agent-2", "agent-green-1", "agent-green-2", "worker")


def without_conditions() -> dict[str, Any]:
    """compose.yaml without what wants systemd's timers under podman: healthchecks and the conditions on them."""
    project = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    for name in LEFT_OUT:
        project["services"].pop(name)
    for service in project["services"].values():
        for key in ("healthcheck", "depends_on", "profiles", "build", "restart"):
            service.pop(key, None)
        if "MCP_PDF_WORKERS" in (service.get("environment") or {}):  # five processes on one small machine, one caller
            service["environment"] |= {"MCP_PDF_WORKERS": "1", "RATE_LIMIT": "1000000/minute"}
    return dict(project)


def compose(*arguments: str) -> None:
    command = ["podman-compose", "-p", PROJECT, "-f", FILE.name, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | PORTS, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise SystemExit(f"podman-compose {' '.join(arguments)}: {done.stderr[-3000:]}")


def podman(*arguments: str) -> str:
    command = ["podman", "--log-level=error", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise SystemExit(f"podman {' '.join(arguments)}: {done.stderr[-1000:]}")
    return done.stdout


def container(service: str) -> str:
    return f"{PROJECT}_{service}_1"


def up() -> None:
    FILE.write_text(yaml.safe_dump(without_conditions()), encoding="utf-8")
    compose("up", "-d", "init")
    podman("wait", container("init"))
    if (code := podman("inspect", "-f", "{{.State.ExitCode}}", container("init")).strip()) != "0":
        raise SystemExit(f"init ended with {code}: {podman('logs', container('init'))}")
    compose("up", "-d", "redis", "prometheus", "alertmanager")
    for name in PROCESSES:  # one after the other: on two cores they would keep each other from starting
        compose("up", "-d", name)
        until(lambda name=name: healthy(name), f"{name} is not ready")
    start_nginx()


def start_nginx() -> None:
    """By addresses: podman's resolver asks the host for what is no container's (each AAAA), and may wait for ever."""
    names = {"agent-1": "agent"} | {name: name for name in PROCESSES[1:4]}
    project = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    project["services"]["nginx"]["extra_hosts"] = [f"{name}:{address(of)}" for name, of in names.items()]
    FILE.write_text(yaml.safe_dump(project), encoding="utf-8")
    compose("up", "-d", "nginx")
    podman("exec", container("nginx"), "sed", "-i", "s#rate=600r/m#rate=100000r/s#", "/etc/nginx/nginx.conf")
    podman("exec", container("nginx"), "/etc/nginx/switch", "blue")


def address(service: str) -> str:
    network = f'(index .NetworkSettings.Networks "{PROJECT}_front")'
    return podman("inspect", "-f", f"{{{{{network}.IPAddress}}}}", container(service)).strip()


def healthy(name: str) -> bool:
    command = ["podman", "--log-level=error", "exec", container(name), "extraction-agent", "healthcheck", "--ready"]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def until(fits: Any, words: str, within_s: float = UP_S) -> None:
    deadline = time.monotonic() + within_s
    while not fits():
        if time.monotonic() > deadline:
            raise SystemExit(words)
        time.sleep(0.5)  # a poll with a deadline


def call(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def message(text: str) -> dict[str, Any]:
    return {"message": {"messageId": os.urandom(6).hex(), "role": "ROLE_USER", "parts": [{"text": text}]}}


@dataclass
class Load:
    """Closed-loop clients that post through nginx until told to stop."""

    session: aiohttp.ClientSession
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def client(self) -> None:
        while not self.stop.is_set() and self.sent < 100_000:
            self.sent += 1
            try:
                async with self.session.post("/", json=call("ListTasks", pageSize=1)) as answer:
                    if answer.status != 200 or "result" not in await answer.json():
                        self.failures.append(str(answer.status))
            except aiohttp.ClientError as fault:
                self.failures.append(type(fault).__name__)
            await asyncio.sleep(0.02)  # a load, not a benchmark


async def stream(session: aiohttp.ClientSession, text: str) -> list[str]:
    async with session.post("/", json=call("SendStreamingMessage", **message(text))) as answer:
        lines = [line async for line in answer.content]
    events = [json.loads(line[5:])["result"] for line in lines if line.startswith(b"data:")]
    return [event["statusUpdate"]["status"]["state"] for event in events if "statusUpdate" in event]


async def extraction(session: aiohttp.ClientSession) -> str:
    async with session.post("/", json=call("SendMessage", **message("Extract the total from invoice.pdf"))) as answer:
        task = (await answer.json())["result"]["task"]
    return str(task["artifacts"][0]["parts"][0]["data"]["total"])


async def targets(wanted: int) -> int:
    """How many targets of the service are up; waits for as many as wanted."""
    found = 0
    async with aiohttp.ClientSession(PROMETHEUS) as session:
        for _ in range(60):
            async with session.get("/api/v1/query", params={"query": 'sum(up{job="extraction-agent"})'}) as answer:
                result = (await answer.json())["data"]["result"]
            found = int(result[0]["value"][1]) if result else 0
            if found >= wanted:
                break
            await asyncio.sleep(1)
    return found


async def killed_agent(session: aiohttp.ClientSession) -> tuple[int, int]:
    """POSTs, and those that failed: at most one a client was in flight when the agent was killed."""
    load = Load(session)
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(load.client())
        await asyncio.sleep(3)
        await asyncio.to_thread(podman, "kill", container("agent-2"))
        await asyncio.sleep(5)
        load.stop.set()
    return load.sent, len(load.failures)


async def switches(session: aiohttp.ClientSession) -> tuple[int, int, int]:
    """POSTs, those that failed, and streams that ended completed, over ten switches."""
    load, streams = Load(session), []
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(load.client())
        for number in range(SWITCHES):
            streams.append(group.create_task(stream(session, "Extract everything from invoice.pdf")))
            colour = ("green", "blue")[number % 2]
            await asyncio.to_thread(podman, "exec", container("nginx"), "/etc/nginx/switch", colour)
            await asyncio.sleep(1)
        load.stop.set()
    whole = sum(states.result()[-1:] == ["TASK_STATE_COMPLETED"] for states in streams)
    return load.sent, len(load.failures), whole


async def drained(session: aiohttp.ClientSession) -> tuple[int, float]:
    """Exit code of an agent that gets SIGTERM while it streams, and the seconds that it took."""
    streams = [asyncio.create_task(stream(session, "Extract everything from invoice.pdf")) for _ in range(4)]
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await asyncio.to_thread(podman, "stop", "-t", "45", container("agent"))
    took = time.monotonic() - began
    await asyncio.gather(*streams, return_exceptions=True)
    return int(podman("inspect", "-f", "{{.State.ExitCode}}", container("agent"))), took


async def drill() -> dict[str, Any]:
    key = podman("exec", container("agent"), "cat", "/run/agent/api-key").strip()
    trusted = ssl.create_default_context(cadata=podman("exec", container("nginx"), "cat", "/etc/nginx/tls/tls.crt"))
    headers = {"Authorization": f"Bearer {key}", "A2A-Version": "1.0"}
    connector = aiohttp.TCPConnector(ssl=trusted, limit=0)
    async with aiohttp.ClientSession(PUBLIC, headers=headers, connector=connector) as session:
        total = await extraction(session)
        up_targets = await targets(len(PROCESSES))
        switch_posts, switch_failed, streams = await switches(session)
        posts, failed = await killed_agent(session)
        code, took = await drained(session)
    return {
        "total": total, "targets_up": up_targets, "switches": SWITCHES, "switch_posts": switch_posts,
        "switch_failed": switch_failed, "streams_completed": streams, "kill_posts": posts, "kill_failed": failed,
        "sigterm_exit": code, "sigterm_s": round(took, 1),
    }  # fmt: skip


def main() -> int:
    began = time.monotonic()
    try:
        up()
        figures = {"up_s": round(time.monotonic() - began, 1)} | asyncio.run(drill())
    finally:
        if "--keep" not in sys.argv:
            compose("down", "-v")
            FILE.unlink(missing_ok=True)
    print(" ".join(f"{name}={value}" for name, value in figures.items()))
    kept = (
        figures["total"] == "1190.00"
        and figures["targets_up"] == len(PROCESSES)
        and figures["switch_failed"] == 0
        and figures["streams_completed"] == SWITCHES
        and figures["kill_failed"] <= CLIENTS
        and figures["sigterm_exit"] == 0
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
