"""Attempts at tasks in this process, each with its deadline, each ending in a committed state."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from agent.caller import Caller
from agent.errors import AgentError, Failure, Internal, TaskNotFound
from agent.task import AttemptStarted, Event, IllegalMove, State, StatusChanged, Task, now
from agent.tasks.ledger import Ledger, Live
from agent.tasks.recovery import ended_instead
from agent.tasks.run import Run, Work, failed
from agent.tasks.store import StoreUnavailable
from agent.tasks.uploads import Uploads
from agent.telemetry import logs, tracing

log = logging.getLogger(__name__)

_RETRY_CAP_S = 5.0
_STORE_S = 0.5
_END_S = 5.0  # a cancelled attempt has this long to commit what became of its task


class Runner:
    """Runs the work of one task after the other of those it is given, and commits how each ended."""

    def __init__(self, ledger: Ledger, uploads: Uploads, work: Work, *, task_timeout_s: float) -> None:
        self._ledger = ledger
        self._uploads = uploads
        self._work = work
        self._task_timeout_s = task_timeout_s
        self._running: set[asyncio.Task[None]] = set()
        self.usual_s = 1.0  # how long attempts took lately
        self.draining = False

    @property
    def running(self) -> int:
        return len(self._running)

    async def run(self, task_id: str, *, handed_back: Callable[[Live], Awaitable[None]] | None = None) -> None:
        """One attempt, in the asyncio task that calls; cancelling it stops the attempt.

        When the service drains and the task went back to SUBMITTED, `handed_back` puts it where others find it.
        """
        current = asyncio.current_task()
        assert current is not None  # noqa: S101  # a coroutine runs in a task
        self._running.add(current)
        began = time.monotonic()
        try:
            live = await self._one(task_id)
            if handed_back is not None and self.draining and live.head.state is State.SUBMITTED:
                await handed_back(live)
        except TaskNotFound:
            log.info("task.erased", extra={"task": task_id})
        except IllegalMove as lost:
            log.info("task.superseded", extra={"task": task_id, "cause": str(lost)})
        except StoreUnavailable as fault:  # only while draining: the next start finds the task as it was committed
            log.warning("task.left", extra={"task": task_id, "cause": fault.message})
        finally:
            self._running.discard(current)
            self.usual_s += 0.1 * (time.monotonic() - began - self.usual_s)

    async def drain(self, deadline_s: float) -> None:
        """Lets attempts end until the deadline; the rest goes back to SUBMITTED."""
        self.draining = True
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=deadline_s)
            for attempt in late:
                attempt.cancel()
            if late:
                await asyncio.wait(late, timeout=_END_S)

    async def _one(self, task_id: str) -> Live:
        live = await self._known(task_id)
        live.queued, live.context = False, None
        if live.runner is not None or live.head.state not in (State.SUBMITTED, State.WORKING):
            return live
        live.runner = asyncio.current_task()
        tokens = logs.TASK_ID.set(task_id), logs.CALLER.set(live.task.caller)
        try:
            if not await ended_instead(self._ledger, live, forgotten=False):
                own: dict[str, str | int | float | bool] = {"task.id": task_id, "task.attempt": live.head.attempt + 1}
                with tracing.span("task", attributes=own) as span:
                    await self._attempt(live)
                    span.set_attribute("task.state", live.head.state.name)
        finally:
            live.runner = None
            logs.TASK_ID.reset(tokens[0])
            logs.CALLER.reset(tokens[1])
        return live

    async def _known(self, task_id: str) -> Live:
        """Waits for a store that is away: a task once taken would be in no queue any more."""
        while True:
            try:
                return await self._ledger.get(task_id)
            except StoreUnavailable:
                if self.draining:
                    raise
                await asyncio.sleep(_STORE_S)

    async def _attempt(self, live: Live) -> None:
        try:
            task = await self._insist(live, AttemptStarted(now()))
            end = await self._work_on(live, task)
            await self._insist(live, end, attempt=task.attempt)
        except asyncio.CancelledError:
            # Either the task was ended by somebody else, whose commit this is the consequence of, or the service
            # stops: then the task goes back to SUBMITTED, and whoever comes next resumes it.
            await self._ledger.renew(live)
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
