"""`purge`: erases tasks, uploads and caches, beside a running service or without one."""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.cli.store import opened_store
from agent.config import Config
from agent.errors import ConfigError
from agent.settings import seconds
from agent.tasks.store import Erase
from agent.tasks.uploads import Uploads


def purge(options: argparse.Namespace) -> int:
    """Erases what the options name and says how much that was."""
    return asyncio.run(_purge(_named(options), Config.from_env(os.environ)))


def _named(options: argparse.Namespace) -> Erase:
    if options.older_than:
        try:
            age = timedelta(seconds=seconds(options.older_than))
        except ValueError as exc:
            raise ConfigError(f"--older-than {options.older_than!r}: {exc}") from exc
        return Erase(before=datetime.now(UTC) - age)
    return Erase(task_id=options.task, document=options.document, caller=options.caller)


async def _purge(what: Erase, config: Config) -> int:
    tasks = uploads = 0
    async with opened_store(config) as store:
        if store is not None:
            spool = Uploads(config.uploads, store, ttl_s=config.task_ttl_s, max_bytes=config.max_pdf_size_kb * 1024)
            while True:  # a bounded number a call
                gone = await store.erase(what)
                await spool.remove(gone.orphans, at_once=True)
                tasks += len(gone.task_ids)
                uploads += gone.uploads
                if not gone.task_ids and not gone.uploads:
                    break
    pages = await asyncio.to_thread(_forget_pages, config.pdf_cache)
    print(f"erased {tasks} tasks, {uploads} uploads and the page cache ({pages} documents)")
    return 0


def _forget_pages(folder: Path) -> int:
    """Empties page cache and search index: their rows are named by content hash alone, so that any of them may be the
    erased one."""
    counts = [0]
    for path in (*folder.glob("pages-*.sqlite"), *folder.glob("search-*.sqlite")):
        with sqlite3.connect(path, timeout=10) as cache:
            counts.append(cache.execute("DELETE FROM document").rowcount)
            cache.execute("DELETE FROM page")
    return max(counts)
