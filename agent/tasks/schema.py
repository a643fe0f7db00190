"""The SQLite store's tables, version by version. What has been released is never edited: a change is a new step."""

from __future__ import annotations

import sqlite3

from agent.errors import ConfigError

# `seq` is the order of creation: what retention walks. The indexes end in what a page is ordered by.
_FIRST = """
CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, caller TEXT NOT NULL, context TEXT NOT NULL,
    state TEXT NOT NULL, at INTEGER NOT NULL, created INTEGER NOT NULL,
    version INTEGER NOT NULL, attempt INTEGER NOT NULL, head BLOB NOT NULL
);
CREATE INDEX tasks_by_time ON tasks (caller, at, id);
CREATE INDEX tasks_by_state ON tasks (caller, state, at, id);
CREATE INDEX tasks_by_context ON tasks (caller, context, at, id);
CREATE INDEX tasks_unfinished ON tasks (seq) WHERE state IN ('submitted', 'working');
CREATE TABLE counts (caller TEXT NOT NULL, state TEXT NOT NULL, tasks INTEGER NOT NULL, PRIMARY KEY (caller, state))
    WITHOUT ROWID;
CREATE TABLE artifacts (task TEXT NOT NULL, place INTEGER NOT NULL, caller TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (task, place));
CREATE TABLE journal (task TEXT NOT NULL, sequence INTEGER NOT NULL, caller TEXT NOT NULL, attempt INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (task, sequence)) WITHOUT ROWID;
CREATE TABLE documents (document TEXT NOT NULL, task TEXT NOT NULL, caller TEXT NOT NULL, PRIMARY KEY (document, task))
    WITHOUT ROWID;
CREATE INDEX documents_by_task ON documents (task);
CREATE TABLE claims (caller TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, task TEXT NOT NULL,
    expires INTEGER NOT NULL, PRIMARY KEY (caller, key)) WITHOUT ROWID;
CREATE INDEX claims_by_task ON claims (task);
CREATE INDEX claims_by_expiry ON claims (expires);
CREATE TABLE pushes (task TEXT NOT NULL, id TEXT NOT NULL, caller TEXT NOT NULL, protocol TEXT NOT NULL,
    url TEXT NOT NULL, token TEXT, scheme TEXT, credentials TEXT, delivered INTEGER NOT NULL,
    failures INTEGER NOT NULL, gave_up INTEGER NOT NULL, last_error TEXT, PRIMARY KEY (task, id)) WITHOUT ROWID;
CREATE TABLE uploads (sha256 TEXT NOT NULL, caller TEXT NOT NULL, size INTEGER NOT NULL, filename TEXT,
    created INTEGER NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (sha256, caller)) WITHOUT ROWID;
CREATE INDEX uploads_by_caller ON uploads (caller);
CREATE INDEX uploads_by_expiry ON uploads (expires);
"""

_DEAD = "CREATE TABLE dead (task TEXT PRIMARY KEY) WITHOUT ROWID;"

_DECISIONS = """
CREATE TABLE decisions (seq INTEGER PRIMARY KEY, task TEXT NOT NULL, caller TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX decisions_by_task ON decisions (task);
"""

# Retention asks for what is older than its time, which is mostly nothing: without an index it reads every task for it.
_AGE = "CREATE INDEX tasks_by_age ON tasks (created);"

STEPS = (_FIRST, _DEAD, _DECISIONS, _AGE)


def migrate(connection: sqlite3.Connection) -> None:
    """Brings a database to this version, each step in one transaction. Raises ConfigError for a newer one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise ConfigError(f"the task store was written by a newer version (schema {version}, known {len(STEPS)})")
    for number, step in enumerate(STEPS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
