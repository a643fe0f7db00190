"""The queue of one process: so many tasks at a time, callers in turn."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from types import TracebackType
from typing import Self

from agent.errors import Overloaded, TaskNotFound
from agent.task import IllegalMove
from agent.tasks.fair_queue import FairQueue
from agent.tasks.ledger import Ledger, Live
from agent.tasks.recovery import ended_instead
from agent.tasks.runner import Runner
from agent.tasks.store import Store
from agent.telemetry.health import Check
from agent.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


class Turns:
    """A `Queue` for a store that no other process uses."""

    def __init__(
        self,
        runner: Runner,
        ledger: Ledger,
        store: Store,
        *,
        max_concurrent: int,
        queue_limit: int,
        metrics: Metrics | None,
    ) -> None:
        self._runner = runner
        self._ledger = ledger
        self._store = store
        self._max_concurrent = max_concurrent
        self._queue_limit = queue_limit
        self._metrics = metrics
        self._queue = FairQueue()
        self._begun: set[asyncio.Task[None]] = set()
        self._reserved = 0

    async def __aenter__(self) -> Self:
        """Before anything new is taken: what was waiting or running goes on, asks, or is given up."""
        for task_id, _ in await self._store.unfinished():
            try:
                live = await self._ledger.get(task_id)
                if not await ended_instead(self._ledger, live, forgotten=True):
                    await self.put(live)
            except (TaskNotFound, IllegalMove) as gone:
                log.info("task.not_resumed", extra={"task": task_id, "cause": str(gone)})
                continue
            log.info("task.resumed", extra={"task": task_id, "state": live.task.state.value})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.drain(0.0)

    @property
    def queued(self) -> int:
        return len(self._queue)

    def check(self) -> Check:
        return Check(True, detail={"queued": self.queued})

    def reserve(self) -> None:
        if self._runner.draining:
            raise Overloaded("the service is shutting down; try again", retry_after_s=5)
        ahead = len(self._queue) + self._reserved + len(self._begun) - self._max_concurrent
        if ahead >= self._queue_limit:
            raise crowded(self._runner.usual_s * ahead / self._max_concurrent)
        self._reserved += 1

    def release(self) -> None:
        self._reserved -= 1

    async def put(self, live: Live) -> None:
        live.queued = True
        live.context = contextvars.copy_context()
        self._queue.put(live.task.caller, live.task.id)
        self._dispatch()

    async def stop(self, live: Live) -> None:
        if live.queued:
            live.queued = False
            self._queue.discard(live.task.caller, live.task.id)
            self._measure()
        if live.runner is not None:
            live.runner.cancel()

    async def drain(self, deadline_s: float) -> None:
        self._runner.draining = True
        await asyncio.sleep(0)  # what was begun just now is running then, and so drained with the others
        await self._runner.drain(deadline_s)

    def _dispatch(self) -> None:
        while self._queue and len(self._begun) < self._max_concurrent and not self._runner.draining:
            task_id = self._queue.take()
            live = self._ledger.peek(task_id)
            context = live.context if live is not None else None
            attempt = asyncio.get_running_loop().create_task(
                self._one(task_id), name=f"task {task_id}", context=context or contextvars.Context()
            )
            self._begun.add(attempt)
        self._measure()

    async def _one(self, task_id: str) -> None:
        try:
            await self._runner.run(task_id)
        finally:
            self._begun.remove(asyncio.current_task())  # type: ignore[arg-type]  # a coroutine runs in a task
            self._dispatch()

    def _measure(self) -> None:
        if self._metrics is not None:
            self._metrics.extraction_queue_depth.set(len(self._queue))


def crowded(wait_s: float) -> Overloaded:
    return Overloaded("too many tasks are waiting; try again later", retry_after_s=min(max(wait_s, 1), 300))
