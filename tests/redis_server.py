"""A real redis-server on a free port, in a directory of its own."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RedisServer:
    directory: Path
    port: int
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when the server answers."""
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed: run ./ops/servers"
        fixed = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory), "--save", "")
        self.process = subprocess.Popen([program, *fixed, *self.arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2) as line:
                line.sendall(b"PING\r\n")
                if line.recv(16).startswith(b"+PONG"):
                    return
            assert self.process.poll() is None, "redis-server ended at its start"
        raise AssertionError("redis-server does not answer")

    def empty(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), 5) as line:
            line.sendall(b"FLUSHALL\r\n")
            assert line.recv(16).startswith(b"+OK")

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None

    def send_signal(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)


@contextlib.contextmanager
def redis_server(directory: Path, *arguments: str) -> Iterator[RedisServer]:
    server = RedisServer(directory, free_port(), arguments)
    server.start()
    try:
        yield server
    finally:
        server.stop()
