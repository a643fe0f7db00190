"""Where accepted tasks wait for their turn: in this process (`turns`), or with others for any process (`shared`)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from agent.tasks.ledger import Live
from agent.telemetry.health import Check


class Queue(AbstractAsyncContextManager["Queue"], Protocol):
    """Entering it resumes what earlier processes left unfinished."""

    @property
    def queued(self) -> int:
        """Tasks that wait."""

    def check(self) -> Check:
        """Whether tasks can be queued now."""

    def reserve(self) -> None:
        """Holds a place for a task about to be committed; `release` follows. Raises Overloaded."""

    def release(self) -> None: ...

    async def put(self, live: Live) -> None:
        """Queues a committed task; it starts as soon as its turn comes."""

    async def stop(self, live: Live) -> None:
        """The task has ended otherwise: it does not start, or its attempt is cancelled, wherever it runs."""

    async def drain(self, deadline_s: float) -> None:
        """Starts nothing more; lets attempts end until the deadline and hands the rest back as SUBMITTED."""
