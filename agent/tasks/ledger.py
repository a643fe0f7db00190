"""Every change of every task goes through here: decide on the newest state, commit, then tell.

Deciding is synchronous: `apply` on the head, hand the commit to the store, move the head. Several commits of one task
may so be on their way. `live.task` is what has been committed, and all that anybody is shown. When a commit fails, the
ones made upon it fail too (the store compares versions), and the next decision starts from what the store holds.

In a shared store other processes commit as well. What is read of a task is then read anew, and whoever listens to it
is told from its journal (`followed`), where the commits of all processes stand in their order.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from agent.caller import Caller
from agent.errors import TaskNotFound
from agent.task import Event, IllegalMove, Task, apply
from agent.tasks.ending import end
from agent.tasks.store import Claim, Commit, Entry, PushConfig, Stale, Store, StoreUnavailable
from agent.tasks.subscription import Subscription, Update

log = logging.getLogger(__name__)

_TRIES = 20  # decisions on one task that lost against other processes, before its caller is told to come again


@dataclass(eq=False, slots=True)
class Live:
    """A task this process has to do with, or lately had."""

    task: Task
    head: Task
    pending: int = 0
    generation: int = 0
    outdated: bool = False
    size_bytes: int = 0
    queued: bool = False
    context: contextvars.Context | None = None  # of the request that queued it: trace, request id
    caller: Caller | None = None  # as it came in, with its rights; after a restart only its id is known
    runner: asyncio.Task[None] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    subscriptions: set[Subscription] = field(default_factory=set)
    waiters: set[asyncio.Future[None]] = field(default_factory=set)
    followers: int = 0
    following: asyncio.Task[None] | None = None
    told: int = 0  # while it is followed: the version up to which listeners were told

    @property
    def busy(self) -> bool:
        """Whether forgetting it would lose something."""
        held = self.queued or self.runner is not None or self.pending > 0
        heard = bool(self.subscriptions) or bool(self.waiters) or self.followers > 0
        return held or heard or bool(self.secrets)

    def tell(self, update: Update) -> None:
        for subscription in self.subscriptions:
            subscription.offer(update)
        state = update.task.state
        if state.terminal:
            self.secrets = {}
        if self.waiters and (state.terminal or state.interrupted):
            for waiter in self.waiters:
                if not waiter.done():
                    waiter.set_result(None)


class Ledger:
    """The tasks in memory (bounded: what is idle is forgotten, longest untouched first) over the store."""

    def __init__(
        self,
        store: Store,
        told: Callable[[Live, Update], None],
        *,
        remembered_tasks: int = 512,
        remembered_bytes: int = 16 * 2**20,
    ) -> None:
        self._store = store
        self._told = told
        self._lives: OrderedDict[str, Live] = OrderedDict()
        self._remembered_tasks = remembered_tasks
        self._remembered_bytes = remembered_bytes
        self._size_bytes = 0

    async def get(self, task_id: str) -> Live:
        """Raises TaskNotFound."""
        live = self._lives.get(task_id)
        if live is not None and not live.outdated and not self._perhaps_old(live):
            self._lives.move_to_end(task_id)
            return live
        task = await self._store.load(task_id)
        if task is None:
            raise TaskNotFound(f"there is no task {task_id}")
        live = self._lives.get(task_id)  # somebody else may have loaded it meanwhile
        if live is None:
            live = self._remember(Live(task, task))
        elif live.outdated or live.pending == 0:
            self._refresh(live, task)
        return live

    def peek(self, task_id: str) -> Live | None:
        return self._lives.get(task_id)

    def all(self) -> list[Live]:
        return list(self._lives.values())

    async def create(
        self, task: Task, *, claim: Claim | None, push: PushConfig | None, documents: tuple[str, ...]
    ) -> Live:
        """Commits a new task. Raises Claimed, StoreUnavailable."""
        live = Live(task, task)
        await self._submit(live, Commit(task, claim=claim, push=push, documents=documents))
        return self._remember(live)

    async def commit(
        self,
        live: Live,
        event: Event,
        *,
        attempt: int | None = None,
        claim: Claim | None = None,
        push: PushConfig | None = None,
        documents: tuple[str, ...] = (),
        dead: bool = False,
    ) -> Task:
        """Raises IllegalMove (also when `attempt` is over), TaskNotFound, Claimed, StoreUnavailable.

        Whoever waits here may be cancelled: the commit goes on and is told all the same.
        """
        for _ in range(_TRIES):
            if live.outdated:
                await self._reload(live)
            before = live.head
            if attempt is not None and before.attempt != attempt:
                raise IllegalMove(f"task {before.id}: attempt {attempt} is over, {before.attempt} is under way")
            after = apply(before, event)
            live.head = after
            try:
                await self._submit(live, Commit(after, event, before, claim, push, documents, dead))
            except Stale:
                continue
            return after
        raise StoreUnavailable("the task is being changed from many sides; try again", retry_after_s=1)

    async def renew(self, live: Live) -> None:
        """Learns what other processes did to a task. Raises TaskNotFound, StoreUnavailable."""
        if self._store.shared:
            live.outdated = True
            await self._reload(live)

    @asynccontextmanager
    async def followed(self, live: Live) -> AsyncIterator[None]:
        """Meanwhile listeners of the task are told what any process commits."""
        if not self._store.shared:
            yield
            return
        live.followers += 1
        if live.following is None:
            live.told = live.task.version
            live.following = asyncio.get_running_loop().create_task(self._follow(live), name=f"follow {live.task.id}")
        try:
            yield
        finally:
            live.followers -= 1
            if not live.followers:
                following, live.following = live.following, None
                await end(following)

    def forget(self, task_id: str) -> None:
        """The task was erased."""
        live = self._lives.pop(task_id, None)
        if live is not None:
            self._size_bytes -= live.size_bytes
            for subscription in live.subscriptions:
                subscription.close(TaskNotFound(f"there is no task {task_id}"))

    def forget_idle(self) -> None:
        for task_id, live in list(self._lives.items()):
            if not live.busy:
                self.forget(task_id)

    def _perhaps_old(self, live: Live) -> bool:
        return self._store.shared and not live.task.state.terminal

    def _submit(self, live: Live, commit: Commit) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        live.pending += 1
        self._store.submit(commit, partial(self._settled, live, live.generation, commit, future))
        return future

    def _settled(
        self,
        live: Live,
        generation: int,
        commit: Commit,
        future: asyncio.Future[None],
        size_bytes: int,
        fault: BaseException | None,
    ) -> None:
        live.pending -= 1
        if fault is None:
            if commit.task.version > live.task.version or commit.event is None:
                live.task = commit.task
            live.size_bytes += size_bytes
            if commit.event is not None:
                if commit.task.id in self._lives:
                    self._size_bytes += size_bytes
                update = Update(commit.task.version, commit.task, commit.event)
                if live.following is None or live.told + 1 == update.sequence:  # else others' commits come first
                    live.told = update.sequence
                    live.tell(update)
                self._told(live, update)
        elif generation == live.generation:
            live.outdated = True
        if future.done():
            return
        if fault is None:
            future.set_result(None)
        else:
            future.set_exception(fault)

    async def _reload(self, live: Live) -> None:
        task = await self._store.load(live.task.id)
        if task is None:
            self.forget(live.task.id)
            raise TaskNotFound(f"there is no task {live.task.id}")
        if live.outdated:
            self._refresh(live, task)

    def _refresh(self, live: Live, task: Task) -> None:
        live.generation += 1
        live.outdated = False
        live.head = task
        if task.version > live.task.version:
            live.task = task
            if not self._store.shared and (task.state.terminal or task.state.interrupted):
                live.tell(Update(task.version, task))

    async def _follow(self, live: Live) -> None:
        try:
            async with self._store.follow(live.task.id, live.told) as entries:
                async for entry in entries:
                    await self._heard(live, entry)
            self.forget(live.task.id)
        except TaskNotFound:
            self.forget(live.task.id)
        except Exception as fault:  # the outermost frame: listeners must not wait for words that cannot come
            log.exception("task.follow_fault", extra={"task": live.task.id})
            for subscription in live.subscriptions:
                subscription.close(StoreUnavailable(f"the stream broke: {type(fault).__name__}", retry_after_s=1))

    async def _heard(self, live: Live, entry: Entry) -> None:
        """Some process committed this; told here unless it has been."""
        if entry.sequence <= live.told:
            return
        if entry.sequence == live.task.version + 1:
            live.task = apply(live.task, entry.event)
            if not live.pending:
                live.head = live.task
        elif entry.sequence > live.task.version:
            await self.renew(live)
        gap, live.told = entry.sequence > live.told + 1, entry.sequence
        if gap:  # the journal does not reach back so far: the snapshot stands for what is missing
            live.told = live.task.version
            live.tell(Update(live.task.version, live.task))
        else:
            live.tell(Update(entry.sequence, live.task, entry.event))

    def _remember(self, live: Live) -> Live:
        known = self._lives.setdefault(live.task.id, live)
        if known is live:
            self._size_bytes += live.size_bytes
            self._trim()
        return known

    def _trim(self) -> None:
        """Looks at two for each one added: busy ones move to the end and delay nothing."""
        for _ in range(2):
            full = len(self._lives) > self._remembered_tasks or self._size_bytes > self._remembered_bytes
            if not full or len(self._lives) == 1:
                return
            task_id, live = next(iter(self._lives.items()))
            if live.busy:
                self._lives.move_to_end(task_id)
            else:
                del self._lives[task_id]
                self._size_bytes -= live.size_bytes
