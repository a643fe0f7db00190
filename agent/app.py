"""THE wiring: one function opens every part in order, and leaving it closes them in reverse.

Intake stops first, then running tasks end or are handed back, then the PDF server, then the pools.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial

from aiohttp import web

from agent import __version__, guard
from agent.a2a.card import CardFacts
from agent.config import Config
from agent.means import open_cache, open_means
from agent.oidc import Oidc
from agent.pdf_client.command import RemoteServer, ServerCommand
from agent.pdf_client.session import PdfClient
from agent.planning.embedded import EmbeddedWork
from agent.planning.kept import Kept
from agent.planning.model_work import Means, ModelWork
from agent.planning.reader import Listing
from agent.pools import Pools
from agent.signature import SigningKey
from agent.tasks.engine import Shared, TaskEngine
from agent.tasks.fetch import Fetcher
from agent.tasks.lock import held
from agent.tasks.push import Pusher
from agent.tasks.redis.store import RedisStore
from agent.tasks.run import Work
from agent.tasks.shared import SharedQueue
from agent.tasks.sqlite import SqliteStore
from agent.tasks.store import Store
from agent.tasks.uploads import Uploads
from agent.telemetry.health import Check, Health
from agent.telemetry.history import History, total
from agent.telemetry.memory import Memory
from agent.telemetry.metrics import Metrics
from agent.telemetry.pulse import Pulse
from agent.web import admin, routes
from agent.web import health as health_routes
from agent.web.calls import push_payload
from agent.web.connection import CENSUS, Census
from agent.web.door import Door, Policy, open_door
from agent.web.keys import (
    CARD,
    CONFIGURATION,
    DATA_DIR,
    ENGINE,
    FETCHER,
    HISTORY,
    MEMORY,
    NEEDS_KEY,
    PDF,
    POOLS,
    RELOAD,
    STORE,
    UPLOADS,
    WAIT_S,
)
from agent.web.limits import RateLimit
from agent.web.middleware import make_middleware

FETCH_S = 30.0  # a file by URL has come by then, or it is refused

Parts = Callable[[web.Application], AsyncIterator[None]]


def make_app(
    config: Config, server: ServerCommand | RemoteServer, *, launched: subprocess.Popen[bytes] | None = None
) -> web.Application:
    """The whole service. `launched` is a PDF server that was started ahead of the imports. Raises ConfigError."""
    metrics = Metrics()
    config.data_dir.mkdir(parents=True, exist_ok=True)
    shared = config.shared_store_url is not None
    door = open_door(_policy(config), keys_file=config.keys_file, data_dir=config.data_dir, shared=shared)
    limit = None if config.loopback and "RATE_LIMIT" not in config.sources else RateLimit(config.rate_limit, metrics)
    app = web.Application(
        middlewares=[make_middleware(door, metrics, rate_limit=limit)], client_max_size=config.max_body_bytes
    )
    most = None if config.loopback and "MAX_CONNECTIONS_PER_ADDRESS" not in config.sources else config.max_connections
    app[CENSUS] = Census(metrics, most, exempt=door.is_proxy)
    app[WAIT_S] = config.request_timeout_s * 0.9  # below the proxy's time, so that the answer is ours
    app[CARD] = _card(config, door)
    app[NEEDS_KEY] = lambda: door.needs_key
    app[CONFIGURATION] = config.effective()
    app[RELOAD] = door.reload
    app[DATA_DIR] = config.data_dir
    _operate(app, config, metrics)
    app.cleanup_ctx.append(_parts(config, server, launched, door))
    if limit is not None and config.shared_store_url:
        app.cleanup_ctx.append(partial(_share, limit, config.shared_store_url))
    routes.add_routes(app)
    health_routes.add_routes(app)
    admin.add_routes(app)
    return app


def make_worker(
    config: Config, server: ServerCommand | RemoteServer, *, launched: subprocess.Popen[bytes] | None = None
) -> web.Application:
    """A process that runs shared tasks and answers no callers: only health and metrics are asked of it."""
    app, metrics = web.Application(), Metrics()
    app[CENSUS] = Census(metrics)
    app[CARD] = _card(config, None)
    _operate(app, config, metrics)
    app.cleanup_ctx.append(_parts(config, server, launched, None))
    return app


def _operate(app: web.Application, config: Config, metrics: Metrics) -> None:
    """What operators see of the process, and its orderly end."""
    health = app[health_routes.HEALTH] = Health(metrics.health_check_ok)
    app[health_routes.METRICS] = metrics
    app[health_routes.METRICS_ENABLED] = config.enable_metrics
    app[health_routes.METRICS_TOKEN] = config.metrics_token or ""

    async def drain(app: web.Application) -> None:
        """Before the connections are closed: streams end by themselves, running tasks have their time."""
        health.draining = True
        await app[ENGINE].drain(config.shutdown_timeout_s)

    app.on_shutdown.append(drain)


def _parts(
    config: Config, server: ServerCommand | RemoteServer, launched: subprocess.Popen[bytes] | None, door: Door | None
) -> Parts:
    """What needs the event loop, opened in this order and closed in reverse. Without a door it is a worker's."""

    async def parts(app: web.Application) -> AsyncIterator[None]:
        metrics, health = app[health_routes.METRICS], app[health_routes.HEALTH]
        memory = app[MEMORY] = Memory(refused=metrics.rate_limited_total.labels("memory").inc)
        async with AsyncExitStack() as opened:
            pools = app[POOLS] = await opened.enter_async_context(Pools())
            if door is not None and config.oidc_issuer and config.oidc_audience:
                door.oidc = Oidc(config.oidc_issuer, config.oidc_audience, pools.http("oidc"))
            tell = partial(pools.tell, metrics.pool_connections), health.report
            pulse = await opened.enter_async_context(Pulse(memory, metrics.event_loop_lag_seconds, tell=tell))
            store = await _open_store(opened, config, pools)
            uploads = Uploads(config.uploads, store, ttl_s=config.task_ttl_s, max_bytes=config.max_pdf_size_kb * 1024)
            private = config.fetch_allow_private
            http = await opened.enter_async_context(guard.session(private=private, timeout_s=FETCH_S))
            app[FETCHER] = Fetcher(http, uploads, private=private)
            pdf = await opened.enter_async_context(PdfClient(server, metrics=metrics, launched=launched))
            cache, listing = open_cache(config, pools, metrics), Listing(pdf)
            kept = Kept(cache, listing, engine=__version__) if cache is not None else None
            models = open_means(config, pools, metrics, kept=config.data_dir / "model", cache=cache)
            means = await opened.enter_async_context(models)
            takes = config.run_tasks or door is None
            pusher = _pusher(config, app[CARD].signing_key, metrics)
            work = _work(pdf, listing, kept, metrics, means)
            shared = _shared_queue(config, metrics, takes=takes) if config.shared_store_url else None
            engine = _engine(config, store, uploads, work, metrics, pusher, shared, kept, memory)
            app[STORE] = store
            app[PDF], app[UPLOADS], app[ENGINE] = pdf, uploads, await opened.enter_async_context(engine)
            app[HISTORY] = await opened.enter_async_context(_history(app[ENGINE], metrics, memory, pulse))
            health.register("mcp", lambda: _pdf_check(pdf), required=True)
            none = Check(False, detail={"model": "none"})
            health.register("llm", means.chain.check if means else lambda: none, required=False)
            health.register("memory", memory.check, required=False)
            health.register("loop", pulse.check, required=True)
            health.register("tasks", engine.check, required=True)
            yield

    return parts


