"""The pulse of the process: how late the event loop runs, its memory, its pools, measured by one task of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from prometheus_client import Gauge

from agent.telemetry.health import Check
from agent.telemetry.memory import Memory

_BEAT_S = 0.5
_MEMORY_BEATS = 10  # memory and pools are read every five seconds
_LATE_S = 5.0  # a loop this late answers nobody in time


class Pulse:
    """Async context manager. `lag_s` is the last beat's lateness, or that of the one now overdue."""

    def __init__(
        self, memory: Memory, lag: Gauge, *, tell: Sequence[Callable[[], object]] = (), beat_s: float = _BEAT_S
    ) -> None:
        """`tell` set other gauges that nobody tells of by himself; they are called as often as memory is read."""
        self._memory = memory
        self._tell = tell
        self._gauge = lag
        self._beat_s = beat_s
        self._due = time.monotonic()
        self._last_s = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def lag_s(self) -> float:
        return max(self._last_s, time.monotonic() - self._due)

    def check(self) -> Check:
        return Check(self.lag_s < _LATE_S, detail={"lag_s": round(self.lag_s, 4)})

    async def __aenter__(self) -> Self:
        self._due = time.monotonic() + self._beat_s
        self._task = asyncio.create_task(self._beat(), name="pulse")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _beat(self) -> None:
        beats = 0
        while True:
            self._due = time.monotonic() + self._beat_s
            await asyncio.sleep(self._beat_s)
            self._last_s = max(0.0, time.monotonic() - self._due)
            self._gauge.set(self._last_s)
            beats += 1
            if beats % _MEMORY_BEATS == 0:
                self._memory.refresh()
                for tell in self._tell:
                    tell()
