"""A Redis that fails over: when the master dies, a real Sentinel makes its replica the master."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as NotYet

from tests.redis_server import RedisServer, free_port, redis_server
from tests.service import running

CONFIGURATION = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor prime 127.0.0.1 {master} 1
sentinel down-after-milliseconds prime 500
sentinel failover-timeout prime 2000
"""
ORDER = {"data": {"documents": ["invoice.pdf"], "document_type": "invoice"}}


def test_tasks_outlive_the_master_and_new_ones_run_on_its_successor(tmp_path: Path) -> None:
    with watched(tmp_path) as (master, replica, url):
        settings = {"STORE_URL": url, "ENABLE_CACHE": "false", "TASK_LEASE": "2"}
        with running(tmp_path / "data", settings=settings) as service:
            before = service.send(ORDER)
            assert before["status"]["state"] == "TASK_STATE_COMPLETED"
            service.wait(lambda: told(replica)["master_repl_offset"] >= told(master)["master_repl_offset"])
            master.stop()
            service.wait(lambda: told(replica)["role"] == "master")
            service.wait(lambda: service.get("/health/ready")[0] == 200)
            service.wait(lambda: service.task(before["id"]) == before)
            after = service.send(ORDER)
    assert after["status"]["state"] == "TASK_STATE_COMPLETED"
    assert after["artifacts"][0]["parts"][0] == before["artifacts"][0]["parts"][0]


def told(server: RedisServer) -> dict[str, Any]:
    with Redis(port=server.port) as client:
        return dict(client.info("replication"))


@contextmanager
def watched(folder: Path) -> Iterator[tuple[RedisServer, RedisServer, str]]:
    """A master, its replica, and the address of both by the Sentinel that watches them."""
    for name in ("master", "replica", "sentinel"):
        (folder / name).mkdir()
    with redis_server(folder / "master") as master:
        following = ("--replicaof", "127.0.0.1", str(master.port))
        with redis_server(folder / "replica", *following) as replica, sentinel(folder / "sentinel", master) as port:
            yield master, replica, f"redis+sentinel://127.0.0.1:{port}/prime"


@contextmanager
def sentinel(folder: Path, master: RedisServer) -> Iterator[int]:
    """Its port, once it knows the replica."""
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed: run ./ops/servers"
    port, configuration = free_port(), folder / "sentinel.conf"
    configuration.write_text(CONFIGURATION.format(port=port, folder=folder, master=master.port), encoding="ascii")
    process = subprocess.Popen([program, str(configuration), "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        with Redis(port=port) as client:
            while time.monotonic() < deadline:
                with contextlib.suppress(NotYet):
                    if client.sentinel_slaves("prime"):
                        break
                time.sleep(0.05)  # a poll with a deadline
            else:
                raise AssertionError("Sentinel does not find the replica")
        yield port
    finally:
        process.kill()
        process.wait(10)
