"""What probes and Prometheus read: /health, /health/live, /health/ready, /metrics."""

from __future__ import annotations

import hmac

from aiohttp import hdrs, web

from agent.errors import NotFound, Unauthenticated
from agent.telemetry.health import Health
from agent.telemetry.metrics import Metrics, render
from agent.web.answers import json_answer

HEALTH = web.AppKey("health", Health)
METRICS = web.AppKey("metrics", Metrics)
METRICS_TOKEN = web.AppKey("metrics_token", str)
METRICS_ENABLED = web.AppKey("metrics_enabled", bool)


async def alive(request: web.Request) -> web.Response:
    """The event loop answers: that is all a liveness probe may ask."""
    del request
    return json_answer({"status": "alive"})


async def ready(request: web.Request) -> web.Response:
    """503 when no work should come here; the body says why."""
    fit, body = request.app[HEALTH].report()
    return json_answer(body, status=200 if fit else 503)


async def summary(request: web.Request) -> web.Response:
    """Always 200 while alive: for people and simple monitors."""
    fit, body = request.app[HEALTH].report()
    return json_answer({"status": "healthy", "ready": fit, "checks": body["checks"]})


async def exposition(request: web.Request) -> web.Response:
    """Prometheus text; asks for METRICS_TOKEN when there is one."""
    if not request.app[METRICS_ENABLED]:
        raise NotFound("Metrics are switched off.")
    token = request.app[METRICS_TOKEN]
    if token:
        given = request.headers.get(hdrs.AUTHORIZATION, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {token}".encode()):
            raise Unauthenticated("The metrics need their token.")
    content_type, text = await render(request.app[METRICS], request.headers.get(hdrs.ACCEPT, ""))
    return web.Response(body=text, headers={hdrs.CONTENT_TYPE: content_type})


def add_routes(app: web.Application) -> None:
    app.router.add_get("/health", summary)
    app.router.add_get("/health/live", alive)
    app.router.add_get("/health/ready", ready)
    app.router.add_get("/metrics", exposition)
