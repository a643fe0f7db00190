"""Spans and W3C trace context, by the OpenTelemetry API: the MCP SDK speaks it too and carries the context on.

A request belongs to its caller's trace (`traceparent`, `tracestate`), which log lines name and outgoing calls carry.
After `export_to` spans are recorded, and a request that brings no trace begins one; without it a span costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from prometheus_client import Histogram

Attributes = Mapping[str, str | int | float | bool]

EXPORT_S = 2.0  # one delivery of spans, with its retries; also what a stopping process waits at most
_W3C = TraceContextTextMapPropagator()
_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}


class _Export:
    """Where spans go when they are exported: process-wide, as OpenTelemetry's own API is."""

    tracer: Tracer | None = None


@contextmanager
def entered(headers: Mapping[str, str], name: str, attributes: Attributes) -> Iterator[Span]:
    """A request of somebody else: in the trace its `traceparent` names (W3C Trace Context §3.2); without one in a new
    trace where spans are exported, else in none."""
    carrier = {key: headers[key] for key in ("traceparent", "tracestate") if key in headers}
    theirs = _W3C.extract(carrier, context.Context())
    if _Export.tracer is not None:
        with span(name, kind="server", attributes=attributes, parent=theirs) as own:
            yield own
        return
    token = context.attach(theirs)
    try:
        yield trace.INVALID_SPAN
    finally:
        context.detach(token)


@contextmanager
def span(
    name: str,
    *,
    kind: Literal["server", "client", "internal"] = "internal",
    attributes: Attributes | None = None,
    parent: context.Context | None = None,
    timed: Histogram | None = None,
) -> Iterator[Span]:
    """Work in the current trace; `timed` is told its seconds. An exception marks it, by its code, and passes.

    What an exception says is left out: it may quote a document.
    """
    began = time.perf_counter()
    try:
        if _Export.tracer is None:
            yield trace.INVALID_SPAN
            return
        with _Export.tracer.start_as_current_span(
            name, parent, _KINDS[kind], attributes, record_exception=False, set_status_on_exception=False
        ) as own:
            try:
                yield own
            except BaseException as fault:
                own.set_status(StatusCode.ERROR)
                own.set_attribute("error.type", str(getattr(fault, "code", None) or type(fault).__name__))
                raise
    finally:
        if timed is not None:
            timed.observe(time.perf_counter() - began)


def exporting() -> bool:
    return _Export.tracer is not None


def failed(own: Span, reason: str) -> None:
    """Marks a span whose work told its failure without an exception."""
    own.set_status(StatusCode.ERROR)
    own.set_attribute("error.type", reason)


def outgoing() -> dict[str, str]:
    """Headers that carry the current trace to another service; empty when there is none."""
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return headers


def trace_id() -> str | None:
    """The current trace as its 32 hexadecimal digits."""
    ids = trace.get_current_span().get_span_context()
    return f"{ids.trace_id:032x}" if ids.is_valid else None


def export_to(endpoint: str, *, version: str) -> TracerProvider:
    """Sends spans by OTLP over HTTP from now on. Raises ImportError without the extra `otel`.

    OpenTelemetry's own variables hold too (`OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS`, …). The provider's
    `shutdown()` sends what is left and must be called before the process ends.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    own = Resource.create({"service.name": "extraction-agent", "service.version": version})
    provider = TracerProvider(resource=own)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _Export.tracer = provider.get_tracer("extraction-agent", version)
    return provider
