"""The last hour of some figures in memory, so that an operator sees where they go without a Prometheus.

A figure is a gauge (what it is at the moment) or a counter's growth since the sample before. It is of this process
alone: with several, each keeps its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from prometheus_client import Counter

EVERY_S = 10.0
KEPT = 360

Figure = Callable[[], float]


class History:
    """Async context manager: samples while it is open."""

    def __init__(
        self, gauges: Mapping[str, Figure], counters: Mapping[str, Figure], *, every_s: float = EVERY_S
    ) -> None:
        self._gauges = gauges
        self._counters = counters
        self._every_s = every_s
        self._before = {name: read() for name, read in counters.items()}
        self._kept: dict[str, deque[float]] = {name: deque(maxlen=KEPT) for name in (*gauges, *counters)}
        self._task: asyncio.Task[None] | None = None

    def sample(self) -> None:
        """Takes one sample of every figure."""
        for name, read in self._gauges.items():
            self._kept[name].append(read())
        for name, read in self._counters.items():
            total = read()
            self._kept[name].append(total - self._before[name])
            self._before[name] = total

    def report(self) -> dict[str, Any]:
        """`{every_s, kept, gauges, counters}`: samples by figure, oldest first, `kept` at most."""
        told = {name: [round(value, 6) for value in samples] for name, samples in self._kept.items()}
        return {
            "every_s": self._every_s,
            "kept": KEPT,
            "gauges": {name: told[name] for name in self._gauges},
            "counters": {name: told[name] for name in self._counters},
        }

    async def __aenter__(self) -> Self:
        self.sample()
        self._task = asyncio.create_task(self._run(), name="history")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            self.sample()


def total(counter: Counter, **labels: str) -> float:
    """The sum of a counter's children whose labels are these."""
    return sum(
        sample.value
        for metric in counter.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and labels.items() <= sample.labels.items()
    )
