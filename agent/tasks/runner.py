"""Attempts at tasks in this process: so many at a time, each with its deadline, each ending in a committed state."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Mapping
from typing import Any

from agent.caller import Caller
from agent.errors import AgentError, Failure, Internal, Overloaded, TaskNotFound
from agent.task import EMPTY, AttemptStarted, Event, IllegalMove, Message, Part, State, StatusChanged, Task, new_id, now
from agent.tasks.ledger import Ledger, Live
from agent.tasks.queue import FairQueue
from agent.tasks.run import Run, Work
from agent.tasks.store import StoreUnavailable
from agent.tasks.uploads import Uploads
from agent.telemetry import logs, tracing
from agent.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

_RETRY_CAP_S = 5.0


class Runner:
    """Takes tasks by id, runs the work, commits how it ended."""

    def __init__(
        self,
        ledger: Ledger,
        uploads: Uploads,
        work: Work,
        *,
        max_concurrent: int,
        queue_limit: int,
        task_timeout_s: float,
        metrics: Metrics | None,
    ) -> None:
        self._ledger = ledger
        self._uploads = uploads
        self._work = work
        self._max_concurrent = max_concurrent
        self._queue_limit = queue_limit
        self._task_timeout_s = task_timeout_s
        self._metrics = metrics
        self._queue = FairQueue()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._contexts: dict[str, contextvars.Context] = {}  # of the requests that put them here: trace, request id
        self._reserved = 0
        self._usual_s = 1.0  # how long attempts took lately
        self.draining = False

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def running(self) -> int:
        return len(self._running)

    def reserve(self) -> None:
        """Holds a place for a task about to be committed; `put` or `release` follows. Raises Overloaded."""
        if self.draining:
            raise Overloaded("the service is shutting down; try again", retry_after_s=5)
        ahead = len(self._queue) + self._reserved + len(self._running) - self._max_concurrent
        if ahead >= self._queue_limit:
            wait_s = self._usual_s * ahead / self._max_concurrent
            raise Overloaded("too many tasks are waiting; try again later", retry_after_s=min(max(wait_s, 1), 300))
        self._reserved += 1

    def release(self) -> None:
        self._reserved -= 1

    def put(self, caller_id: str, task_id: str) -> None:
        """Queues a task; it starts as soon as its turn comes."""
        live = self._ledger.peek(task_id)
        if live is not None:
            live.queued = True
        self._contexts[task_id] = contextvars.copy_context()
        self._queue.put(caller_id, task_id)
        self._dispatch()

    def stop(self, live: Live) -> None:
        """The task has ended otherwise: takes it out of the queue, or cancels its attempt."""
        if live.queued:
            live.queued = False
            self._queue.discard(live.task.caller, live.task.id)
            self._contexts.pop(live.task.id, None)
            self._measure()
        if live.runner is not None:
            live.runner.cancel()

    async def drain(self, deadline_s: float) -> None:
        """Starts nothing more; lets attempts end until the deadline and hands the rest back as SUBMITTED."""
        self.draining = True
        if self._running:
            _, late = await asyncio.wait(self._running.values(), timeout=deadline_s)
            for attempt in late:
                attempt.cancel()
            if late:
                await asyncio.wait(late, timeout=_RETRY_CAP_S)

    def _dispatch(self) -> None:
        while self._queue and len(self._running) < self._max_concurrent and not self.draining:
            task_id = self._queue.take()
            context = self._contexts.pop(task_id, None) or contextvars.Context()
            attempt = asyncio.get_running_loop().create_task(
                self._guarded(task_id), name=f"task {task_id}", context=context
            )
            self._running[task_id] = attempt
        self._measure()

    def _measure(self) -> None:
        if self._metrics is not None:
            self._metrics.extraction_queue_depth.set(len(self._queue))

    async def _guarded(self, task_id: str) -> None:
        began = time.monotonic()
        try:
            await self._one(task_id)
        except TaskNotFound:
            log.info("task.erased", extra={"task": task_id})
        except IllegalMove as lost:
            log.info("task.superseded", extra={"task": task_id, "cause": str(lost)})
        except StoreUnavailable as fault:  # only while draining: the next start finds the task as it was committed
            log.warning("task.left", extra={"task": task_id, "cause": fault.message})
        finally:
            del self._running[task_id]
            self._usual_s += 0.1 * (time.monotonic() - began - self._usual_s)
            self._dispatch()

    async def _one(self, task_id: str) -> None:
        live = await self._ledger.get(task_id)
        live.queued = False
        if live.runner is not None or live.head.state not in (State.SUBMITTED, State.WORKING):
            return
        live.runner = asyncio.current_task()
        tokens = logs.TASK_ID.set(task_id), logs.CALLER.set(live.task.caller)
        try:
            with tracing.span("task", attributes={"task.id": task_id, "task.attempt": live.head.attempt + 1}) as own:
                await self._attempt(live)
                own.set_attribute("task.state", live.head.state.name)
        finally:
            live.runner = None
            logs.TASK_ID.reset(tokens[0])
            logs.CALLER.reset(tokens[1])

    async def _attempt(self, live: Live) -> None:
        try:
            task = await self._insist(live, AttemptStarted(now()))
            end = await self._work_on(live, task)
            await self._insist(live, end, attempt=task.attempt)
        except asyncio.CancelledError:
            # Either the task was ended by somebody else, whose commit this is the consequence of, or the service
            # stops: then the task goes back to SUBMITTED, and whoever starts next resumes it.
            if not live.head.state.terminal and self.draining:
                await self._insist(live, StatusChanged(State.SUBMITTED, now()), attempt=live.head.attempt)
            elif not live.head.state.terminal:
                raise

    async def _work_on(self, live: Live, task: Task) -> StatusChanged:
        """Runs the work to its end; whatever comes of it is a status."""
        caller = live.caller or Caller(task.caller, documents=task.scope)
        run = Run(task, caller, live.secrets, self._uploads, self._ledger, live, self._insist)
        deadline = asyncio.timeout(self._task_timeout_s)
        try:
            async with deadline:
                outcome = await self._work(run)
        except TimeoutError:
            if deadline.expired():
                return failed(task, Failure("timeout", f"the task took longer than {self._task_timeout_s:g} s"))
            log.exception("task.fault")
            return failed(task, Internal("the work failed unexpectedly"))
        except AgentError as fault:
            return failed(task, fault)
        except Exception as fault:  # one of the three edges: told in the log, answered without detail
            if isinstance(fault, IllegalMove) and (live.head.state.terminal or live.head.attempt != task.attempt):
                raise  # somebody else was first: nothing failed
            log.exception("task.fault")
            return failed(task, Internal("the work failed unexpectedly"))
        return StatusChanged(outcome.state, now(), outcome.message, outcome.metadata)

    async def _insist(
        self, live: Live, event: Event, *, attempt: int | None = None, documents: tuple[str, ...] = ()
    ) -> Task:
        """Commits, and tries again as long as the store cannot be written: a task is not lost to a full disk."""
        pause_s = 0.05
        while True:
            try:
                return await self._ledger.commit(live, event, attempt=attempt, documents=documents)
            except StoreUnavailable as fault:
                log.warning("task.commit_delayed", extra={"task": live.task.id, "cause": fault.message})
                if self.draining:
                    raise
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _RETRY_CAP_S)


def failed(task: Task, fault: AgentError, metadata: Mapping[str, Any] = EMPTY) -> StatusChanged:
    """FAILED, with the failure in words and as data; the log has its code, which may tell of all tasks at once."""
    log.info("task.failed", extra={"task": task.id, "code": fault.code})
    return StatusChanged(State.FAILED, now(), told(task, fault), metadata)


def told(task: Task, fault: AgentError) -> Message:
    parts = (Part(text=fault.message), Part(data=fault.body(), has_data=True, media_type="application/json"))
    return Message(new_id(), "agent", parts, task.context_id, task.id)
