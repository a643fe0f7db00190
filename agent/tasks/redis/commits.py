"""Commits on their way to Redis: in the order they were made, many a round trip, sent again until one is sure.

A batch is sent as one pipeline and the next one waits for its answers, so that two commits of one task never overtake
each other. A lost answer is no lost commit: the script knows a commit by its token.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.tasks.redis.keys import PREFIX
from agent.tasks.redis.scripts import COMMIT
from agent.tasks.store import Claimed, Done, Stale, StoreUnavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

_BATCH = 64
_PAUSES_S = (0.02, 0.5)  # after a failed batch: the first, and the longest
COMMIT_S = 10.0  # a commit that could not be made for so long is reported as not made


@dataclass(frozen=True, slots=True)
class Request:
    """One commit as the script's arguments."""

    arguments: Sequence[str | bytes]
    size_bytes: int
    done: Done
    give_up_at: float


class Commits:
    """Open it before the first `submit`; closing it writes what was submitted."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: deque[Request] = deque()
        self._more = asyncio.Event()
        self._closing = False
        self._writer: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._writer = asyncio.get_running_loop().create_task(self._run(), name="task-commits")

    async def close(self) -> None:
        self._closing = True
        self._more.set()
        if self._writer is not None:
            await self._writer

    def submit(self, arguments: Sequence[str | bytes], size_bytes: int, done: Done) -> None:
        give_up_at = asyncio.get_running_loop().time() + COMMIT_S
        self._waiting.append(Request(arguments, size_bytes, done, give_up_at))
        self._more.set()

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting:
                self._more.clear()
                await self._more.wait()
                continue
            await self._write([self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))])

    async def _write(self, batch: list[Request]) -> None:
        """Until each has its answer or has waited too long."""
        pause_s, longest_s = _PAUSES_S
        while batch:
            answers = await self._send(batch)
            if answers is not None:
                for request, answer in zip(batch, answers, strict=True):
                    _tell(request, _fault(answer))
                return
            now = asyncio.get_running_loop().time()
            for request in batch:
                if request.give_up_at <= now:
                    _tell(request, StoreUnavailable("the task store cannot be written now", retry_after_s=5))
            batch = [request for request in batch if request.give_up_at > now]
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    async def _send(self, batch: list[Request]) -> list[Any] | None:
        """The answers; None when the server could not be reached, or does not take commits now."""
        from redis.exceptions import (
            BusyLoadingError,
            ConnectionError,  # noqa: A004  # the library's own
            MasterDownError,
            NoScriptError,
            ReadOnlyError,
            RedisError,
        )

        pipeline = self._redis.pipeline(transaction=False)
        for request in batch:
            pipeline.evalsha(COMMIT.digest, 0, PREFIX, *request.arguments)
        try:
            answers = await pipeline.execute(raise_on_error=False)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                await self._redis.script_load(COMMIT.text)
                return None
        except (RedisError, OSError, TimeoutError) as fault:
            log.warning("store.write_failed", extra={"cause": repr(fault), "commits": len(batch)})
            return None
        unfit = (BusyLoadingError, ConnectionError, MasterDownError, ReadOnlyError)
        if any(isinstance(answer, unfit) for answer in answers):
            log.warning("store.write_refused", extra={"commits": len(batch)})
            await self._redis.connection_pool.disconnect(
                inuse_connections=False
            )  # after a fail-over: ask anew who leads
            return None
        return answers


def _tell(request: Request, fault: BaseException | None) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        try:
            request.done(request.size_bytes, fault)
        except Exception:  # one reader's fault must not hide the others' results
            log.exception("store.done_fault")


def _fault(answer: Any) -> BaseException | None:
    """What the script's answer says against the commit."""
    if isinstance(answer, Exception):
        log.error("store.write_failed", extra={"cause": str(answer)})
        return StoreUnavailable("the task store cannot be written now", retry_after_s=5)
    match answer[0]:
        case b"ok":
            return None
        case b"claimed":
            return Claimed(answer[1].decode(), bytes.fromhex(answer[2].decode()))
        case _:
            return Stale()
