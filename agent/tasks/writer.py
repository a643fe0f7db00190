"""One thread that writes: what came while it wrote the last transaction shares the next one (group commit).

Durability: WAL with synchronous=NORMAL. A transaction that was reported done is in the operating system's hands: it
survives the death of this process by any signal. A power cut may take back the last moments, never corrupt.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.tasks.connection import Connection
from agent.tasks.store import StoreUnavailable

log = logging.getLogger(__name__)

_GROUP = 128

Write = Callable[[Connection], Any]
Done = Callable[[Any, BaseException | None], None]


@dataclass(frozen=True, slots=True)
class _Job:
    write: Write
    done: Done


class Writer:
    """`submit` from the event loop; `done` is called back there, in the order of the submissions.

    The thread has one group at a time, so that it is woken once a group and not once a job.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job] = deque()
        self._writing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._groups: queue.SimpleQueue[Sequence[_Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="task-store", daemon=True)
        self._thread.start()

    def submit(self, write: Write, done: Done) -> None:
        self._waiting.append(_Job(write, done))
        if not self._writing:
            self._writing = True
            self._idle.clear()
            self._loop.call_soon(self._next)  # whoever else submits in this turn of the loop comes along

    async def call(self, write: Write) -> Any:
        """What `write` returns, once its transaction holds."""
        future: asyncio.Future[Any] = self._loop.create_future()

        def done(result: Any, fault: BaseException | None) -> None:
            if future.done():
                return
            if fault is None:
                future.set_result(result)
            else:
                future.set_exception(fault)

        self.submit(write, done)
        return await future

    async def close(self) -> None:
        """Writes what was submitted."""
        await self._idle.wait()
        self._groups.put(None)
        await asyncio.to_thread(self._thread.join)

    def _next(self) -> None:
        """Hands the next group to the thread, or notes that nothing waits."""
        if not self._waiting:
            self._writing = False
            self._idle.set()
            return
        self._groups.put([self._waiting.popleft() for _ in range(min(len(self._waiting), _GROUP))])

    def _run(self) -> None:
        while (group := self._groups.get()) is not None:
            self._tell(group, self._written(group))

    def _tell(self, group: Sequence[_Job], ends: Sequence[tuple[Any, BaseException | None]]) -> None:
        def tell() -> None:
            for job, (result, fault) in zip(group, ends, strict=True):
                try:
                    job.done(result, fault)
                except Exception:  # one reader's fault must not hide the others' results
                    log.exception("store.done_fault")
            # Two turns of the loop later: in the first those who were told go on, in the second what they start does.
            # What both submit comes along, so that there are fewer and larger groups.
            self._loop.call_soon(self._loop.call_soon, self._next)

        self._loop.call_soon_threadsafe(tell)

    def _written(self, group: Sequence[_Job]) -> Sequence[tuple[Any, BaseException | None]]:
        """All in one transaction, each in a savepoint of its own only when one of them refuses."""
        try:
            self._connection.begin()
            ends = [(job.write(self._connection), None) for job in group]
            self._connection.commit()
        except Exception as fault:  # noqa: BLE001  # told to each one that waits
            self._roll_back()
            if len(group) == 1:
                return [(None, _translated(fault))]
            return [end for job in group for end in self._written([job])]
        return ends

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.rollback()
            except sqlite3.Error:
                log.exception("store.rollback_failed")


def _translated(fault: Exception) -> Exception:
    if isinstance(fault, sqlite3.Error):
        log.error("store.write_failed", extra={"cause": str(fault)})
        return StoreUnavailable("the task store cannot be written now", retry_after_s=5)
    return fault
