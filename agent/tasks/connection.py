"""The connection that writes: beside its statements, it adds up how many tasks are in which state."""

from __future__ import annotations

import sqlite3
from collections import Counter


class Connection(sqlite3.Connection):
    """`counts` holds what the open transaction changes, by caller and state; it becomes rows once, at its end.

    A group of commits changes the same few counts many times over.
    """

    counts: Counter[tuple[str, str]]

    def begin(self) -> None:
        self.counts = Counter()
        self.execute("BEGIN IMMEDIATE")

    def write_counts(self) -> None:
        """Brings the table `counts` up to this moment."""
        changes = [(caller, state, by) for (caller, state), by in self.counts.items() if by]
        self.counts.clear()
        self.executemany(
            "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks", changes
        )

    def commit(self) -> None:
        self.write_counts()
        self.execute("COMMIT")