async def _share(limit: RateLimit, url: str, app: web.Application) -> AsyncIterator[None]:
    """All processes count requests together."""
    limit.share(app[POOLS].redis("limits", url))
    yield


async def _open_store(opened: AsyncExitStack, config: Config, pools: Pools) -> Store:
    """SQLite in DATA_DIR, which is then this process's alone; or the Redis that processes share."""
    url = config.shared_store_url
    if url is None:
        opened.enter_context(held(config.data_dir))
        return await opened.enter_async_context(SqliteStore(config.data_dir / "tasks.db"))
    clients = pools.redis("tasks", url), pools.redis("task-events", url, blocking=True)
    return await opened.enter_async_context(RedisStore(*clients, task_ttl_s=config.task_ttl_s))


def _work(pdf: PdfClient, listing: Listing, kept: Kept | None, metrics: Metrics, means: Means | None) -> Work:
    """With a model both engines, without one the embedded engine alone."""
    if means is None:
        return EmbeddedWork(pdf, listing=listing, kept=kept, metrics=metrics)
    return ModelWork(pdf, means, listing=listing, kept=kept, metrics=metrics)


def _engine(
    config: Config,
    store: Store,
    uploads: Uploads,
    work: Work,
    metrics: Metrics,
    pusher: Pusher,
    shared: Shared | None,
    kept: Kept | None,
    memory: Memory,
) -> TaskEngine:
    return TaskEngine(
        store,
        uploads,
        work,
        max_concurrent=config.max_concurrent_tasks,
        queue_limit=config.task_queue_limit,
        task_timeout_s=config.task_timeout_s,
        task_ttl_s=config.task_ttl_s,
        task_max=config.task_max,
        metrics=metrics,
        pusher=pusher,
        shared=shared,
        forget=kept.forget if kept is not None else None,
        admit=memory.admit,
    )


