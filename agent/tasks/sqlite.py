"""The embedded task store: one file, written by one thread, read by two others; no server, no dependency."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson

from agent.task import State, Task
from agent.tasks import rows
from agent.tasks.connection import Connection
from agent.tasks.record import millis, moment, read_artifact, read_decision, read_event, read_head
from agent.tasks.schema import migrate
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
    StoreUnavailable,
    TaskPage,
    UploadRow,
)
from agent.tasks.writer import Writer

T = TypeVar("T")


class SqliteStore:
    """A `Store` in the file at `path`. Only one serving process may have it open: it holds the directory's lock."""

    shared = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._connections: list[Connection] = []
        self._data_version: int | None = None

    async def __aenter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = await asyncio.to_thread(self._open)
        await asyncio.to_thread(migrate, connection)
        self._writer = Writer(connection)
        self._readers = ThreadPoolExecutor(2, "task-reader")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        for connection in reversed(self._connections):
            connection.close()

    def submit(self, commit: Commit, done: Done) -> None:
        def told(size_bytes: int | None, fault: BaseException | None) -> None:
            done(size_bytes or 0, fault)

        self._writer.submit(lambda connection: rows.write_commit(connection, commit), told)

    async def claimed(self, caller: str, key: str) -> Claimed | None:
        query = "SELECT task, digest FROM claims WHERE caller = ? AND key = ?"
        found = await self._rows(query, caller, key)
        return Claimed(*found[0]) if found else None

    async def load(self, task_id: str) -> Task | None:
        return await self._read(lambda connection: _load(connection, task_id))

    async def journal(self, task_id: str, after: int) -> Sequence[Entry]:
        query = "SELECT sequence, body FROM journal WHERE task = ? AND sequence > ? ORDER BY sequence"
        found = await self._rows(query, task_id, after)
        return [Entry(sequence, read_event(orjson.loads(body))) for sequence, body in found]

    def follow(self, task_id: str, after: int) -> AbstractAsyncContextManager[AsyncIterator[Entry]]:
        raise NotImplementedError("one process has this store to itself, and tells its readers itself")

    async def page(self, caller: str, query: ListQuery) -> TaskPage:
        return await self._read(lambda connection: rows.read_page(connection, caller, query))

    async def unfinished(self) -> Sequence[tuple[str, str]]:
        return await self._rows("SELECT id, caller FROM tasks WHERE state IN ('submitted', 'working') ORDER BY seq")

    async def counts(self) -> Mapping[State, int]:
        found = await self._rows("SELECT state, sum(tasks) FROM counts GROUP BY state")
        return {State(state): tasks for state, tasks in found}

    async def put_push(self, config: PushConfig) -> None:
        await self._writer.call(lambda connection: rows.write_push(connection, config))

    async def push_configs(self, task_id: str) -> Sequence[PushConfig]:
        query = f"SELECT {rows.PUSH} FROM pushes WHERE task = ? ORDER BY id"  # noqa: S608  # columns of this program
        return [rows.read_push(row) for row in await self._rows(query, task_id)]

    async def delete_push(self, task_id: str, config_id: str) -> None:
        await self._change("DELETE FROM pushes WHERE task = ? AND id = ?", task_id, config_id)

    async def undelivered(self) -> Sequence[PushConfig]:
        query = (
            f"SELECT {rows.PUSH} FROM pushes WHERE NOT gave_up AND EXISTS ("  # noqa: S608  # columns of this program
            "SELECT 1 FROM tasks WHERE tasks.id = pushes.task AND"
            " (delivered < version OR state NOT IN ('completed', 'failed', 'canceled', 'rejected')))"
        )
        return [rows.read_push(row) for row in await self._rows(query)]

    async def mark_push(self, config: PushConfig) -> None:
        await self._change(
            "UPDATE pushes SET delivered = max(delivered, ?), failures = ?, gave_up = ?, last_error = ?"
            " WHERE task = ? AND id = ?",
            config.delivered,
            config.failures,
            config.gave_up,
            config.last_error,
            config.task_id,
            config.id,
        )

    async def put_upload(self, row: UploadRow) -> None:
        await self._change(
            "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?, ?)",
            row.sha256,
            row.caller,
            row.size_bytes,
            row.filename,
            millis(row.created),
            millis(row.expires),
        )

    async def upload(self, caller: str, sha256: str) -> UploadRow | None:
        found = await self._rows("SELECT * FROM uploads WHERE sha256 = ? AND caller = ?", sha256, caller)
        return _upload(found[0]) if found else None

    async def uploads(self, caller: str) -> Sequence[UploadRow]:
        found = await self._rows("SELECT * FROM uploads WHERE caller = ? ORDER BY created", caller)
        return [_upload(row) for row in found]

    async def put_decisions(self, task_id: str, decisions: Sequence[Decision]) -> None:
        await self._writer.call(lambda connection: rows.write_decisions(connection, task_id, decisions))

    async def decisions(self, task_id: str) -> Sequence[Decision]:
        found = await self._rows("SELECT body FROM decisions WHERE task = ? ORDER BY seq", task_id)
        return [read_decision(orjson.loads(body)) for (body,) in found]

    async def erase(self, what: Erase) -> Erased:
        erased: Erased = await self._writer.call(lambda connection: rows.erase(connection, what))
        return erased

    async def retain(self, *, tasks_before: datetime, task_max: int, now: datetime) -> Erased:
        before, at = millis(tasks_before), millis(now)
        erased: Erased = await self._writer.call(lambda connection: rows.retain(connection, before, task_max, at))
        return erased

    async def dead(self) -> Sequence[str]:
        query = "SELECT task FROM dead JOIN tasks ON tasks.id = dead.task ORDER BY tasks.at DESC, task DESC"
        return [task_id for (task_id,) in await self._rows(query)]

    async def raise_dead(self, task_id: str) -> bool:
        statement = "DELETE FROM dead WHERE task = ?"
        gone: int = await self._writer.call(lambda connection: connection.execute(statement, (task_id,)).rowcount)
        return gone > 0

    async def hold(self, name: str, ttl_s: float) -> bool:
        del name, ttl_s
        return True  # one process has this store to itself

    async def changed_outside(self) -> bool:
        version: int = await self._writer.call(lambda c: c.execute("PRAGMA data_version").fetchone()[0])
        changed = self._data_version not in (None, version)
        self._data_version = version
        return changed

    def _open(self) -> Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=64, factory=Connection
        )
        self._connections.append(connection)
        for setting in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000", "cache_size = -4000"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        return connection

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._reading, read)

    def _reading(self, read: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        try:
            return read(connection)
        except sqlite3.Error as fault:
            raise StoreUnavailable("the task store cannot be read now", retry_after_s=5) from fault

    async def _rows(self, query: str, *values: object) -> list[Any]:
        return await self._read(lambda connection: connection.execute(query, values).fetchall())

    async def _change(self, statement: str, *values: object) -> None:
        await self._writer.call(lambda connection: connection.execute(statement, values) and None)


def _load(connection: sqlite3.Connection, task_id: str) -> Task | None:
    """Head and artifacts of one moment: both statements in one transaction."""
    connection.execute("BEGIN")
    try:
        found = connection.execute("SELECT head FROM tasks WHERE id = ?", (task_id,)).fetchone()
        if found is None:
            return None
        query = "SELECT body FROM artifacts WHERE task = ? ORDER BY place"
        bodies = connection.execute(query, (task_id,)).fetchall()
    finally:
        connection.execute("COMMIT")
    return read_head(orjson.loads(found[0]), tuple(read_artifact(orjson.loads(body)) for (body,) in bodies))


def _upload(row: tuple[Any, ...]) -> UploadRow:
    sha256, caller, size_bytes, filename, created, expires = row
    return UploadRow(sha256, caller, size_bytes, filename, moment(created), moment(expires))
