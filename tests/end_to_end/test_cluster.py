"""The service as several real processes on one Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis_server import RedisServer, redis_server
from tests.service import Service, running, working

ASK = {"text": "Extract invoice_number and total from invoice.pdf"}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), "--appendonly", "yes") as server:
        yield server


def children(service: Service) -> list[int]:
    assert service.process is not None
    pid = service.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def settings(redis: RedisServer, **more: str) -> dict[str, str]:
    return {"STORE_URL": redis.url, "MCP_PDF_WORKERS": "1", "TASK_LEASE": "2", **more}


def finished(service: Service, task_id: str) -> bool:
    return bool(service.task(task_id)["status"]["state"] == "TASK_STATE_COMPLETED")


def test_of_two_processes_on_one_port_one_is_killed_and_every_task_ends(tmp_path: Path, redis: RedisServer) -> None:
    with running(tmp_path / "data", settings=settings(redis, WORKERS="2")) as service:
        victim, other = children(service)
        sent = [service.send(ASK, wait=False)["id"] for _ in range(6)]
        os.kill(victim, signal.SIGKILL)
        service.wait(lambda: all(finished(service, task_id) for task_id in sent))
        service.wait(lambda: len(children(service)) == 2 and victim not in children(service))
        assert other in children(service)
        status, text = service.get("/metrics")
        assert status == 200
        assert f'pid="{victim}"' not in text
        assert "http_requests_total" in text
        left = children(service)
        assert service.stop() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in left)


def test_a_worker_apart_runs_what_the_front_took(tmp_path: Path, redis: RedisServer) -> None:
    front = settings(redis, RUN_TASKS="false", UPLOAD_DIR=str(tmp_path / "uploads"))
    with running(tmp_path / "front", settings=front) as service:
        task = service.send(ASK, wait=False)
        with working(tmp_path / "worker", front) as worker:
            service.wait(lambda: finished(service, task["id"]))
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_several_processes_without_a_shared_store_are_refused(tmp_path: Path, command: str) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "WORKERS": "4"}
    run = [sys.executable, "-m", "agent", command]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "STORE_URL" in done.stderr