def _shared_queue(config: Config, metrics: Metrics, *, takes: bool) -> Shared:
    return partial(
        SharedQueue,
        url=config.shared_store_url or "",
        takes=takes,
        max_concurrent=config.max_concurrent_tasks,
        queue_limit=config.task_queue_limit,
        lease_s=config.task_lease_s,
        metrics=metrics,
    )


def _history(engine: TaskEngine, metrics: Metrics, memory: Memory, pulse: Pulse) -> History:
    """What the console's operations view draws of the last hour."""
    ended = metrics.extraction_requests_total
    return History(
        {
            "waiting": lambda: engine.queued,
            "running": lambda: engine.running,
            "lag_s": lambda: pulse.lag_s,
            "memory_bytes": lambda: memory.usage.used_bytes,
        },
        {
            "completed": lambda: total(ended, status="completed"),
            "failed": lambda: total(ended, status="failed"),
            "requests": lambda: total(metrics.http_requests_total),
            "refused": lambda: total(metrics.rate_limited_total),
            "model_calls": lambda: total(metrics.llm_requests_total),
            "cost_usd": lambda: total(metrics.llm_cost_usd_total),
        },
    )


def _pusher(config: Config, signing_key: SigningKey | None, metrics: Metrics) -> Pusher:
    return Pusher(push_payload, allow_private=config.push_allow_private, signing_key=signing_key, metrics=metrics)


def operations_app(app: web.Application) -> web.Application:
    """Health and metrics of `app` alone, for a port that only operators reach."""
    own = web.Application()
    own[health_routes.HEALTH] = app[health_routes.HEALTH]
    own[health_routes.METRICS] = app[health_routes.METRICS]
    own[health_routes.METRICS_ENABLED] = app[health_routes.METRICS_ENABLED]
    own[health_routes.METRICS_TOKEN] = app[health_routes.METRICS_TOKEN]
    health_routes.add_routes(own)
    return own


def _policy(config: Config) -> Policy:
    return Policy(
        config.host,
        config.allow_anonymous,
        config.allowed_hosts,
        config.public_url,
        config.trusted_proxies,
        oidc=config.oidc_issuer is not None,
    )


def _card(config: Config, door: Door | None) -> CardFacts:
    scheme = "https" if config.tls_cert_file else "http"
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)  # noqa: S104  # an address to call
    url = config.public_url or f"{scheme}://{name}:{config.port}"
    file = config.card_signing_key_file
    key = SigningKey.read(file) if file is not None else None
    return CardFacts(
        public_url=url,
        needs_key=door is not None and door.needs_key,
        oidc_issuer=config.oidc_issuer,
        model=config.uses_model,
        signing_key=key,
    )


def _pdf_check(pdf: PdfClient) -> Check:
    report = pdf.report()
    detail = {"phase": report.phase, "pid": report.pid, "restarts": dict(report.restarts)}
    if report.start_error:
        detail["error"] = report.start_error.get("code")
    return Check(pdf.ready.is_set(), report.last_seen_age_s, detail)
