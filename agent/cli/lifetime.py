"""The running service: sockets, signals, the order of its end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from agent import __version__
from agent.app import operations_app
from agent.config import Config
from agent.errors import ConfigError
from agent.telemetry import logs, tracing
from agent.web.connection import CENSUS, Runner
from agent.web.health import METRICS
from agent.web.keys import RELOAD

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger("agent.service")

PR_SET_DUMPABLE = 4  # linux/prctl.h
KEEPALIVE_S = 75.0  # above what proxies keep: they close first, so that no request meets a closing socket


def keep_memory_private() -> None:
    """No core dump, and no other process of the same user reads keys and documents in our memory (Linux)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


async def run(config: Config, make: Callable[[], web.Application], *, listens: bool, one_of_many: bool = False) -> int:
    """Serves until a signal; returns the exit code. `one_of_many`: other processes listen on the same port."""
    keep_memory_private()
    output = logs.setup(config.log_level, config.log_format)  # type: ignore[arg-type]  # parsed by Config
    spans = _traced(config)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    app = make()
    output.on_drop = app[METRICS].log_lines_dropped_total.inc
    loop.add_signal_handler(signal.SIGHUP, _reload, app)
    runner = Runner(app, app[CENSUS], keepalive_timeout=KEEPALIVE_S, shutdown_timeout=2.0)
    extra: web.AppRunner | None = None
    try:
        await runner.setup()
        if listens:
            tls = _tls(config)
            await web.TCPSite(runner, config.host, config.port, ssl_context=tls, reuse_port=one_of_many).start()
        if config.metrics_port is not None:
            extra = web.AppRunner(operations_app(app), access_log=None)
            await extra.setup()
            await web.TCPSite(extra, config.host, config.metrics_port, reuse_port=one_of_many).start()
        port = _port(runner) if listens else None
        log.info("server.listening", extra={"host": config.host, "port": port, "pid": os.getpid()})
        await stopped.wait()
        log.info("server.stopping")
    finally:
        await runner.cleanup()
        if extra is not None:
            await extra.cleanup()
        if spans is not None:
            await asyncio.to_thread(spans.shutdown)
        output.close()
    return 0


def _traced(config: Config) -> TracerProvider | None:
    """Spans go where the configuration says. Raises ConfigError without the extra `otel`."""
    if config.otel_endpoint is None:
        return None
    try:
        return tracing.export_to(config.otel_endpoint, version=__version__)
    except ImportError as fault:
        raise ConfigError("OTEL_EXPORTER_OTLP_ENDPOINT: install the extra `otel` to export traces") from fault


def _reload(app: web.Application) -> None:
    """SIGHUP: what may change without a restart is read anew."""
    try:
        config = Config.from_env(os.environ)
        logging.getLogger().setLevel(config.log_level)
        if RELOAD in app:
            app[RELOAD]()
    except ConfigError as fault:
        log.warning("config.not_reloaded", extra={"cause": str(fault)})
    else:
        log.info("config.reloaded", extra={"log_level": config.log_level})


def _port(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])


def _tls(config: Config) -> ssl.SSLContext | None:
    if config.tls_cert_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(config.tls_cert_file, config.tls_key_file)
    return context
