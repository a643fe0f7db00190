"""The full-text index of page texts: SQLite FTS5, keyed by content hash, in the cache directory.

It may be lost at any time: it is built again from the documents. Used by one search at a time.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

log = logging.getLogger("mcp_pdf.search_index")
FORMAT: Final = 1  # raise when the tables or the tokenizer change
MAX_TERMS: Final = 16
_TERM: Final = re.compile(r'"([^"]+)"|(\w+)')
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS document (sha256 TEXT PRIMARY KEY, pages INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS page USING fts5(text, sha256 UNINDEXED, number UNINDEXED,
  tokenize="unicode61 remove_diacritics 2");
CREATE TEMP TABLE IF NOT EXISTS wanted (sha256 TEXT PRIMARY KEY);
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One page that matches; `snippet` has the terms between « and »."""

    sha256: str
    page: int
    snippet: str


def terms(query: str) -> list[str]:
    """The words and quoted phrases of a query, as a person types it; operators have no meaning."""
    found = [phrase or word for phrase, word in _TERM.findall(query)]
    return [term for term in (" ".join(re.findall(r"\w+", one)) for one in found) if term][:MAX_TERMS]


@dataclass(slots=True)
class SearchIndex:
    """The index; without a directory in a temporary file of SQLite, gone with the process."""

    directory: Path | None
    limit_bytes: int
    _database: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        try:
            self._database = self._open()
        except sqlite3.DatabaseError as exc:
            log.warning("search_index.rebuilt", extra={"cause": repr(exc)})
            for path in self.directory.glob(f"search-{FORMAT}.sqlite*") if self.directory else ():
                path.unlink(missing_ok=True)
            self._database = self._open()

    def _open(self) -> sqlite3.Connection:
        place = "" if self.directory is None else str(self.directory / f"search-{FORMAT}.sqlite")
        database = sqlite3.connect(place, isolation_level=None, timeout=2.0, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")
        database.executescript(_SCHEMA)
        return database

    def indexed(self) -> set[str]:
        """The documents that are in."""
        return {sha256 for (sha256,) in self._database.execute("SELECT sha256 FROM document")}

    @property
    def is_full(self) -> bool:
        """Whether it has reached its size."""
        pages = self._database.execute("PRAGMA page_count").fetchone()[0]
        free = self._database.execute("PRAGMA freelist_count").fetchone()[0]
        size = self._database.execute("PRAGMA page_size").fetchone()[0]
        return bool((pages - free) * size > self.limit_bytes)

    def add(self, sha256: str, pages: Iterable[tuple[int, str]]) -> None:
        """Takes a document in, whole."""
        rows = [(text, sha256, number) for number, text in pages]
        with self._changed() as database:
            database.execute("INSERT OR REPLACE INTO document VALUES (?,?)", (sha256, len(rows)))
            database.execute("DELETE FROM page WHERE sha256=?", (sha256,))
            database.executemany("INSERT INTO page VALUES (?,?,?)", rows)

    def forget(self, documents: Collection[str]) -> bool:
        """Takes documents out; False when none was in."""
        with self._changed() as database:
            rows = [(sha256,) for sha256 in documents]
            database.executemany("DELETE FROM page WHERE sha256=?", rows)
            return database.executemany("DELETE FROM document WHERE sha256=?", rows).rowcount > 0

    def _changed(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database  # as a context it commits, or rolls back on an exception

    def find(self, wanted: Collection[str], query: str, offset: int, count: int) -> list[Hit]:
        """The best pages of the wanted documents: with all terms, or, when no page has all, with any."""
        asked = terms(query)
        self._database.execute("DELETE FROM wanted")
        self._database.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", [(sha256,) for sha256 in wanted])
        for joint in (" AND ", " OR "):
            match = joint.join(f'"{term}"*' for term in asked)
            if offset == 0 or self._found(match, 0, 1):
                hits = self._found(match, offset, count)
                if hits or joint == " OR " or offset:
                    return hits
        return []

    def _found(self, match: str, offset: int, count: int) -> list[Hit]:
        rows = self._database.execute(
            "SELECT sha256, number, snippet(page, 0, '«', '»', '…', 24) FROM page"
            " WHERE page MATCH ? AND sha256 IN (SELECT sha256 FROM wanted)"
            " ORDER BY rank, sha256, number LIMIT ? OFFSET ?",
            (match, count, offset),
        )
        return [Hit(*row) for row in rows]

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
