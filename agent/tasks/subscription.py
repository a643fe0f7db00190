"""One reader's own bounded queue of updates: whoever reads too slowly loses its place, and costs nobody else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from agent.errors import Overloaded
from agent.task import Event, Task, state_after

SUBSCRIPTION_UPDATES = 256


@dataclass(frozen=True, slots=True)
class Update:
    """`task` is the snapshot after `event`; in a replay of old events it is the newest one. No event: the snapshot."""

    sequence: int
    task: Task
    event: Event | None = None

    @property
    def last(self) -> bool:
        """Whether nothing can follow."""
        if self.event is None:
            return self.task.state.terminal
        state = state_after(self.event)
        return state is not None and state.terminal


class Subscription:
    """An iterator of updates in order, each sequence once; ends after the last one, or when closed.

    Raises Overloaded when its reader fell behind: it may come again and continue after the sequence it has.
    """

    def __init__(self, limit: int = SUBSCRIPTION_UPDATES) -> None:
        self._limit = limit
        self._updates: deque[Update] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._sequence = -1
        self._closed = False
        self._fault: BaseException | None = None

    def preload(self, updates: Iterable[Update]) -> None:
        """What is told before anything offered meanwhile; not counted against the limit."""
        self._updates.extendleft(reversed(list(updates)))

    def offer(self, update: Update) -> None:
        if self._closed:
            return
        if len(self._updates) >= self._limit:
            self._updates.clear()
            self.close(Overloaded("the stream was read too slowly; continue after the last event id"))
            return
        self._updates.append(update)
        self._wake()

    def close(self, fault: BaseException | None = None) -> None:
        """What is queued is still given; then the iterator ends, or raises `fault`."""
        if not self._closed:
            self._closed = True
            self._fault = fault
            self._wake()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Update:
        while True:
            while self._updates:
                update = self._updates.popleft()
                if update.sequence <= self._sequence:
                    continue  # replayed and told live
                self._sequence = update.sequence
                if update.last:
                    self._updates.clear()
                    self.close()
                return update
            if self._closed:
                raise self._fault or StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
