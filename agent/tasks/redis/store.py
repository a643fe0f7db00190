"""The shared task store: the same promises as the embedded one, kept by scripts in Redis, for any number of processes.

Durability is the server's: with `appendonly yes` a commit that was answered survives the server's restart.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

import orjson

from agent.errors import NotFound
from agent.task import State, Task
from agent.tasks import page_token
from agent.tasks.record import dump, millis, read_decision, read_head, write_decision
from agent.tasks.redis import erasure, keys, wire
from agent.tasks.redis.commits import Commits
from agent.tasks.redis.follower import Follower
from agent.tasks.redis.scripts import HOLD, MARK_PUSH, PAGE, PUT_DECISIONS, PUT_PUSH
from agent.tasks.store import (
    Claimed,
    Commit,
    Decision,
    Done,
    Entry,
    Erase,
    Erased,
    ListQuery,
    PushConfig,
    Stale,
    StoreUnavailable,
    TaskPage,
    UploadRow,
)
from agent.telemetry import tracing

if TYPE_CHECKING:
    from redis.asyncio import Redis

P = ParamSpec("P")
T = TypeVar("T")

GRACE_S = 3600.0  # keys outlive their tasks by this: who sweeps comes first, and takes them out of all lists
_RUNNING = (State.SUBMITTED, State.WORKING)


def _told(
    call: Callable[Concatenate[RedisStore, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[RedisStore, P], Coroutine[Any, Any, T]]:
    """A call whose failed connection is told in the store's own words."""

    @wraps(call)
    async def told(store: RedisStore, /, *arguments: P.args, **named: P.kwargs) -> T:
        from redis.exceptions import RedisError

        try:
            with tracing.span(f"redis {call.__name__}", kind="client", attributes={"db.system.name": "redis"}):
                return await call(store, *arguments, **named)
        except (RedisError, OSError, TimeoutError) as fault:
            raise StoreUnavailable("the task store cannot be reached now", retry_after_s=5) from fault

    return told


