"""Tasks that were given up because the processes that ran them died: for people to look at, and to ask for again."""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import TaskNotFound
from agent.task import Task
from agent.tasks import intake
from agent.tasks.ledger import Ledger
from agent.tasks.queue import Queue
from agent.tasks.store import Commit, Store


class DeadLetters:
    """Of the service that runs."""

    def __init__(self, store: Store, ledger: Ledger, queue: Queue) -> None:
        self._store = store
        self._ledger = ledger
        self._queue = queue

    async def list(self) -> Sequence[Task]:
        """Newest first."""
        found = [await self._store.load(task_id) for task_id in await self._store.dead()]
        return [task for task in found if task is not None]

    async def replay(self, task_id: str) -> Task:
        """A new task of the same caller with what the given-up one was asked. Raises TaskNotFound, Overloaded."""
        self._queue.reserve()
        try:
            new = await raised(self._store, task_id)
            await self._queue.put(await self._ledger.create(new.task, claim=None, push=None, documents=new.documents))
            return new.task
        finally:
            self._queue.release()


async def raised(store: Store, task_id: str) -> Commit:
    """Takes a task off the list; the commit of a new task in its place. Raises TaskNotFound."""
    task = await store.load(task_id)
    if task is None or not await store.raise_dead(task_id):
        raise TaskNotFound(f"{task_id} is no dead letter")
    again = intake.again(task)
    return Commit(again, documents=tuple(name for m in again.history for name in intake.documents_named(m)))
