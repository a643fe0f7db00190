"""Pages already read, kept on disk by content hash, bounded; written by the server under the hash it computed itself.

A page is four pieces of JSON as the worker made them (`Fragment`): joining bytes gives the caller's answer or the
next worker's input, so that a second question costs no parsing here. Documents opened with a password are not kept.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

log = logging.getLogger("mcp_pdf.cache")
FORMAT: Final = 2  # raise when the pieces of a page change
SWEEP_EVERY_PUTS: Final = 64


@dataclass(slots=True)
class Fragment:
    """One page: `head` is the inside of a JSON object, the others are JSON values; b"" where not made yet."""

    head: bytes
    words: bytes
    extra: bytes = b""
    text: bytes = b""
    columns: bytes = b""

    @property
    def size_bytes(self) -> int:
        """Of all pieces."""
        return len(self.head) + len(self.words) + len(self.extra) + len(self.text) + len(self.columns)

    def answer(self, layout: str, *, hidden: bool = False) -> bytes:
        """The page for a caller, with the words that a person cannot see where they are asked for."""
        head = self.head
        if hidden and self.extra:
            head = b'%b,"hidden_words":%b' % (head, orjson.dumps(orjson.loads(self.extra)[0]))
        if layout == "boxes":
            return b'{%b,"words":%b}' % (head, self.words)
        return b'{%b,"text":%b}' % (head, self.columns if layout == "columns" else self.text)

    def has(self, layout: str) -> bool:
        """Whether the page can be answered in this layout."""
        return bool(layout == "boxes" or (self.columns if layout == "columns" else self.text))

    def input(self) -> bytes:
        """The page for a worker."""
        return b'{%b,"words":%b,"extra":%b}' % (self.head, self.words, self.extra or b"null")


@dataclass(slots=True)
class Known:
    """What is known of one document."""

    page_count: int | None = None
    pages: dict[int, Fragment] = field(default_factory=dict)


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS document (sha256 TEXT PRIMARY KEY, page_count INTEGER NOT NULL, used REAL NOT NULL,
  size INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS page (sha256 TEXT NOT NULL, number INTEGER NOT NULL, head BLOB, words BLOB, extra BLOB,
  text BLOB, columns BLOB, PRIMARY KEY (sha256, number));
"""


@dataclass(slots=True)
class PageCache:
    """The cache; without a directory in a temporary file of SQLite, gone with the process. Event loop only."""

    directory: Path | None
    limit_bytes: int
    hits: int = 0
    misses: int = 0
    _database: sqlite3.Connection = field(init=False)
    _puts: int = 0
    _used: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        try:
            self._database = self._open()
        except sqlite3.DatabaseError as exc:
            log.warning("cache.rebuilt", extra={"cause": repr(exc)})
            self._discard()
            self._database = self._open()

    def _path(self) -> str:
        return "" if self.directory is None else str(self.directory / f"pages-{FORMAT}.sqlite")

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path(), isolation_level=None, timeout=2.0, check_same_thread=False)
        database.execute("PRAGMA auto_vacuum=INCREMENTAL")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")  # a cache lost with the power is only read again
        database.execute("PRAGMA cache_size=-4096")
        database.executescript(_SCHEMA)
        return database

    def _discard(self) -> None:
        if self.directory is not None:
            for path in self.directory.glob(f"pages-{FORMAT}.sqlite*"):
                path.unlink(missing_ok=True)

    def get(self, sha256: str, numbers: Iterable[int] | None = None) -> Known:
        """What is known of the document and of these pages (None: of all)."""
        row = self._database.execute("SELECT page_count FROM document WHERE sha256=?", (sha256,)).fetchone()
        if row is None:
            self.misses += 1
            return Known()
        self.hits += 1
        self._used[sha256] = time.time()
        known = Known(row[0])
        query = "SELECT number, head, words, extra, text, columns FROM page WHERE sha256=?"
        if numbers is None:
            rows = self._database.execute(query, (sha256,))
        else:
            wanted = list(numbers)
            if not wanted:
                return known
            between = " AND number BETWEEN ? AND ?"
            rows = self._database.execute(query + between, (sha256, min(wanted), max(wanted)))
        known.pages = {number: Fragment(*pieces) for number, *pieces in rows}
        return known

    def put(self, sha256: str, page_count: int, pages: Mapping[int, Fragment]) -> None:
        """Keeps the pages; a piece that is missing here keeps its stored value."""
        size = sum(page.size_bytes for page in pages.values())
        if size > self.limit_bytes // 4:
            return
        try:
            self._put(sha256, page_count, pages, size)
        except sqlite3.Error as exc:  # a full disk costs speed, not answers
            log.warning("cache.not_written", extra={"cause": repr(exc)})

    def _put(self, sha256: str, page_count: int, pages: Mapping[int, Fragment], size: int) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.execute(
                "INSERT INTO document VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET used=excluded.used,"
                " page_count=excluded.page_count, size=size+excluded.size",
                (sha256, page_count, time.time(), size),
            )
            self._database.executemany(
                "INSERT INTO page VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET head=excluded.head,"
                " words=excluded.words, extra=excluded.extra,"
                " text=CASE excluded.text WHEN x'' THEN text ELSE excluded.text END,"
                " columns=CASE excluded.columns WHEN x'' THEN columns ELSE excluded.columns END",
                [(sha256, n, p.head, p.words, p.extra, p.text, p.columns) for n, p in pages.items()],
            )
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._puts += 1
        if self._puts % SWEEP_EVERY_PUTS == 1:
            self._sweep()

    def size_bytes(self) -> int:
        """Of all pages kept."""
        return int(self._database.execute("SELECT COALESCE(SUM(size), 0) FROM document").fetchone()[0])

    def _sweep(self) -> None:
        """Forgets the documents unused for longest until nine tenths of the limit are left."""
        self._database.executemany(
            "UPDATE document SET used=? WHERE sha256=?", [(used, sha) for sha, used in self._used.items()]
        )
        self._used.clear()
        total = self.size_bytes()
        if total <= self.limit_bytes:
            return
        for sha256, size in self._database.execute("SELECT sha256, size FROM document ORDER BY used").fetchall():
            if total <= self.limit_bytes * 9 // 10:
                break
            self.forget(sha256)
            total -= size
        self._database.execute("PRAGMA incremental_vacuum")

    def forget(self, sha256: str) -> bool:
        """Removes all that is kept of the document; False when nothing was."""
        self._database.execute("DELETE FROM page WHERE sha256=?", (sha256,))
        self._used.pop(sha256, None)
        return self._database.execute("DELETE FROM document WHERE sha256=?", (sha256,)).rowcount > 0

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
