"""What is removed from Redis on demand or after its time, task by task; and the uploads' rows, which go along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent.task import State
from agent.tasks.record import millis
from agent.tasks.redis import keys, wire
from agent.tasks.redis.scripts import DROP
from agent.tasks.store import Erase, Erased, UploadRow

Redis = Any  # the library's types tell every shape an answer may have under some setting; here it is bytes

_SWEPT = 200  # tasks and uploads a call drops at most
_UPLOAD = "document:upload/"
_RUNNING = (State.SUBMITTED, State.WORKING)


async def erase(redis: Redis, what: Erase) -> Erased:
    """Everything that meets all conditions."""
    if what == Erase():
        return Erased()
    gone: list[str] = []
    files: set[tuple[str, str]] = set()
    before = millis(what.before) if what.before is not None else ""
    for task_id in await _named(redis, what):
        dropped = await DROP(redis, task_id, before, "0")
        if isinstance(dropped, list):
            gone.append(task_id)
            files |= _files(*dropped)
    if what.task_id is None:
        files |= await _uploads(redis, what)
    return await _end(redis, gone, files)


async def retain(redis: Redis, before: int, task_max: int, now: int) -> Erased:
    """A bounded step: old tasks, then ended ones over the cap, then expired uploads."""
    gone: list[str] = []
    due = [(task_id, str(before)) for task_id in await _old(redis, before)]
    if not due:
        due = [(task_id, "") for task_id in await _over(redis, task_max)]
    for task_id, older in due:
        if await DROP(redis, task_id, older, "1") != 0:
            gone.append(task_id)
    files = set()
    for member in await redis.zrangebyscore(keys.UPLOADS, "-inf", f"({now}", start=0, num=_SWEPT):
        sha256, _, caller = member.decode().partition(":")
        files.add((sha256, caller))
    return await _end(redis, gone, files)


async def put_upload(redis: Redis, row: UploadRow, ttl_ms: int) -> None:
    async with redis.pipeline(transaction=True) as change:
        change.set(keys.upload(row.sha256, row.caller), wire.write_upload(row), px=ttl_ms)
        change.sadd(keys.owners(row.sha256), row.caller)
        change.zadd(keys.uploads(row.caller), {row.sha256: millis(row.created)})
        change.zadd(keys.UPLOADS, {f"{row.sha256}:{row.caller}": millis(row.expires)})
        for key in (keys.owners(row.sha256), keys.uploads(row.caller), keys.UPLOADS):
            change.pexpire(key, ttl_ms)
        await change.execute()


async def _end(redis: Redis, gone: list[str], files: set[tuple[str, str]]) -> Erased:
    """Removes the uploads' rows and says what was removed in all."""
    removed = 0
    orphans = []
    for sha256, caller in files:
        async with redis.pipeline(transaction=True) as change:
            change.delete(keys.upload(sha256, caller))
            change.srem(keys.owners(sha256), caller)
            change.zrem(keys.uploads(caller), sha256)
            change.zrem(keys.UPLOADS, f"{sha256}:{caller}")
            change.exists(keys.owners(sha256))
            answers = await change.execute()
        removed += answers[0]
        if not answers[-1]:
            orphans.append(sha256)
    if gone or files:
        await redis.set(keys.ERASURES, await redis.incr(keys.ERASURES), ex=7 * 86400)
    return Erased(tuple(gone), removed, tuple(orphans))


async def _named(redis: Redis, what: Erase) -> list[str]:
    """Tasks that meet the conditions but the age, which the script looks at itself."""
    found: list[set[bytes]] = []
    if what.task_id is not None:
        found.append({what.task_id.encode()})
    if what.document is not None:
        found.append(set(await redis.smembers(keys.document(what.document))))
    if what.caller is not None:
        found.append(set(await redis.zrange(keys.caller(what.caller), 0, -1)))
    if what.before is not None and not found:
        found.append(set(await _of_states(redis, State, f"({millis(what.before)}", -1)))
    return sorted(task_id.decode() for task_id in set.intersection(*found))


async def _uploads(redis: Redis, what: Erase) -> set[tuple[str, str]]:
    """The uploads' rows an erasure names by itself."""
    found = set()
    rows = await redis.zrange(keys.UPLOADS, 0, -1)
    for member in rows:
        sha256, _, caller = member.decode().partition(":")
        if what.document not in (None, f"upload/{sha256}") or what.caller not in (None, caller):
            continue
        if what.before is not None:
            created = await redis.zscore(keys.uploads(caller), sha256)
            if created is None or created >= millis(what.before):
                continue
        found.add((sha256, caller))
    return found


async def _old(redis: Redis, before: int) -> list[str]:
    waiting = [state for state in State if state not in _RUNNING]
    return [task_id.decode() for task_id in await _of_states(redis, waiting, f"({before}", _SWEPT)][:_SWEPT]


async def _over(redis: Redis, task_max: int) -> list[str]:
    """The oldest ended tasks beyond the cap."""
    total = sum([await redis.zcard(keys.state(state.value)) for state in State])
    number = min(_SWEPT, total - task_max)
    if number <= 0:
        return []
    ended = [state for state in State if state.terminal]
    rows = [
        row for state in ended for row in await redis.zrange(keys.state(state.value), 0, number - 1, withscores=True)
    ]
    return [task_id.decode() for task_id, _ in sorted(rows, key=lambda row: row[1])[:number]]


async def _of_states(redis: Redis, states: Iterable[State], below: str, number: int) -> list[bytes]:
    found: list[bytes] = []
    for state in states:
        found += await redis.zrangebyscore(keys.state(state.value), "-inf", below, start=0, num=number)
    return found


def _files(caller: bytes, members: list[bytes]) -> set[tuple[str, str]]:
    """(sha256, caller) of the uploads that a dropped task named."""
    names = [member.decode() for member in members]
    return {(name.removeprefix(_UPLOAD), caller.decode()) for name in names if name.startswith(_UPLOAD)}
