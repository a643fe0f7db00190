"""The one middleware: request id, caller, limits, metrics, and the last word on errors.

One, because each further layer costs every request. A handler that knows a protocol's error shape answers its own
errors; what it lets through is answered here, as the failure body every surface shares.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from opentelemetry.trace import INVALID_SPAN, Span

from agent.errors import AgentError, Internal, InvalidRequest, NotFound, TooLarge
from agent.telemetry import logs, tracing
from agent.telemetry.metrics import Metrics
from agent.web.answers import common_headers, refusal
from agent.web.door import Door
from agent.web.keys import CALLER, FIRST_BYTE, REQUEST_ID
from agent.web.limits import RateLimit

log = logging.getLogger(__name__)
audit = logging.getLogger("agent.audit")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_UNTRACED = nullcontext(INVALID_SPAN)
_REQUEST_ID = re.compile(r"[\w.\-]{1,128}")


def make_middleware(door: Door, metrics: Metrics, *, rate_limit: RateLimit | None = None) -> Middleware:
    """The middleware of this service. Without `rate_limit` nobody is limited."""

    process, numbers = os.urandom(6).hex(), itertools.count(1)  # of the ids that requests get: told apart, not secret
    answered = cache(lambda endpoint, status: metrics.http_requests_total.labels(endpoint, str(status)))
    took = cache(metrics.extraction_request_duration_seconds.labels)
    streamed = cache(metrics.extraction_stream_duration_seconds.labels)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request[REQUEST_ID] = _given_id(request) or f"{process}-{next(numbers)}"
        logs.REQUEST_ID.set(request_id)  # aiohttp gives each request a context of its own: nothing is left behind
        started = time.perf_counter()
        metrics.extraction_active_requests.inc()
        status = 500
        try:
            with _trace(request) as own:
                response = await _answer(request, handler, door, rate_limit)
                own.set_attribute("http.response.status_code", response.status)
                if response.status >= 500:
                    tracing.failed(own, str(response.status))
        except asyncio.CancelledError:
            status = 499  # the client left
            raise
        else:
            status = response.status
            if not response.prepared:
                response.headers.update(common_headers(request))
            return response
        finally:
            endpoint = _endpoint(request)
            metrics.extraction_active_requests.dec()
            answered(endpoint, status).inc()
            first, ended = request.get(FIRST_BYTE), time.perf_counter()
            took(endpoint).observe((first or ended) - started)
            if first is not None:
                streamed(endpoint).observe(ended - started)

    return middleware


async def _answer(
    request: web.Request, handler: Handler, door: Door, rate_limit: RateLimit | None
) -> web.StreamResponse:
    try:
        if not door.is_public(request):
            if rate_limit is not None:
                await rate_limit.take("address", door.address(request))  # first: guessing keys is limited too
            caller = await door.caller(request)
            request[CALLER] = caller
            if rate_limit is not None:
                await rate_limit.take("caller", caller.id)
            logs.CALLER.set(caller.id)
        return await handler(request)
    except AgentError as exc:
        if exc.code in ("unauthenticated", "forbidden", "rate_limited"):
            audit.warning(
                "request.refused", extra={"code": exc.code, "path": request.path, "address": door.address(request)}
            )
        return refusal(exc)
    except web.HTTPException as exc:
        return _http(exc)
    except Exception:
        log.exception("request.failed", extra={"path": request.path})
        return refusal(Internal("The service failed on this request.", hint="The log has the cause."))


def _http(exc: web.HTTPException) -> web.StreamResponse:
    """aiohttp's own refusals in the failure shape; redirects and the like pass as they are."""
    if exc.status < 400:
        return exc
    errors: dict[int, AgentError] = {
        404: NotFound("There is nothing at this address."),
        413: TooLarge("The request is too large."),
    }
    error = errors.get(exc.status)
    if error is not None:
        return refusal(error)
    response = refusal(InvalidRequest(exc.reason) if exc.status < 500 else Internal(exc.reason))
    response.set_status(exc.status)
    if hdrs.ALLOW in exc.headers:
        response.headers[hdrs.ALLOW] = exc.headers[hdrs.ALLOW]
    return response


def _trace(request: web.Request) -> AbstractContextManager[Span]:
    """The request's span, or its caller's trace alone; probes and scrapes have none."""
    if not (tracing.exporting() or "traceparent" in request.headers):
        return _UNTRACED
    route = _endpoint(request)
    if route.startswith(("/health", "/metrics")):
        return _UNTRACED
    attributes = {"http.request.method": request.method, "http.route": route}
    return tracing.entered(request.headers, f"{request.method} {route}", attributes)


def _given_id(request: web.Request) -> str | None:
    given = request.headers.get("X-Request-Id")
    return given if given and _REQUEST_ID.fullmatch(given) else None


def _endpoint(request: web.Request) -> str:
    """The route's template; what matched no route shares one label."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"
