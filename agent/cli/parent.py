"""`serve` with WORKERS > 1: a small process that starts the others, restarts those that end, and ends with them.

It loads nothing of the service. The children listen on one port (SO_REUSEPORT), each with its own PDF server; the
kernel deals out the connections. Each child dies with its parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.config import Config
from agent.errors import ConfigError

_STABLE_S = 30.0  # a child that lived so long is restarted at once when it ends
_PAUSES_S = (0.5, 30.0)  # before a restart: after the first quick end, and at most
_END_S = 15.0  # beyond SHUTDOWN_TIMEOUT, before a child is killed
_UNUSABLE = 2  # the exit code of a configuration that cannot be used: another start would not help
_ORDERLY = {0, -signal.SIGTERM}  # the latter of a child that had not yet begun to serve
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One place among the processes; empty while it waits for its next start."""

    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    quick_ends: int = 0


def supervise(config: Config) -> int:
    """Runs until SIGTERM or SIGINT; the exit code: 0 when all children ended in order."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # waited for, never interrupting
    with tempfile.TemporaryDirectory(prefix="extraction-metrics-") as metrics, _port(config) as port:
        return _Parent(config, port, Path(metrics)).run()


class _Parent:
    def __init__(self, config: Config, port: int, metrics: Path) -> None:
        self._config = config
        flags = ("--one-of-many", "--host", config.host, "--port", str(port), "--workers", str(config.workers))
        self._command = (sys.executable, "-m", "agent", "serve", *flags)
        self._environment = dict(os.environ) | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
        self._children = [Child() for _ in range(config.workers)]

    def run(self) -> int:
        while True:
            self._start_due()
            number = _awaited(min((c.start_at for c in self._children if c.process is None), default=None))
            if number in (signal.SIGTERM, signal.SIGINT):
                return self._end()
            if number == signal.SIGHUP:
                self._tell(signal.SIGHUP)
            if self._reap() == _UNUSABLE:
                self._end()
                return _UNUSABLE

    def _start_due(self) -> None:
        for child in self._children:
            if child.process is None and child.start_at <= time.monotonic():
                child.process = subprocess.Popen(self._command, env=self._environment, preexec_fn=_born)  # noqa: PLW1509  # this process has one thread
                child.started_at = time.monotonic()

    def _reap(self) -> int | None:
        """Takes leave of the children that have ended; the code of one that must not be started again."""
        for child in self._children:
            if child.process is None or (code := child.process.poll()) is None:
                continue
            _forget_metrics(child.process.pid)
            child.process = None
            if code == _UNUSABLE:
                return code
            lived_s = time.monotonic() - child.started_at
            child.quick_ends = 0 if lived_s > _STABLE_S else child.quick_ends + 1
            first_s, most_s = _PAUSES_S
            pause_s = min(most_s, first_s * 2 ** min(child.quick_ends - 1, 10)) if child.quick_ends else 0.0
            child.start_at = time.monotonic() + pause_s
            print(f"extraction-agent: a process ended ({code}); the next one starts in {pause_s:g} s", file=sys.stderr)
        return None

    def _tell(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.process is not None:
                child.process.send_signal(number)

    def _end(self) -> int:
        """Lets the children end in order; kills those that do not."""
        self._tell(signal.SIGTERM)
        deadline = time.monotonic() + self._config.shutdown_timeout_s + _END_S
        codes = []
        for child in self._children:
            if child.process is None:
                continue
            try:
                codes.append(child.process.wait(max(0.0, deadline - time.monotonic())))
            except subprocess.TimeoutExpired:
                child.process.kill()
                codes.append(child.process.wait())
        return 0 if {*codes} <= _ORDERLY else 1


def _awaited(due_at: float | None) -> int | None:
    """The next signal; None when it is time for a start."""
    if due_at is None:
        return signal.sigwait(_SIGNALS)
    found = signal.sigtimedwait(_SIGNALS, max(0.0, due_at - time.monotonic()))
    return found.si_signo if found is not None else None


def _born() -> None:
    """In the child, before it is a service: signals reach it again, and it ends when its parent does."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _forget_metrics(pid: int) -> None:
    from agent.telemetry.metrics import forget_process

    forget_process(pid)


@contextlib.contextmanager
def _port(config: Config) -> Iterator[int]:
    """The port of all children, held by a socket that never listens: it is free, and stays ours between restarts."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            holder.bind((config.host, config.port))
        except OSError as fault:
            raise ConfigError(f"HOST={config.host}, PORT={config.port}: {fault.strerror}") from None
        yield int(holder.getsockname()[1])
