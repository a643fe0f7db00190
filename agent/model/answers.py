"""Answers that need not be paid for again: those of the cache, and those of a task that a crash cut short.

Only complete answers are kept. A key is made of everything that decides the answer: tenant, prompt with its version,
model, options, schema and content. The answers of a running task lie in a directory of their own until it ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson

from agent.cache import ResultCache, cache_key
from agent.model.ask import Ask, Picture, Reply

log = logging.getLogger(__name__)

SWEEP_EVERY_S = 600.0

Make = Callable[[], Awaitable[Reply]]


def key_of(tenant: str, model: str, ask: Ask) -> str:
    """Two asks of one key have the same answer."""
    content = hashlib.sha256()
    for piece in ask.subject:
        content.update(piece.jpeg if isinstance(piece, Picture) else orjson.dumps(piece))
    return cache_key(
        tenant=tenant, prompt=ask.prompt, system=ask.system, model=model, schema=ask.schema,
        content=content.hexdigest(), most=ask.max_output_tokens,
    )  # fmt: skip


class Answers:
    """`kept` is a directory for the answers of running tasks, None for none; its leavings go after `keep_s`."""

    def __init__(self, cache: ResultCache | None, kept: Path | None, *, keep_s: float) -> None:
        self._cache = cache
        self._kept = kept
        self._keep_s = keep_s
        self._swept = 0.0

    async def once(self, task_id: str, key: str, make: Make, *, lasting: bool) -> tuple[Reply, bool]:
        """The reply, and whether it was there already. `make` runs once at a time for a key."""
        if lasting and (known := await self._read(task_id, key)) is not None:
            return _reply(known), True
        made: list[Reply] = []

        async def value() -> tuple[bytes, bool]:
            reply = await make()
            made.append(reply)
            return orjson.dumps({"model": reply.model, "data": reply.data}), True

        content = await self._cache.once(key, value) if self._cache is not None else (await value())[0]
        if lasting:
            await self._write(task_id, key, content)
        return (made[0], False) if made else (_reply(content), True)

    async def forget(self, task_id: str) -> None:
        """The task has ended."""
        if self._kept is not None and _is_directory(self._kept / task_id):
            await asyncio.to_thread(shutil.rmtree, self._kept / task_id, ignore_errors=True)

    async def _read(self, task_id: str, key: str) -> bytes | None:
        if self._kept is None or not _is_directory(self._kept / task_id):
            return None
        path = self._kept / task_id / key
        return await asyncio.to_thread(lambda: path.read_bytes() if path.is_file() else None)

    async def _write(self, task_id: str, key: str, content: bytes) -> None:
        if self._kept is not None:
            await asyncio.to_thread(self._put, self._kept / task_id, key, content)

    def _put(self, directory: Path, key: str, content: bytes) -> None:
        """A help, not a condition: a full disk costs the answer's second life, not the answer."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            part = directory / f"{key}.part"
            part.write_bytes(content)
            part.replace(directory / key)
            self._sweep(directory.parent)
        except OSError as fault:
            log.warning("answers.not_kept", extra={"cause": repr(fault)})

    def _sweep(self, root: Path) -> None:
        """What tasks that were cancelled or erased left behind."""
        if time.monotonic() - self._swept < SWEEP_EVERY_S:
            return
        self._swept = time.monotonic()
        for directory in root.iterdir():
            if time.time() - directory.stat().st_mtime > self._keep_s:
                shutil.rmtree(directory, ignore_errors=True)


def _is_directory(path: Path) -> bool:
    return path.is_dir()  # a look at the kernel's cache: far cheaper than another thread


def _reply(content: bytes) -> Reply:
    known: dict[str, Any] = orjson.loads(content)
    return Reply(known["model"], data=known["data"])
