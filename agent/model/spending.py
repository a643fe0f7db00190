"""What a caller has spent today, counted before it is spent; the day is UTC's.

The sums of the day survive a restart: they are written to a file soon after each change (a crash forgets the last
second at most).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import orjson

log = logging.getLogger(__name__)

WRITE_EVERY_S = 1.0


class Daily(Protocol):
    """Model tokens a caller may spend a day. In this process (`OwnDaily`), or shared between processes."""

    limit: int

    async def take(self, caller: str, tokens: int) -> bool:
        """Sets tokens aside; False when that would be too many."""

    async def settle(self, caller: str, taken: int, used: int) -> None:
        """What was set aside became this much."""


class OwnDaily:
    """One process's count. Enter it after its directory exists."""

    def __init__(
        self,
        limit: int,
        path: Path | None = None,
        *,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self.limit = limit
        self._path = path
        self._today = today
        self._day = today()
        self._spent: dict[str, int] = {}
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._path is not None:
            self._spent = await asyncio.to_thread(self._read, self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writing is not None:
            self._writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writing
            await self._write()

    async def take(self, caller: str, tokens: int) -> bool:
        spent = self._of_today().get(caller, 0)
        if spent + tokens > self.limit:
            return False
        self._spent[caller] = spent + tokens
        return True

    async def settle(self, caller: str, taken: int, used: int) -> None:
        spent = self._of_today()
        spent[caller] = max(0, spent.get(caller, 0) - taken + used)
        if self._path is not None and (self._writing is None or self._writing.done()):
            self._writing = asyncio.get_running_loop().create_task(self._soon(), name="spending")

    def _of_today(self) -> dict[str, int]:
        if self._day != self._today():
            self._day, self._spent = self._today(), {}
        return self._spent

    async def _soon(self) -> None:
        await asyncio.sleep(WRITE_EVERY_S)
        await self._write()

    async def _write(self) -> None:
        content = orjson.dumps({"day": self._day.isoformat(), "spent": self._spent})
        try:
            await asyncio.to_thread(_replace, self._path, content)
        except OSError as fault:
            log.warning("spending.not_written", extra={"cause": repr(fault)})

    def _read(self, path: Path) -> dict[str, int]:
        try:
            known = orjson.loads(path.read_bytes())
            return dict(known["spent"]) if known["day"] == self._day.isoformat() else {}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as fault:
            log.warning("spending.not_read", extra={"cause": repr(fault)})
            return {}


def _replace(path: Path | None, content: bytes) -> None:
    if path is not None:
        part = path.with_name(path.name + ".part")
        part.write_bytes(content)
        part.replace(path)
