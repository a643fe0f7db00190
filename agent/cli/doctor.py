"""`doctor` and `config`: what is set, from where, and whether it works."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.config import Config
from agent.errors import ConfigError
from agent.settings import is_placeholder, table

LEAST_FREE_BYTES = 500 * 1024 * 1024
START_S = 30.0
DROPPING_POLICIES = ("allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random")


class Finding(NamedTuple):
    """One thing that was looked at. `bad` fails the doctor, `warning` only speaks."""

    level: str  # ok | warning | bad
    subject: str  # the setting to look at, or the part
    words: str


def config(options: argparse.Namespace) -> int:
    """Prints each setting with its value and source, secrets masked."""
    if options.table:
        print(table(Config))
        return 0
    for name, value, source in Config.from_env(os.environ).effective():
        print(f"{name:32} {value:40} {source}")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Checks everything that a start needs; 1 when something is bad."""
    del options
    try:
        settings = Config.from_env(os.environ)
    except ConfigError as exc:
        print(f"bad      configuration: {exc}", file=sys.stderr)
        return 2
    return asyncio.run(_examine(settings))


async def _examine(settings: Config) -> int:
    failed = False
    for finding in (*_library(settings), *_data(settings), *_secrets(settings)):
        failed |= _tell(finding)
    async for finding in _running(settings):
        failed |= _tell(finding)
    return 1 if failed else 0


def _tell(finding: Finding) -> bool:
    print(f"{finding.level:8} {finding.subject}: {finding.words}", flush=True)
    return finding.level == "bad"


def _library(settings: Config) -> Iterator[Finding]:
    folder = settings.mcp_pdf_server_dir
    if not folder.is_dir():
        yield Finding("bad", "MCP_PDF_SERVER_DIR", f"there is no directory {folder}")
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield Finding("bad", "MCP_PDF_SERVER_DIR", f"{folder} cannot be read by uid {os.getuid()}")
    else:
        count = sum(1 for _ in folder.rglob("*.pdf"))
        yield Finding("ok" if count else "warning", "MCP_PDF_SERVER_DIR", f"{folder} holds {count} PDF files")
    command = settings.mcp_pdf_server_command
    if shutil.which(command) is None:
        yield Finding("bad", "MCP_PDF_SERVER_COMMAND", f"there is no command {command!r}")


def _data(settings: Config) -> Iterator[Finding]:
    for name, path in (
        ("DATA_DIR", settings.data_dir),
        ("UPLOAD_DIR", settings.uploads),
        ("MCP_PDF_CACHE_DIR", settings.pdf_cache),
    ):
        holder = _nearest(path)
        if not os.access(holder, os.W_OK | os.X_OK):
            yield Finding("bad", name, f"{path} cannot be written by uid {os.getuid()}")
            continue
        free = shutil.disk_usage(holder).free
        level = "ok" if free > LEAST_FREE_BYTES else "warning"
        yield Finding(level, name, f"{path} is writable, {free // 1024**2} MB are free")
    if settings.shared_store_url and settings.upload_dir is None:
        yield Finding(
            "warning", "UPLOAD_DIR", "tasks are shared but uploads are not: set a directory all processes see"
        )


def _nearest(path: Path) -> Path:
    """The path, or the nearest directory above it that exists."""
    while not path.exists():
        path = path.parent
    return path


def _secrets(settings: Config) -> Iterator[Finding]:
    if settings.google_api_key and is_placeholder(settings.google_api_key):
        yield Finding("warning", "GOOGLE_API_KEY", "is a placeholder and counts as no key")
    elif not settings.has_model_source:
        yield Finding("ok", "GOOGLE_API_KEY", "is not set: the embedded engine does the whole job")
    for name, path in (
        ("GOOGLE_API_KEY_FILE", settings.google_api_key_file),
        ("API_KEYS_FILE", settings.keys_file if settings.keys_file.exists() else None),
        ("TLS_KEY_FILE", settings.tls_key_file),
    ):
        if path is None:
            continue
        if not path.is_file():
            yield Finding("bad", name, f"there is no file {path}")
        elif path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
            yield Finding("warning", name, f"{path} is open to others (mode {path.stat().st_mode & 0o777:o})")


async def _running(settings: Config) -> AsyncIterator[Finding]:
    yield await _server(settings)
    if settings.uses_model:
        yield await _model(settings)
    urls = {"STORE_URL": settings.shared_store_url, "CACHE_URL": settings.cache_url if settings.enable_cache else None}
    for name, url in urls.items():
        if url:
            async for finding in _redis(name, url, tasks=name == "STORE_URL"):
                yield finding


async def _server(settings: Config) -> Finding:
    from agent.cli.pdf_server import pdf_server
    from agent.pdf_client.session import PdfClient

    client = PdfClient(pdf_server(settings))
    async with client:
        deadline = asyncio.get_running_loop().time() + START_S
        while not client.ready.is_set():
            failure = client.report().start_error or {}
            late = asyncio.get_running_loop().time() >= deadline
            if failure or late:  # the first failed start tells enough: the service would try on
                words = failure.get("message") or f"did not start within {START_S:.0f} s"
                return Finding("bad", "MCP_PDF_SERVER_COMMAND", str(words))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.ready.wait(), 0.1)
        return Finding("ok", "mcp_pdf", f"started and offers {len(client.tools)} tools")


async def _model(settings: Config) -> Finding:
    """Whether the first model is there, by a request that costs nothing."""
    from agent.means import open_means
    from agent.pools import Pools
    from agent.telemetry.metrics import Metrics

    async with Pools() as pools, open_means(settings, pools, Metrics(), kept=None, cache=None) as means:
        if means is None:
            return Finding("ok", "GEMINI_MODEL", "is not used")
        await means.chain.look()
        check = means.chain.check()
    words = "answers" if check.ok else f"is not to be had: {check.detail.get('key') or check.detail['faults']}"
    return Finding("ok" if check.ok else "warning", "GEMINI_MODEL", f"{settings.gemini_model} {words}")


async def _redis(name: str, url: str, *, tasks: bool) -> AsyncIterator[Finding]:
    from redis.exceptions import RedisError

    from agent.pools import Pools

    async with Pools() as pools:
        client = pools.redis("doctor", url)
        try:
            version = (await client.info("server"))["redis_version"]
            policy = (await client.info("memory")).get("maxmemory_policy")
        except (RedisError, OSError, TimeoutError) as exc:
            yield Finding("bad", name, f"Redis does not answer: {type(exc).__name__}")
            return
    yield Finding("ok", name, f"Redis {version} answers")
    if tasks and policy in DROPPING_POLICIES:
        yield Finding("warning", name, f"its eviction policy {policy} can drop tasks: set maxmemory-policy noeviction")