class RedisStore:
    """A `Store` in Redis. `redis` is for commits and reads, `blocking` a client of its own for reads that wait.

    Everything lives `task_ttl_s` after its last change, and is then gone even when no service is there to drop it.
    """

    shared = True

    def __init__(self, redis: Redis, blocking: Redis, *, task_ttl_s: float) -> None:
        self._redis: Any = redis  # the library's types tell every shape of an answer; here it is bytes
        self._ttl_ms = round((task_ttl_s + GRACE_S) * 1000)
        self._commits = Commits(redis)
        self._follower = Follower(blocking)
        self._owner = secrets.token_hex(8)
        self._erasures: bytes | None = None

    async def __aenter__(self) -> Self:
        self._commits.open()
        self._follower.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._follower.close()
        await self._commits.close()

    def submit(self, commit: Commit, done: Done) -> None:
        self._commits.submit(*wire.write_commit(commit, self._ttl_ms), done)

    @_told
    async def claimed(self, caller: str, key: str) -> Claimed | None:
        task_id, digest = await self._redis.hmget(keys.claim(caller, key), ["task", "digest"])
        return Claimed(task_id.decode(), bytes.fromhex(digest.decode())) if task_id and digest else None

    @_told
    async def load(self, task_id: str) -> Task | None:
        fields = await self._redis.hgetall(keys.task(task_id))
        if not fields:
            return None
        blobs = await self._blobs(task_id, wire.digests(fields))
        return wire.read_task(fields, blobs.__getitem__)

    @_told
    async def journal(self, task_id: str, after: int) -> Sequence[Entry]:
        found = await self._redis.xrange(keys.journal(task_id), min=f"({max(after, 0)}-0")
        blobs = await self._blobs(task_id, (f[b"artifact"].decode() for _, f in found if b"artifact" in f))
        return [Entry(int(at.split(b"-")[0]), wire.read_entry(fields, blobs.__getitem__)) for at, fields in found]

    def follow(self, task_id: str, after: int) -> AbstractAsyncContextManager[AsyncIterator[Entry]]:
        return self._follow(task_id, after)

    @_told
    async def page(self, caller: str, query: ListQuery) -> TaskPage:
        position = page_token.position(caller, query) or ("", "")
        since = millis(query.since) if query.since is not None else ""
        state = query.state.value if query.state is not None else ""
        context = query.context_id or ""
        total, found = await PAGE(self._redis, caller, context, state, since, query.page_size, *position)
        shown = found[: query.page_size]
        tasks = [read_head(orjson.loads(head)) for _, _, head in shown]
        if query.artifacts:
            tasks = [whole for task in tasks if (whole := await self.load(task.id)) is not None]
        more = len(found) > query.page_size
        token = page_token.write(caller, query, int(shown[-1][0]), shown[-1][1].decode()) if more else ""
        return TaskPage(tuple(tasks), token, total)

    @_told
    async def unfinished(self) -> Sequence[tuple[str, str]]:
        found: list[tuple[bytes, float]] = []
        for state in _RUNNING:
            found += await self._redis.zrange(keys.state(state.value), 0, -1, withscores=True)
        ids = [task_id.decode() for task_id, _ in sorted(found, key=lambda row: row[1])]
        callers = await self._each("hget", [(keys.task(task_id), "caller") for task_id in ids])
        return [(task_id, caller.decode()) for task_id, caller in zip(ids, callers, strict=True) if caller]

    @_told
    async def counts(self) -> Mapping[State, int]:
        numbers = await self._each("zcard", [(keys.state(state.value),) for state in State])
        return {state: number for state, number in zip(State, numbers, strict=True) if number}

    @_told
    async def put_push(self, config: PushConfig) -> None:
        if not await PUT_PUSH(self._redis, config.task_id, config.id, *wire.write_push(config)):
            raise Stale(config.task_id)

    @_told
    async def push_configs(self, task_id: str) -> Sequence[PushConfig]:
        return wire.read_pushes(await self._redis.hgetall(keys.push(task_id)))

    @_told
    async def delete_push(self, task_id: str, config_id: str) -> None:
        await self._redis.hdel(keys.push(task_id), config_id, f"{config_id}/state")

    @_told
    async def undelivered(self) -> Sequence[PushConfig]:
        ids = [task_id.decode() for task_id in await self._redis.smembers(keys.PUSHING)]
        configs = await self._each("hgetall", [(keys.push(task_id),) for task_id in ids])
        heads = await self._each("hmget", [(keys.task(task_id), ["version", "state"]) for task_id in ids])
        waiting: list[PushConfig] = []
        for task_id, fields, (version, state) in zip(ids, configs, heads, strict=True):
            over = state is None or State(state.decode()).terminal
            open_ones = [config for config in wire.read_pushes(fields) if not config.gave_up]
            due = [config for config in open_ones if not over or config.delivered < int(version or 0)]
            waiting += due
            if over and not due:
                await self._redis.srem(keys.PUSHING, task_id)
        return waiting

    @_told
    async def mark_push(self, config: PushConfig) -> None:
        await MARK_PUSH(self._redis, config.task_id, config.id, config.delivered, wire.push_state(config))

    @_told
    async def put_upload(self, row: UploadRow) -> None:
        await erasure.put_upload(self._redis, row, self._ttl_ms)

    @_told
    async def upload(self, caller: str, sha256: str) -> UploadRow | None:
        body = await self._redis.get(keys.upload(sha256, caller))
        return wire.read_upload(sha256, caller, body) if body is not None else None

    @_told
    async def uploads(self, caller: str) -> Sequence[UploadRow]:
        names = [sha256.decode() for sha256 in await self._redis.zrange(keys.uploads(caller), 0, -1)]
        bodies = await self._each("get", [(keys.upload(sha256, caller),) for sha256 in names])
        return [wire.read_upload(name, caller, body) for name, body in zip(names, bodies, strict=True) if body]

    @_told
    async def put_decisions(self, task_id: str, decisions: Sequence[Decision]) -> None:
        added = [dump(write_decision(decision)) for decision in decisions]
        if not await PUT_DECISIONS(self._redis, task_id, *added):
            raise Stale(task_id)

    @_told
    async def decisions(self, task_id: str) -> Sequence[Decision]:
        found = await self._redis.lrange(keys.decisions(task_id), 0, -1)
        return [read_decision(orjson.loads(body)) for body in found]

    @_told
    async def erase(self, what: Erase) -> Erased:
        return await erasure.erase(self._redis, what)

    @_told
    async def retain(self, *, tasks_before: datetime, task_max: int, now: datetime) -> Erased:
        return await erasure.retain(self._redis, millis(tasks_before), task_max, millis(now))

    @_told
    async def dead(self) -> Sequence[str]:
        return [task_id.decode() for task_id in await self._redis.zrevrange(keys.DEAD, 0, -1)]

    @_told
    async def raise_dead(self, task_id: str) -> bool:
        return bool(await self._redis.zrem(keys.DEAD, task_id))

    @_told
    async def hold(self, name: str, ttl_s: float) -> bool:
        return bool(await HOLD(self._redis, name, self._owner, round(ttl_s * 1000)))

    @_told
    async def changed_outside(self) -> bool:
        """Only erasures: what is not yet ended is read anew on every use."""
        known, self._erasures = self._erasures, await self._redis.get(keys.ERASURES) or b"0"
        return known not in (None, self._erasures)

    @asynccontextmanager
    async def _follow(self, task_id: str, after: int) -> AsyncIterator[AsyncIterator[Entry]]:
        async with self._follower.following(task_id) as signal:

            async def entries() -> AsyncIterator[Entry]:
                at = after
                while not signal.gone:
                    try:
                        found = await self.journal(task_id, at)
                    except (StoreUnavailable, NotFound):
                        found = []  # the signal comes again; or the task is just being erased
                    for entry in found:
                        at = entry.sequence
                        yield entry
                    if not found:
                        await signal.wait()

            yield entries()

    async def _blobs(self, task_id: str, digests: Iterable[str]) -> dict[str, bytes]:
        """Raises NotFound when one is gone: then the task was erased meanwhile."""
        names = list(dict.fromkeys(digests))
        if not names:
            return {}
        bodies = await self._redis.mget([keys.blob(task_id, name) for name in names])
        if None in bodies:
            raise NotFound(f"there is no task {task_id}")
        return dict(zip(names, bodies, strict=True))

    async def _each(self, command: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """One command many times in one round trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for given in arguments:
            getattr(pipeline, command)(*given)
        return await pipeline.execute() if arguments else []
