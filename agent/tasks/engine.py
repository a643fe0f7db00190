"""The life of tasks: what callers may do with them, and what happens to them without anybody asking.

A task is committed before it is answered, runs without its request, and is told to all who listen.
Whatever the engine raises is an AgentError with words for the caller.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from agent.caller import Caller
from agent.errors import InvalidParams, TaskNotCancelable, TaskNotFound, UnsupportedOperation
from agent.task import EMPTY, IllegalMove, Message, MessageReceived, State, StatusChanged, Task, now
from agent.tasks import intake
from agent.tasks.dead_letters import DeadLetters
from agent.tasks.ending import end
from agent.tasks.ledger import Ledger, Live
from agent.tasks.push import Pusher
from agent.tasks.queue import Queue
from agent.tasks.readers import Readers, hang_up
from agent.tasks.retention import Retention
from agent.tasks.run import Work
from agent.tasks.runner import Runner
from agent.tasks.store import Claim, Claimed, Erase, Erased, ListQuery, PushConfig, Store, TaskPage
from agent.tasks.subscription import Update
from agent.tasks.tally import Tally
from agent.tasks.turns import Turns
from agent.tasks.uploads import Uploads
from agent.tasks.withhold import withhold
from agent.telemetry.health import Check
from agent.telemetry.metrics import Metrics

_FOLLOW_UP_GRACE_S = 2.0
_CLAIM_TTL = timedelta(days=1)

Shared = Callable[[Runner, Ledger, Store, Turns], Queue]  # makes the queue that processes share


class TaskEngine:
    """Open it after the store, close it before. Entering resumes what an earlier process left unfinished."""

    def __init__(
        self,
        store: Store,
        uploads: Uploads,
        work: Work,
        *,
        max_concurrent: int = 64,
        queue_limit: int = 1000,
        task_timeout_s: float = 900.0,
        task_ttl_s: float = 7 * 86400.0,
        task_max: int = 100_000,
        metrics: Metrics | None = None,
        pusher: Pusher | None = None,
        shared: Shared | None = None,
        forget: Callable[[], Awaitable[None]] | None = None,
        admit: Callable[[], None] = lambda: None,  # raises Overloaded when nothing more should be taken in
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._work = work
        self._pusher = pusher
        self._admit = admit
        self._tally = Tally(metrics) if metrics is not None else None
        self._ledger = Ledger(store, self._told)
        self._runner = Runner(self._ledger, uploads, work, task_timeout_s=task_timeout_s)
        self._readers = Readers(self._ledger, self._runner, store)
        turns = Turns(
            self._runner, self._ledger, store, max_concurrent=max_concurrent, queue_limit=queue_limit, metrics=metrics
        )
        self._queue: Queue = shared(self._runner, self._ledger, store, turns) if shared else turns
        self._retention = Retention(
            store,
            uploads,
            self._ledger,
            task_ttl_s=task_ttl_s,
            task_max=task_max,
            metrics=metrics,
            erased=self._erased,
            forget=forget,
        )
        self.dead_letters = DeadLetters(store, self._ledger, self._queue)
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._pusher is not None:
            await self._pusher.open(self._store)
        await self._queue.__aenter__()
        self._sweeper = asyncio.get_running_loop().create_task(self._retention.run(), name="retention")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with AsyncExitStack() as closing:
            if self._pusher is not None:
                closing.push_async_callback(self._pusher.close)
            closing.push_async_exit(self._queue)
            closing.push_async_callback(self.drain, 0.0)
            if self._sweeper is not None:
                await end(self._sweeper)

    @property
    def draining(self) -> bool:
        return self._runner.draining

    @property
    def queued(self) -> int:
        return self._queue.queued

    @property
    def running(self) -> int:
        return self._runner.running

    def check(self) -> Check:
        return self._queue.check()

    async def send(
        self,
        caller: Caller,
        message: Message,
        *,
        push: PushConfig | None = None,
        idempotency_key: str | None = None,
        metadata: Mapping[str, Any] = EMPTY,
    ) -> Task | Message:
        """The task once it is committed (SUBMITTED), or a direct answer. `push` gets its task's ids here.

        Raises Overloaded, TaskNotFound, UnsupportedOperation (the task has ended or is at work), InvalidParams.
        """
        if (answer := self._work.reply(message)) is not None:
            return answer
        live, _ = await self._accept(caller, message, push, idempotency_key, metadata)
        return live.task

    @asynccontextmanager
    async def stream(
        self,
        caller: Caller,
        message: Message,
        *,
        push: PushConfig | None = None,
        idempotency_key: str | None = None,
        metadata: Mapping[str, Any] = EMPTY,
    ) -> AsyncIterator[AsyncIterator[Update] | Message]:
        """`send`, and from its snapshot on every update without a gap; or a direct answer."""
        if (answer := self._work.reply(message)) is not None:
            yield answer
            return
        live, task = await self._accept(caller, message, push, idempotency_key, metadata)
        async with self._readers.listening(live, task.version, snapshot=task) as updates:
            yield updates

    async def wait(self, caller: Caller, task_id: str, timeout_s: float) -> Task:
        """The task once it is terminal or interrupted, or as it is when the time is up."""
        return await self._readers.wait(await self._own(caller, task_id), timeout_s)

    async def get(self, caller: Caller, task_id: str) -> Task:
        return (await self._own(caller, task_id)).task

    async def list(self, caller: Caller, query: ListQuery) -> TaskPage:
        """The caller's tasks, newest status first. Raises InvalidParams for a page token that is none."""
        if not 1 <= query.page_size <= 100:
            raise InvalidParams("pageSize is between 1 and 100", field="pageSize")
        return await self._store.page(caller.id, query)

    async def cancel(self, caller: Caller, task_id: str, metadata: Mapping[str, Any] = EMPTY) -> Task:
        """The CANCELED task. Raises TaskNotCancelable when it had ended, or ended first."""
        live = await self._own(caller, task_id)
        try:
            task = await self._ledger.commit(live, StatusChanged(State.CANCELED, now(), metadata=metadata))
        except IllegalMove:
            raise TaskNotCancelable(f"the task has ended: {live.head.state.value}") from None
        await self._queue.stop(live)
        return task

    @asynccontextmanager
    async def subscribe(
        self, caller: Caller, task_id: str, *, after: int | None = None
    ) -> AsyncIterator[AsyncIterator[Update]]:
        """Updates of a task: its snapshot first, or what came after a sequence the caller has.

        Raises UnsupportedOperation for an ended task, unless `after` asks for the rest of its events.
        """
        live = await self._own(caller, task_id)
        if after is None and live.task.state.terminal:
            raise UnsupportedOperation(f"the task has ended: {live.task.state.value}")
        async with self._readers.listening(live, after) as updates:
            yield updates

    async def create_push(self, caller: Caller, config: PushConfig) -> PushConfig:
        """Keeps a webhook of `config.task_id`; one of the same id is replaced. It is told what happens from now on."""
        pusher = self._push()
        live = await self._own(caller, config.task_id)
        kept = pusher.checked(config, live.task, delivered=live.task.version)
        await pusher.admit(kept)
        await self._store.put_push(kept)
        pusher.start(kept)
        return kept

    async def get_push(self, caller: Caller, task_id: str, config_id: str | None = None) -> PushConfig:
        """Without an id any one of the task's configs (0.3 may ask so). Raises TaskNotFound."""
        for config in await self.list_push(caller, task_id):
            if config_id in (None, config.id):
                return config
        raise TaskNotFound(f"the task has no push configuration {config_id or ''}".rstrip())

    async def list_push(self, caller: Caller, task_id: str) -> Sequence[PushConfig]:
        await self._own(caller, task_id)
        return await self._store.push_configs(task_id)

    async def delete_push(self, caller: Caller, task_id: str, config_id: str) -> None:
        """Nothing happens when there is none of this id."""
        await self._own(caller, task_id)
        await self._store.delete_push(task_id, config_id)
        self._push().stop(task_id, config_id)

    async def erase(self, what: Erase) -> Erased:
        """Removes tasks, events, configs, uploads; running ones are stopped first."""
        if what.task_id is not None:
            with contextlib.suppress(TaskNotFound):
                await self._queue.stop(await self._ledger.get(what.task_id))
        return await self._retention.erase(what)

    async def drain(self, deadline_s: float) -> None:
        """Refuses new tasks, lets running ones end until the deadline, hands the rest back, ends all streams."""
        self._runner.draining = True
        for live in self._ledger.all():
            if live.runner is None:
                hang_up(live)
        await self._queue.drain(deadline_s)
        for live in self._ledger.all():
            hang_up(live)

    async def _accept(
        self,
        caller: Caller,
        message: Message,
        push: PushConfig | None,
        key: str | None,
        metadata: Mapping[str, Any],
    ) -> tuple[Live, Task]:
        """Commits a message as a new task or a follow-up, and has it worked on. The snapshot is of that moment."""
        if push is not None:
            self._push()
        self._admit()
        self._queue.reserve()
        try:
            if message.task_id is not None:
                return await self._follow_up(caller, message, push, key, metadata)
            message, secrets = withhold(message, awaited=False)
            message = await intake.spooled(caller, message, self._uploads)
            task = intake.new_task(caller, message, metadata, withheld=bool(secrets))
            claim = await self._claim(caller, key, message, metadata)
            if isinstance(claim, Live):
                return claim, claim.task
            push = self._push().checked(push, task) if push is not None else None
            named = intake.documents_named(message)
            try:
                live = await self._ledger.create(task, claim=claim, push=push, documents=named)
            except Claimed as taken:
                live = await self._same(caller, taken, claim)
                return live, live.task
            await self._begin(live, caller, secrets, push)
            return live, task
        finally:
            self._queue.release()

    async def _follow_up(
        self, caller: Caller, message: Message, push: PushConfig | None, key: str | None, metadata: Mapping[str, Any]
    ) -> tuple[Live, Task]:
        live = await self._own(caller, message.task_id or "")
        message = intake.belonging(message, live.task)
        message, secrets = withhold(message, awaited=live.task.state is State.AUTH_REQUIRED)
        message = await intake.spooled(caller, message, self._uploads)
        claim = await self._claim(caller, key, message, metadata)
        if isinstance(claim, Live):
            return claim, claim.task
        if not (live.task.state.terminal or live.task.state.interrupted):
            await self._readers.wait(live, _FOLLOW_UP_GRACE_S)  # it may be about to ask
        push = self._push().checked(push, live.task, delivered=live.task.version) if push is not None else None
        event = MessageReceived(message, now(), withheld=bool(secrets))
        named = intake.documents_named(message)
        try:
            task = await self._ledger.commit(live, event, claim=claim, push=push, documents=named)
        except IllegalMove:
            ended = live.head.state.terminal
            words = f"the task has ended: {live.head.state.value}" if ended else "the task is at work and asks nothing"
            raise UnsupportedOperation(words) from None
        except Claimed as taken:
            live = await self._same(caller, taken, claim)
            return live, live.task
        await self._begin(live, caller, secrets, push)
        return live, task

    async def _begin(self, live: Live, caller: Caller, secrets: Mapping[str, str], push: PushConfig | None) -> None:
        live.caller = caller
        if secrets:
            live.secrets = {**live.secrets, **secrets}
        if push is not None:
            self._push().start(push)
        await self._queue.put(live)

    async def _claim(
        self, caller: Caller, key: str | None, message: Message, metadata: Mapping[str, Any]
    ) -> Claim | Live | None:
        """The claim to commit along; or the task that has it already."""
        if key is None:
            return None
        claim = Claim(key, intake.digest(message, metadata), now() + _CLAIM_TTL)
        taken = await self._store.claimed(caller.id, key)
        return claim if taken is None else await self._same(caller, taken, claim)

    async def _same(self, caller: Caller, taken: Claimed, claim: Claim | None) -> Live:
        if claim is None or taken.digest != claim.digest:
            raise InvalidParams("the idempotency key was used with another request", field="Idempotency-Key")
        return await self._own(caller, taken.task_id)

    async def _own(self, caller: Caller, task_id: str) -> Live:
        live = await self._ledger.get(task_id)
        if live.task.caller != caller.id:
            raise TaskNotFound(f"there is no task {task_id}")
        return live

    def _push(self) -> Pusher:
        if self._pusher is None:
            raise UnsupportedOperation("push notifications are not offered")
        return self._pusher

    def _told(self, live: Live, update: Update) -> None:
        if self._pusher is not None:
            self._pusher.notify(update)
        if update.last and self._tally is not None:
            self._tally.ended(update.task)

    async def _erased(self, gone: Erased) -> None:
        for task_id in gone.task_ids:
            live = self._ledger.peek(task_id)
            if live is not None:
                await self._queue.stop(live)
            if self._pusher is not None:
                self._pusher.stop(task_id)
