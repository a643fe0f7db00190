"""`batch`: many documents, a JSON line each as it ends; what is already in the output can be kept and gone on from."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from agent.cli.one_shot import OneShot, one_shot
from agent.cli.remote import Remote, remote
from agent.cli.wish import wish_of
from agent.config import Config
from agent.errors import AgentError, ConfigError
from agent.planning.request import KEYS, check_data

REMOTE_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Item:
    """One document to do."""

    id: str
    path: Path
    wish: dict[str, Any]


def batch(options: argparse.Namespace) -> int:
    """1 when a document failed, 0 when all are done."""
    return asyncio.run(_batch(options))


async def _batch(options: argparse.Namespace) -> int:
    items = list(_items(options))
    done = _finished(options.out) if options.resume else {}
    left = [item for item in items if item.id not in done]
    failed = sum(status != "completed" for status in done.values())
    bar = _Bar(len(items), len(done))
    async with _pipeline(options) as (work, at_once):
        with options.out.open("ab" if options.resume else "wb") as out:
            jobs = iter(left)

            async def take_turns() -> int:
                bad = 0
                for item in jobs:
                    line = await _one(work, item)
                    _write(out, line)
                    bad += line["status"] != "completed"
                    bar.step()
                return bad

            turns = options.concurrency or at_once
            failed += sum(await asyncio.gather(*(take_turns() for _ in range(max(1, turns)))))
    bar.close()
    print(f"{len(items) - failed} completed, {failed} failed", file=sys.stderr)
    return 1 if failed else 0


@asynccontextmanager
async def _pipeline(options: argparse.Namespace) -> AsyncIterator[tuple[OneShot | Remote, int]]:
    """What extracts, and how many documents it is given at once."""
    if options.service:
        async with remote(options.service, options.key_file) as work:
            yield work, REMOTE_AT_ONCE
    else:
        config = Config.from_env(os.environ)
        async with one_shot(config) as work:
            yield work, config.mcp_pdf_workers + 1


async def _one(work: OneShot | Remote, item: Item) -> dict[str, Any]:
    try:
        result = await work.extract(item.path, item.wish, password=item.wish.get("password"))
    except AgentError as exc:
        return {"id": item.id, "status": "failed", "error": exc.body(), "values": {}}
    return {"id": item.id, "status": "completed", "error": None, **result}


def _write(out: BinaryIO, line: dict[str, Any]) -> None:
    """Whole lines only, on the disk before the next one: a killed run can be resumed."""
    out.write(orjson.dumps(line) + b"\n")
    out.flush()


def _items(options: argparse.Namespace) -> Iterator[Item]:
    common = wish_of(options)
    if options.manifest.is_dir():
        for path in sorted(options.manifest.rglob("*.pdf")):
            yield Item(path.relative_to(options.manifest).as_posix(), path, common)
        return
    try:
        lines = options.manifest.read_bytes().splitlines()
    except OSError as exc:
        raise ConfigError(f"{options.manifest}: {exc.strerror}") from exc
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if line.strip():
            item = _item(line, f"{options.manifest.name}:{number}", options.manifest.parent, common)
            if item.id in seen:
                raise ConfigError(f"{options.manifest.name}:{number}: the id {item.id!r} stands there twice")
            seen.add(item.id)
            yield item


def _item(line: bytes, where: str, folder: Path, common: dict[str, Any]) -> Item:
    try:
        row = orjson.loads(line)
        path, name = folder / row["file"], str(row.get("id") or row["file"])
        wish = check_data({key: value for key, value in row.items() if key in KEYS}, where)
    except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
        raise ConfigError(f"{where}: a line is an object with id and file") from exc
    except AgentError as exc:
        raise ConfigError(f"{exc.field}: {exc.message}") from exc
    return Item(name, path, common | wish)


def _finished(out: Path) -> dict[str, str]:
    """id -> status of the whole lines in the output; a line cut by a crash is dropped from the file."""
    if not out.exists():
        return {}
    found: dict[str, str] = {}
    kept = b""
    for line in out.read_bytes().splitlines(keepends=True):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if line.endswith(b"\n"):
            found[row["id"]] = row["status"]
            kept += line
    fresh = out.with_name(out.name + ".part")
    fresh.write_bytes(kept)
    fresh.replace(out)
    return found


class _Bar:
    """A progress bar on a terminal; a line now and then elsewhere."""

    def __init__(self, total: int, done: int) -> None:
        self._total, self._done, self._start, self._at_first = total, done, time.monotonic(), done
        self._live = sys.stderr.isatty()

    def step(self) -> None:
        self._done += 1
        if self._live:
            share = self._done / self._total
            rate = (self._done - self._at_first) / max(0.001, time.monotonic() - self._start)
            left = (self._total - self._done) / rate
            print(
                f"\r[{'#' * int(share * 30):30}] {self._done}/{self._total}  {left:.0f} s left ",
                end="",
                file=sys.stderr,
            )
        elif self._done % 50 == 0:
            print(f"{self._done}/{self._total}", file=sys.stderr)

    def close(self) -> None:
        if self._live:
            print(file=sys.stderr)
