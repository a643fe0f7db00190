"""The SQLite store's statements: what one commit, one page, one erasure are in rows. Runs in the store's threads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from agent.task import ArtifactChanged, Task
from agent.tasks import page_token
from agent.tasks.connection import Connection
from agent.tasks.record import (
    dump,
    millis,
    read_artifact,
    read_head,
    write_artifact,
    write_decision,
    write_event,
    write_head,
)
from agent.tasks.store import (
    JOURNAL_EVENTS,
    Claimed,
    Commit,
    Decision,
    Erase,
    Erased,
    ListQuery,
    PushConfig,
    Stale,
    TaskPage,
)

PUSH = "id, task, caller, url, protocol, token, scheme, credentials, delivered, failures, gave_up, last_error"
_SWEPT = 200  # tasks a retention call drops at most: it shares the writer with everybody's commits
_ENDED = "('completed', 'failed', 'canceled', 'rejected')"
_RUNNING = "('submitted', 'working')"


def write_commit(connection: Connection, commit: Commit) -> int:
    """Snapshot, event and what goes with them. Raises Stale, Claimed."""
    task = commit.task
    _write_claim(connection, commit)
    head = dump(write_head(task))
    size_bytes = len(head)
    if commit.before is None:
        _insert(connection, task, head)
    else:
        _update(connection, task, commit.before, head)
    if isinstance(commit.event, ArtifactChanged):
        size_bytes += _write_artifact(connection, task, commit.event)
    if commit.event is not None:
        body = dump(write_event(commit.event))
        size_bytes += len(body)
        row = (task.id, task.version, task.caller, task.attempt, body)
        connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", row)
        if task.version % JOURNAL_EVENTS == 0:
            bound = (task.id, task.version - JOURNAL_EVENTS)
            connection.execute("DELETE FROM journal WHERE task = ? AND sequence <= ?", bound)
    for document in commit.documents:
        connection.execute("INSERT OR IGNORE INTO documents VALUES (?, ?, ?)", (document, task.id, task.caller))
    if commit.push is not None:
        write_push(connection, commit.push)
    if commit.dead:
        connection.execute("INSERT OR IGNORE INTO dead VALUES (?)", (task.id,))
    return size_bytes


def _write_claim(connection: sqlite3.Connection, commit: Commit) -> None:
    claim = commit.claim
    if claim is None:
        return
    task = commit.task
    query = "SELECT task, digest FROM claims WHERE caller = ? AND key = ?"
    taken = connection.execute(query, (task.caller, claim.key)).fetchone()
    if taken is not None:
        raise Claimed(*taken)
    row = (task.caller, claim.key, claim.digest, task.id, millis(claim.expires))
    connection.execute("INSERT INTO claims VALUES (?, ?, ?, ?, ?)", row)


def _insert(connection: Connection, task: Task, head: bytes) -> None:
    row = (task.id, task.caller, task.context_id, task.state.value, millis(task.timestamp), millis(task.created))
    connection.execute(
        "INSERT INTO tasks (id, caller, context, state, at, created, version, attempt, head)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, task.version, task.attempt, head),
    )
    connection.counts[task.caller, task.state.value] += 1


def _update(connection: Connection, task: Task, before: Task, head: bytes) -> None:
    state = task.state.value
    changed = connection.execute(
        "UPDATE tasks SET state = ?, at = ?, version = ?, attempt = ?, head = ?"
        " WHERE id = ? AND version = ? AND attempt = ?",
        (state, millis(task.timestamp), task.version, task.attempt, head, task.id, before.version, before.attempt),
    )
    if changed.rowcount != 1:
        raise Stale(task.id)
    if before.state is not task.state:
        connection.counts[task.caller, before.state.value] -= 1
        connection.counts[task.caller, state] += 1


def _write_artifact(connection: sqlite3.Connection, task: Task, event: ArtifactChanged) -> int:
    artifact_id = event.artifact.artifact_id
    place = next(at for at, artifact in enumerate(task.artifacts) if artifact.artifact_id == artifact_id)
    body = dump(write_artifact(task.artifacts[place]))
    row = (task.id, place, task.caller, body)
    connection.execute("INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?, ?)", row)
    return len(body)


def write_push(connection: sqlite3.Connection, config: PushConfig) -> None:
    if connection.execute("SELECT 1 FROM tasks WHERE id = ?", (config.task_id,)).fetchone() is None:
        raise Stale(config.task_id)
    connection.execute(
        f"INSERT OR REPLACE INTO pushes ({PUSH}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # fixed words
        (
            *(config.id, config.task_id, config.caller, config.url, config.protocol, config.token, config.scheme),
            *(config.credentials, config.delivered, config.failures, config.gave_up, config.last_error),
        ),
    )


def write_decisions(connection: sqlite3.Connection, task_id: str, decisions: Sequence[Decision]) -> None:
    found = connection.execute("SELECT caller FROM tasks WHERE id = ?", (task_id,)).fetchone()
    if found is None:
        raise Stale(task_id)
    added = [(task_id, found[0], dump(write_decision(decision))) for decision in decisions]
    connection.executemany("INSERT INTO decisions (task, caller, body) VALUES (?, ?, ?)", added)


def read_push(row: tuple[Any, ...]) -> PushConfig:
    return replace(PushConfig(*row), gave_up=bool(row[10]))


def read_page(connection: sqlite3.Connection, caller: str, query: ListQuery) -> TaskPage:
    """One page, newest status first, and how many match in all."""
    conditions, values = ["caller = ?"], [caller]
    for column, value in (("context", query.context_id), ("state", query.state and query.state.value)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    narrowed: list[Any] = list(values)
    if query.since is not None:
        conditions.append("at >= ?")
        narrowed.append(millis(query.since))
    where = " AND ".join(conditions)
    connection.execute("BEGIN")
    try:
        total = _total(connection, where, narrowed, values, query)
        position = page_token.position(caller, query)
        if position is not None:
            where += " AND (at, id) < (?, ?)"
        rows = connection.execute(
            f"SELECT at, id, head FROM tasks WHERE {where} ORDER BY at DESC, id DESC LIMIT ?",  # noqa: S608  # fixed words
            (*narrowed, *(position or ()), query.page_size + 1),
        ).fetchall()
        tasks = tuple(_listed(connection, head, query.artifacts) for _, _, head in rows[: query.page_size])
    finally:
        connection.execute("COMMIT")
    more = len(rows) > query.page_size
    return TaskPage(tasks, page_token.write(caller, query, *rows[query.page_size - 1][:2]) if more else "", total)


def _total(connection: sqlite3.Connection, where: str, narrowed: list[Any], values: list[str], query: ListQuery) -> int:
    """Kept counts for the usual queries; an index is counted only within a context or since a moment."""
    if query.context_id is None and query.since is None:
        kept = "caller = ? AND state = ?" if query.state is not None else "caller = ?"
        statement, bound = f"SELECT coalesce(sum(tasks), 0) FROM counts WHERE {kept}", list(values)  # noqa: S608  # fixed words
    else:
        statement, bound = f"SELECT count(*) FROM tasks WHERE {where}", narrowed  # noqa: S608  # fixed words
    total: int = connection.execute(statement, bound).fetchone()[0]
    return total


def _listed(connection: sqlite3.Connection, head: bytes, artifacts: bool) -> Task:
    record = orjson.loads(head)
    if not artifacts:
        return read_head(record)
    bodies = connection.execute("SELECT body FROM artifacts WHERE task = ? ORDER BY place", (record["id"],))
    return read_head(record, tuple(read_artifact(orjson.loads(body)) for (body,) in bodies))


def erase(connection: Connection, what: Erase) -> Erased:
    if what == Erase():
        return Erased()
    conditions: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("id = ?", what.task_id),
        ("id IN (SELECT task FROM documents WHERE document = ?)", what.document),
        ("caller = ?", what.caller),
        ("at < ?", millis(what.before) if what.before is not None else None),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    found = connection.execute(f"SELECT id FROM tasks WHERE {' AND '.join(conditions)}", values).fetchall()  # noqa: S608  # fixed words
    task_ids = tuple(task_id for (task_id,) in found)
    shas = _uploads_of(connection, what, task_ids)
    _delete_tasks(connection, task_ids)
    uploads = 0
    for sha256, caller in shas:
        uploads += connection.execute("DELETE FROM uploads WHERE sha256 = ? AND caller = ?", (sha256, caller)).rowcount
    return Erased(task_ids, uploads, _orphans(connection, {sha256 for sha256, _ in shas}))


def _uploads_of(connection: sqlite3.Connection, what: Erase, task_ids: Iterable[str]) -> set[tuple[str, str]]:
    """The uploads that go too: named by the erasure, or by the tasks that go."""
    found: set[tuple[str, str]] = set()
    named = "SELECT substr(document, 8), caller FROM documents WHERE task = ? AND document LIKE 'upload/%'"
    for task_id in task_ids:
        found.update(connection.execute(named, (task_id,)))
    if what.task_id is not None:
        return found
    conditions, values = ["1"], list[Any]()
    for condition, value in (
        ("'upload/' || sha256 = ?", what.document),
        ("caller = ?", what.caller),
        ("created < ?", millis(what.before) if what.before is not None else None),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    found.update(connection.execute(f"SELECT sha256, caller FROM uploads WHERE {' AND '.join(conditions)}", values))  # noqa: S608  # fixed words
    return found


def _delete_tasks(connection: Connection, task_ids: Iterable[str]) -> None:
    doomed = [(task_id,) for task_id in task_ids]
    for task_id in doomed:
        gone = connection.execute("DELETE FROM tasks WHERE id = ? RETURNING caller, state", task_id).fetchall()
        connection.counts.subtract(gone)
    for table in ("artifacts", "journal", "documents", "claims", "pushes", "dead", "decisions"):
        connection.executemany(f"DELETE FROM {table} WHERE task = ?", doomed)  # noqa: S608  # fixed words


def _orphans(connection: sqlite3.Connection, shas: Iterable[str]) -> tuple[str, ...]:
    owned = "SELECT 1 FROM uploads WHERE sha256 = ?"
    return tuple(sha256 for sha256 in shas if connection.execute(owned, (sha256,)).fetchone() is None)


def retain(connection: Connection, before: int, task_max: int, at: int) -> Erased:
    """A bounded step of dropping: old tasks, then ended ones over the cap, then expired uploads and claims."""
    old = f"SELECT id FROM tasks WHERE created < ? AND at < ? AND state NOT IN {_RUNNING} ORDER BY created LIMIT ?"  # noqa: S608  # fixed words
    found = connection.execute(old, (before, before, _SWEPT)).fetchall()
    connection.write_counts()
    (total,) = connection.execute("SELECT coalesce(sum(tasks), 0) FROM counts").fetchone()
    if not found and total > task_max:
        over = f"SELECT id FROM tasks WHERE state IN {_ENDED} ORDER BY seq LIMIT ?"  # noqa: S608  # fixed words
        found = connection.execute(over, (min(_SWEPT, total - task_max),)).fetchall()
    task_ids = tuple(task_id for (task_id,) in found)
    _delete_tasks(connection, task_ids)
    expired = (
        "DELETE FROM uploads WHERE (sha256, caller) IN (SELECT sha256, caller FROM uploads WHERE expires < ? LIMIT ?)"
    )
    shas = [row[0] for row in connection.execute(f"{expired} RETURNING sha256", (at, _SWEPT)).fetchall()]
    connection.execute("DELETE FROM claims WHERE expires < ?", (at,))
    return Erased(task_ids, len(shas), _orphans(connection, set(shas)))
