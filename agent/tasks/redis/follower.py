"""Tells readers in this process that a task was changed anywhere: one subscription connection for all of them.

The channel only wakes; what happened stands in the journal. So nothing is lost when the connection is: whoever follows
looks again after every (re)subscription, and from time to time without any.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from agent.tasks.ending import end
from agent.tasks.redis import keys

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

LOOK_S = 10.0  # without any word the journal is looked into all the same
_READ_S = 5.0
_PAUSE_S = 0.2
_SELF = f"{keys.PREFIX}told"  # a channel nobody writes to: a connection without any is closed by the library


class Signal:
    """Wakes one reader. `gone`: the task was erased."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.gone = False

    def wake(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):  # not wait_for, which before Python 3.12 may swallow a cancellation
                await self._event.wait()
        self._event.clear()


class Follower:
    """`redis` is a client for reads that wait."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._signals: dict[str, set[Signal]] = {}
        self._missed: set[str] = set()  # to be said again
        self._pubsub: Any = None
        self._listener: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._listener = asyncio.get_running_loop().create_task(self._run(), name="task-follower")

    async def close(self) -> None:
        if self._listener is not None:
            await end(self._listener)

    @asynccontextmanager
    async def following(self, task_id: str) -> AsyncIterator[Signal]:
        """A signal that is woken after every commit of the task, at least once at the beginning."""
        channel, signal = keys.told(task_id), Signal()
        signals = self._signals.setdefault(channel, set())
        signals.add(signal)
        try:
            if len(signals) == 1:
                await self._say("subscribe", channel)
            yield signal
        finally:
            signals.discard(signal)
            if not signals and self._signals.get(channel) is signals:
                del self._signals[channel]
                await self._say("unsubscribe", channel)

    async def _say(self, command: str, channel: str) -> None:
        """Nothing where there is no connection: the next one begins with all channels."""
        from redis.exceptions import RedisError

        if self._pubsub is not None:
            try:
                await getattr(self._pubsub, command)(channel)
            except (RedisError, OSError, TimeoutError, AttributeError):  # the last: its connection was just closed
                self._missed.add(channel)

    async def _run(self) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as fault:
                log.warning("store.follow_failed", extra={"cause": repr(fault)})
            finally:
                self._pubsub = None
            await asyncio.sleep(_PAUSE_S)

    async def _listen(self) -> None:
        async with self._redis.pubsub() as pubsub:
            known = list(self._signals)
            await pubsub.subscribe(_SELF, *known)
            self._pubsub = pubsub
            if added := self._signals.keys() - known:  # while the connection was being made
                await pubsub.subscribe(*added)
            while True:
                missed, self._missed = self._missed, set()
                if again := missed & self._signals.keys():
                    await pubsub.subscribe(*again)
                message = await pubsub.get_message(timeout=_READ_S)
                if message is not None:
                    self._wake(message["channel"].decode(), message["data"] == b"gone")

    def _wake(self, channel: str, gone: bool) -> None:
        """Of a commit, or of the subscription itself: what was committed before it must be looked for."""
        for signal in self._signals.get(channel, ()):
            signal.gone = signal.gone or gone
            signal.wake()
