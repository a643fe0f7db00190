"""Those who follow a task: streams that go on from a snapshot or an event, and callers who wait for its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from agent.task import Task
from agent.tasks.ledger import Ledger, Live
from agent.tasks.runner import Runner
from agent.tasks.store import Store
from agent.tasks.subscription import Subscription, Update


class Readers:
    """A reader never holds up the task: what it was not told in time, it reads from the journal."""

    def __init__(self, ledger: Ledger, runner: Runner, store: Store) -> None:
        self._ledger = ledger
        self._runner = runner
        self._store = store

    @asynccontextmanager
    async def listening(
        self, live: Live, after: int | None, *, snapshot: Task | None = None
    ) -> AsyncIterator[AsyncIterator[Update]]:
        """Updates: `snapshot`, or the task as it is, then what comes; or what came since the sequence `after`."""
        subscription = Subscription()
        live.subscriptions.add(subscription)
        try:
            async with self._ledger.followed(live):
                over = live.task.state.terminal or (self._runner.draining and live.runner is None)
                subscription.preload(await self._told_so_far(live, after, snapshot))
                if over:
                    subscription.close()  # after what is preloaded nothing more can come
                yield subscription
        finally:
            live.subscriptions.discard(subscription)

    async def wait(self, live: Live, timeout_s: float) -> Task:
        """The task once it is terminal or interrupted, or as it is when the time is up."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        live.waiters.add(waiter)
        try:
            async with self._ledger.followed(live), asyncio.timeout(timeout_s):
                if not (live.task.state.terminal or live.task.state.interrupted):
                    await waiter
        except TimeoutError:
            pass
        finally:
            live.waiters.discard(waiter)
        return live.task

    async def _told_so_far(self, live: Live, after: int | None, snapshot: Task | None) -> Sequence[Update]:
        task = live.task
        first = [Update(snapshot.version, snapshot)] if snapshot is not None else []
        if after is None or after > task.version:
            return [Update(task.version, task)]
        if after == task.version:
            return first
        entries = await self._store.journal(task.id, after)
        if not entries or entries[0].sequence > after + 1:
            return [Update(live.task.version, live.task)]
        return first + [Update(entry.sequence, live.task, entry.event) for entry in entries]


def hang_up(live: Live) -> None:
    """Ends all streams of a task, and all waiting for it."""
    for subscription in live.subscriptions:
        subscription.close()
    for waiter in live.waiters:
        if not waiter.done():
            waiter.set_result(None)
