"""The queue that processes and machines share: Docket, on the Redis that holds the tasks.

The queue holds ids alone; what a task is stands in the store. Docket's lease on an id is the only lease: a worker that
dies leaves it, another one takes the task and finds in the store how far it was. A task is queued after it was
committed; one whose process died in between is found by `_reconcile`. A task with a password runs where the password
is, in this process's memory, and is never queued; when its process is gone, it asks again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from agent.errors import AgentError, Overloaded, TaskNotFound
from agent.task import IllegalMove, State, Task, now
from agent.tasks.ending import end
from agent.tasks.ledger import Ledger, Live
from agent.tasks.recovery import ended_instead
from agent.tasks.runner import Runner
from agent.tasks.store import Store
from agent.tasks.turns import Turns, crowded
from agent.telemetry.health import Check
from agent.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from docket import Docket

log = logging.getLogger(__name__)

NAME = "extraction-queue"
_RUN = "run"
_LOOK_S = 1.0  # how often the queue's length is read
_ABSENT_S = 5.0  # a Redis that was not seen for so long makes the process not ready
_RECONCILE_S = 5.0
_OVERDUE = timedelta(seconds=10)  # a task whose status is older is looked for in the queue
_END_S = 5.0  # what a worker does after its last attempt has ended
_RECORD = timedelta(seconds=60)  # Docket's own record of a run that ended


class SharedQueue:
    """A `Queue` over the Redis at `url`. Without `takes` this process only puts tasks there (but for private ones)."""

    def __init__(
        self,
        runner: Runner,
        ledger: Ledger,
        store: Store,
        private: Turns,
        *,
        url: str,
        takes: bool,
        max_concurrent: int,
        queue_limit: int,
        lease_s: float,
        metrics: Metrics | None,
    ) -> None:
        self._runner = runner
        self._ledger = ledger
        self._store = store
        self._private = private
        self._secret: set[str] = set()  # tasks whose password is in this process
        self._url = url
        self._takes = takes
        self._max_concurrent = max_concurrent
        self._queue_limit = queue_limit
        self._lease_s = lease_s
        self._metrics = metrics
        self._waiting = 0  # in the queue, at the last look
        self._unseen = 0  # put there by this process since
        self._late: set[str] = set()  # committed when Redis did not take them into the queue
        self._seen_at = time.monotonic()
        self._stopping = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._reserved = 0

    async def __aenter__(self) -> Self:
        from docket import Docket

        self._docket = Docket(NAME, _resp2(self._url), execution_ttl=_RECORD)
        await self._docket.__aenter__()
        self._docket.register(self._run, names=[_RUN])
        spawn = asyncio.get_running_loop().create_task
        if self._takes:
            self._worker = spawn(self._work(self._docket), name="queue-worker")
        self._keeper = spawn(self._keep(), name="queue-keeper")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.drain(0.0)
        await end(self._keeper)
        await self._docket.__aexit__(kind, fault, trace)

    @property
    def queued(self) -> int:
        """In the whole cluster, as of the last look, and here."""
        return self._waiting + self._private.queued

    def check(self) -> Check:
        age_s = time.monotonic() - self._seen_at
        working = self._worker is None or not self._worker.done()
        detail = {"queued": self.queued, "running": self._runner.running, "worker": working}
        return Check(age_s < _ABSENT_S and working, age_s, detail)

    def reserve(self) -> None:
        if self._runner.draining:
            raise Overloaded("the service is shutting down; try again", retry_after_s=5)
        ahead = self.queued + self._unseen + self._reserved
        room = 0 if self._waiting else self._max_concurrent  # where none waits, so many can run at once at least
        if ahead >= self._queue_limit + room:
            raise crowded(self._runner.usual_s * ahead / self._max_concurrent)
        self._reserved += 1

    def release(self) -> None:
        self._reserved -= 1

    async def put(self, live: Live) -> None:
        """A queue that cannot be reached now gets the task later: from the keeper, or as one that others find."""
        if live.secrets:
            self._secret.add(live.task.id)
            await self._store.hold(_private(live.task.id), 3 * self._lease_s)
            await self._private.put(live)
            return
        from redis.exceptions import RedisError

        try:
            await self._queue(live.task.id)
        except (RedisError, OSError, TimeoutError) as fault:
            self._late.add(live.task.id)
            log.warning("task.queued_later", extra={"task": live.task.id, "cause": repr(fault)})

    async def stop(self, live: Live) -> None:
        from redis.exceptions import RedisError

        await self._private.stop(live)
        try:
            await self._docket.cancel(live.task.id)
        except (RedisError, OSError, TimeoutError) as fault:  # its next commit will be refused
            log.warning("task.stopped_later", extra={"task": live.task.id, "cause": repr(fault)})

    async def drain(self, deadline_s: float) -> None:
        self._runner.draining = True
        self._stopping.set()
        await self._private.drain(deadline_s)
        if self._worker is not None:
            await asyncio.wait({self._worker}, timeout=_END_S)
            await end(self._worker)

    async def _run(self, task_id: str) -> None:
        """What a worker does with an id."""
        if self._runner.draining:
            await self._queue(task_id)
        else:
            await self._runner.run(task_id, handed_back=self.put)

    async def _queue(self, task_id: str) -> None:
        """In place of an earlier run of the task, which may not have left the queue yet."""
        self._unseen += 1
        await self._docket.replace(_RUN, datetime.now(UTC), task_id)(task_id)

    async def _work(self, docket: Docket) -> None:
        """Takes tasks until the service drains; then ends when those it has have ended."""
        from docket import Worker

        spawn = asyncio.get_running_loop().create_task
        stopped = spawn(self._stopping.wait())
        while not stopped.done():
            worker = Worker(
                docket,
                f"{socket.gethostname()}#{os.getpid()}#{secrets.token_hex(4)}",
                concurrency=self._max_concurrent,
                redelivery_timeout=timedelta(seconds=self._lease_s),
                reconnection_delay=timedelta(seconds=0.5),
                minimum_check_interval=timedelta(milliseconds=100),
                scheduling_resolution=timedelta(seconds=1),
                schedule_automatic_tasks=False,
            )
            async with worker:
                running = spawn(worker.run_forever(), name="queue-takes")
                await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if running.done() and not running.cancelled() and (fault := running.exception()) is not None:
                log.error("queue.worker_fault", exc_info=fault)  # without a worker nothing would run any more
                await asyncio.sleep(_LOOK_S)

    async def _keep(self) -> None:
        """Looks after the queue until it is cancelled."""
        from redis.exceptions import RedisError

        loop = asyncio.get_running_loop()
        reconcile_at = loop.time()
        while True:
            try:
                await self._look()
                for task_id in list(self._late):
                    await self._queue(task_id)
                    self._late.discard(task_id)
                if loop.time() >= reconcile_at:
                    reconcile_at = loop.time() + _RECONCILE_S
                    await self._reconcile()
            except (AgentError, RedisError, OSError, TimeoutError) as fault:
                log.warning("queue.failed", extra={"cause": repr(fault)})
            except Exception:  # the keeper must go on whatever one round meets
                log.exception("queue.fault")
            await asyncio.sleep(_LOOK_S)

    async def _look(self) -> None:
        """How many wait; renews this process's hold on its private tasks."""
        async with self._docket.redis() as redis:
            length = await redis.xlen(self._docket.stream_key)
            self._waiting = max(0, length - await _running(redis, self._docket))
        self._unseen = 0
        self._seen_at = time.monotonic()
        if self._metrics is not None:
            self._metrics.extraction_queue_depth.set(self.queued)
        for task_id in list(self._secret):
            live = self._ledger.peek(task_id)
            if live is None or not live.secrets:
                self._secret.discard(task_id)
            else:
                await self._store.hold(_private(task_id), 3 * self._lease_s)

    async def _reconcile(self) -> None:
        """One process at a time looks for tasks that are in no queue and run nowhere."""
        if self._runner.draining or not await self._store.hold("reconcile", 2 * _RECONCILE_S):
            return
        for task_id, _ in await self._store.unfinished():
            task = await self._store.load(task_id)
            if task is None or now() - task.timestamp < _OVERDUE:
                continue
            with contextlib.suppress(TaskNotFound, IllegalMove):
                await self._find(task)

    async def _find(self, task: Task) -> None:
        if task.withheld and task.id not in self._secret and await self._store.hold(_private(task.id), self._lease_s):
            live = await self._ledger.get(task.id)
            if live.task.state in (State.SUBMITTED, State.WORKING) and not live.secrets:
                await ended_instead(self._ledger, live, forgotten=True)
        elif not task.withheld:
            await self._docket.add(_RUN, key=task.id)(task.id)  # nothing happens when it is queued or runs


async def _running(redis: Any, docket: Docket) -> int:
    """Ids that some worker has; 0 before the first worker ever came."""
    from redis.exceptions import ResponseError

    try:
        return int((await redis.xpending(docket.stream_key, docket.worker_group_name))["pending"])
    except ResponseError:
        return 0


def _resp2(url: str) -> str:
    """Under RESP3 redis-py listens for notices of maintenance, and hands out pooled connections that the server has
    closed. After a restart each would fail the claim of a task, which then waits until its lease is over."""
    return url if "protocol=" in url else f"{url}{'&' if '?' in url else '?'}protocol=2"


def _private(task_id: str) -> str:
    return f"private:{task_id}"
