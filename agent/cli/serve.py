"""`serve` and `worker`: the service, and a process that only runs its tasks.

The PDF server is started first and loads while this process loads the rest.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
from functools import partial

from agent.cli.pdf_server import pdf_server
from agent.config import Config
from agent.errors import ConfigError
from agent.pdf_client.command import ServerCommand, StartError, launch


def serve(options: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT; 0 after an orderly end."""
    overrides = {name.upper(): getattr(options, name) for name in ("host", "port", "workers") if getattr(options, name)}
    config = Config.from_env(os.environ, overrides)
    if config.workers > 1 and not options.one_of_many:
        from agent.cli.parent import supervise

        return supervise(config)
    return _run(config, listens=True, one_of_many=options.one_of_many)


def worker(options: argparse.Namespace) -> int:
    """Runs tasks of the shared queue until SIGTERM or SIGINT; 0 after an orderly end."""
    del options
    config = Config.from_env(os.environ)
    if config.shared_store_url is None:
        raise ConfigError("a worker needs the task store that it shares with the service: set STORE_URL=redis://…")
    return _run(config, listens=False, one_of_many=False)


def _run(config: Config, *, listens: bool, one_of_many: bool) -> int:
    server = pdf_server(config)
    launched = _launched(config, server)
    try:
        from agent.app import make_app, make_worker
        from agent.cli.lifetime import run

        make = partial(make_app if listens else make_worker, config, server, launched=launched)
        return asyncio.run(run(config, make, listens=listens, one_of_many=one_of_many))
    finally:
        if launched is not None:
            with contextlib.suppress(OSError):
                launched.kill()
            launched.wait()


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
