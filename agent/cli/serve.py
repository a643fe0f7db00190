"""`serve`: the service. The PDF server is started first and loads while this process loads the rest."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess

from agent.cli.pdf_server import pdf_server
from agent.config import Config
from agent.errors import ConfigError
from agent.pdf_client.command import ServerCommand, StartError, launch


def serve(options: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT; 0 after an orderly end."""
    overrides = {name.upper(): getattr(options, name) for name in ("host", "port", "workers") if getattr(options, name)}
    config = Config.from_env(os.environ, overrides)
    _refuse_unsupported(config)
    server = pdf_server(config)
    launched = _launched(config, server)
    try:
        from agent.cli.lifetime import run

        return asyncio.run(run(config, server, launched))
    finally:
        if launched is not None:
            with contextlib.suppress(OSError):
                launched.kill()
            launched.wait()


def _refuse_unsupported(config: Config) -> None:
    """What this version cannot do is refused, never ignored."""
    if config.shared_store_url:
        raise ConfigError("STORE_URL, WORKERS: tasks shared between processes are not supported by this version")


def _launched(config: Config, server: object) -> subprocess.Popen[bytes] | None:
    """The PDF server's process; a fault at its start is the supervisor's to tell and to retry."""
    if not isinstance(server, ServerCommand):
        return None
    config.uploads.mkdir(parents=True, exist_ok=True)
    config.pdf_cache.mkdir(parents=True, exist_ok=True)
    try:
        return launch(server)
    except StartError:
        return None
