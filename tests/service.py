"""The real service as a process of its own: started, asked, ended by the tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.redis_server import free_port

SAMPLES = Path(__file__).parents[1] / "agent" / "samples"
READY_S = 60.0


@dataclass
class Service:
    data_dir: Path
    library: Path = SAMPLES
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data_dir.with_name(self.data_dir.name + ".log")

    def start(self, *, ready: bool = True) -> None:
        own = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
        fixed = {"PORT": str(self.port), "DATA_DIR": str(self.data_dir), "MCP_PDF_SERVER_DIR": str(self.library)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agent", "serve"],
                env=own | fixed | {"LOG_FORMAT": "json"} | dict(self.settings),
                stdout=log,
                stderr=log,
            )
        if ready:
            self.wait(lambda: self.get("/health/ready")[0] == 200)

    def wait(self, fits: Any, within_s: float = READY_S) -> None:
        """Polls until it fits; the service must be alive meanwhile."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-3000:]
            with contextlib.suppress(OSError):
                if fits():
                    return
            time.sleep(0.02)  # a poll with a deadline
        raise AssertionError(self.log.read_text(encoding="utf-8")[-3000:])

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        return self._answer(urllib.request.Request(self.url + path, headers=dict(headers or {})))

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        fixed = {"Content-Type": "application/json", "A2A-Version": "1.0"}
        return self._answer(urllib.request.Request(self.url + path, content, fixed | dict(headers or {})))

    def _answer(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            status, body = refused.code, refused.read()
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body.decode()

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """A JSON-RPC call of A2A 1.0; its result, or the error object."""
        _, body = self.post("/", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return body.get("result", body.get("error"))

    def send(self, *parts: dict[str, Any], task: str | None = None, wait: bool = True) -> Any:
        """The task that a message made or continued."""
        message: dict[str, Any] = {"messageId": os.urandom(8).hex(), "role": "ROLE_USER", "parts": list(parts)}
        if task:
            message["taskId"] = task
        return self.call("SendMessage", {"message": message, "configuration": {"returnImmediately": not wait}})["task"]

    def task(self, task_id: str) -> Any:
        return self.call("GetTask", {"id": task_id})

    def mcp_pid(self) -> int:
        return int(self.get("/health/ready")[1]["details"]["mcp"]["pid"])

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def running(data_dir: Path, **options: Any) -> Iterator[Service]:
    service = Service(data_dir, **options)
    service.start()
    try:
        yield service
    finally:
        if service.process is not None and service.process.poll() is None:
            service.kill()


@contextlib.contextmanager
def working(data_dir: Path, settings: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that only takes tasks from the shared queue."""
    own = {"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), "MCP_PDF_SERVER_DIR": str(SAMPLES)}
    with data_dir.with_name(data_dir.name + ".log").open("ab") as log:
        worker = subprocess.Popen([sys.executable, "-m", "agent", "worker"], env=own | dict(settings), stderr=log)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()
