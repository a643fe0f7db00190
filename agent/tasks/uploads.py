"""Callers' files: kept once by content, owned by whoever brought them, gone after their time.

A file appears under its hash complete and on disk, or not at all: written as `.part`, synced, renamed. Then the
owner's row is committed. Erasing goes the other way: first the row, then the file, when nobody owns it and it is not
younger than an hour (somebody may be about to own it: writing renames a fresh file even over an equal one).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from agent.caller import Caller
from agent.errors import InvalidParams, NotFound, TooLarge
from agent.task import now
from agent.tasks.store import Store, StoreUnavailable, UploadRow

_GRACE_S = 3600.0
_WRITE_BYTES = 2**18
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A caller's file; to `mcp_pdf` it is the document `upload/{sha256}`."""

    sha256: str
    size_bytes: int
    path: Path
    filename: str | None = None

    @property
    def doc_id(self) -> str:
        return f"upload/{self.sha256}"


class Uploads:
    """The spool in `directory`: files named by their hash, flat. Ownership is asked for on every use."""

    def __init__(self, directory: Path, store: Store, *, ttl_s: float, max_bytes: int) -> None:
        self._directory = directory
        self._store = store
        self._ttl = timedelta(seconds=ttl_s)
        self._max_bytes = max_bytes

    async def put(
        self, caller: Caller, content: bytes | AsyncIterable[bytes], *, filename: str | None = None
    ) -> Upload:
        """Raises TooLarge before anything more than the limit is kept; InvalidParams for no bytes at all."""
        part = await asyncio.to_thread(self._open_part)
        try:
            sha256, size_bytes = await self._write(part, content)
            await asyncio.to_thread(self._keep, part, sha256)
        except OSError as fault:
            await asyncio.to_thread(_drop, part)
            raise StoreUnavailable("the file cannot be kept now: no room or no access", retry_after_s=30) from fault
        except BaseException:
            await asyncio.to_thread(_drop, part)
            raise
        at = now()
        await self._store.put_upload(UploadRow(sha256, caller.id, size_bytes, filename, at, at + self._ttl))
        return Upload(sha256, size_bytes, self.path(sha256), filename)

    async def get(self, caller: Caller, sha256: str) -> Upload:
        """The caller's own file; its time starts anew. Raises NotFound, also for a foreign one."""
        row = await self._store.upload(caller.id, sha256) if _SHA256.fullmatch(sha256) else None
        if row is None:
            raise NotFound(f"there is no upload {sha256[:64]}")
        at = now()
        if row.expires - at < self._ttl * 0.9:  # not a write for every read
            await self._store.put_upload(UploadRow(sha256, caller.id, row.size_bytes, row.filename, at, at + self._ttl))
        return Upload(sha256, row.size_bytes, self.path(sha256), row.filename)

    async def owned(self, caller: Caller) -> list[Upload]:
        rows = await self._store.uploads(caller.id)
        return [Upload(row.sha256, row.size_bytes, self.path(row.sha256), row.filename) for row in rows]

    def path(self, sha256: str) -> Path:
        return self._directory / sha256

    async def remove(self, orphans: Iterable[str], *, at_once: bool = False) -> None:
        """Unlinks files that nobody owns any more; `at_once` (an erasure was asked for) also the young ones."""
        await asyncio.to_thread(self._unlink, list(orphans), 0.0 if at_once else _GRACE_S)

    async def tidy(self) -> None:
        """Removes what a crash left behind: unfinished files."""
        await asyncio.to_thread(self._tidy)

    def _open_part(self) -> BinaryIO:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._directory / f"{secrets.token_hex(16)}.part"
        return open(
            path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)
        )  # Path.open takes no opener; the writer closes it

    async def _write(self, part: BinaryIO, content: bytes | AsyncIterable[bytes]) -> tuple[str, int]:
        digest = hashlib.sha256()
        size_bytes = 0
        buffer = bytearray()
        async for chunk in _chunks(content):
            size_bytes += len(chunk)
            if size_bytes > self._max_bytes:
                raise TooLarge(f"the file is larger than {self._max_bytes // 1024} KB")
            buffer += chunk
            if len(buffer) >= _WRITE_BYTES:
                await asyncio.to_thread(_append, part, digest, bytes(buffer))
                buffer.clear()
        if not size_bytes:
            raise InvalidParams("the file is empty", field="parts")
        await asyncio.to_thread(_append, part, digest, bytes(buffer))
        return digest.hexdigest(), size_bytes

    def _keep(self, part: BinaryIO, sha256: str) -> None:
        part.flush()
        os.fsync(part.fileno())
        part.close()
        Path(part.name).rename(self.path(sha256))

    def _unlink(self, orphans: list[str], grace_s: float) -> None:
        for sha256 in orphans:
            path = self.path(sha256)
            try:
                if time.time() - path.stat().st_mtime >= grace_s:
                    path.unlink()
            except FileNotFoundError:
                continue

    def _tidy(self) -> None:
        for path in self._directory.glob("*.part"):
            try:
                if time.time() - path.stat().st_mtime >= _GRACE_S:
                    path.unlink()
            except FileNotFoundError:
                continue


def _append(part: BinaryIO, digest: hashlib._Hash, chunk: bytes) -> None:
    digest.update(chunk)
    part.write(chunk)


def _drop(part: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        part.close()
    Path(part.name).unlink(missing_ok=True)


async def _chunks(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    async for chunk in content:
        yield chunk
