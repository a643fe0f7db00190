"""Spans and W3C trace context, with or without OpenTelemetry.

Without the extra `otel` a span is a timing and two random ids: enough for `traceparent` to travel on and for log
lines to name their trace. After `export_to` the same calls make OpenTelemetry spans; the MCP SDK then carries
the context to the PDF server by itself.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import SpanContext, Tracer

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MAX_TRACEPARENT = 512
_IDS = random.SystemRandom()  # ids must not be guessable from earlier ones: they are shown to callers


@dataclass(slots=True)
class Span:
    """A timed piece of work. `seconds` is the time so far, and after its end the whole time."""

    name: str
    trace_id: str
    span_id: str
    sampled: bool = True
    attributes: dict[str, str | int | float | bool] = field(default_factory=dict)
    _begun: float = field(default_factory=time.perf_counter)
    _ended: float | None = None

    @property
    def seconds(self) -> float:
        return (self._ended if self._ended is not None else time.perf_counter()) - self._begun

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def end(self) -> None:
        self._ended = time.perf_counter()


CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)


class _Export:
    """Where spans go when OpenTelemetry is on: process-wide, as its own API is."""

    tracer: Tracer | None = None


@contextmanager
def span(name: str, **attributes: str | float | bool) -> Iterator[Span]:
    """Times a piece of work as a child of the current span; an exception marks it and passes."""
    if _Export.tracer is not None:
        with _exported(_Export.tracer, name, attributes) as exported:
            yield exported
        return
    parent = CURRENT.get()
    here = Span(
        name,
        trace_id=parent.trace_id if parent else f"{_IDS.getrandbits(128):032x}",
        span_id=f"{_IDS.getrandbits(64):016x}",
        sampled=parent.sampled if parent else True,
        attributes=dict(attributes),
    )
    token = CURRENT.set(here)
    try:
        yield here
    finally:
        here.end()
        CURRENT.reset(token)


def incoming(traceparent: str | None) -> Span | None:
    """The caller's span of a `traceparent` header; None when it is absent or not well formed (W3C §3.2.2)."""
    if not traceparent or len(traceparent) > _MAX_TRACEPARENT:
        return None
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return Span("remote", trace_id, span_id, sampled=bool(int(flags, 16) & 1))


def outgoing() -> dict[str, str]:
    """Headers that carry the current trace to another service; empty when there is none."""
    here = CURRENT.get()
    return {"traceparent": here.traceparent} if here else {}


def exporting() -> bool:
    return _Export.tracer is not None


def export_to(endpoint: str, *, version: str) -> TracerProvider:
    """Sends spans by OTLP over HTTP from now on. Raises ImportError without the extra `otel`.

    The provider's `shutdown()` sends what is left and must be called before the process ends.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import set_tracer_provider

    provider = TracerProvider(
        resource=Resource.create({"service.name": "extraction-agent", "service.version": version})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    set_tracer_provider(provider)
    _Export.tracer = provider.get_tracer("extraction-agent", version)
    return provider


def stop_export() -> None:
    """Spans are only timed again."""
    _Export.tracer = None


@contextmanager
def _exported(tracer: Tracer, name: str, attributes: Mapping[str, str | int | float | bool]) -> Iterator[Span]:
    from opentelemetry import trace

    parent = CURRENT.get()
    context = None
    if parent is not None and not trace.get_current_span().get_span_context().is_valid:
        context = trace.set_span_in_context(trace.NonRecordingSpan(_remote(parent)))
    with tracer.start_as_current_span(name, context=context, attributes=attributes) as recorded:
        ids = recorded.get_span_context()
        here = Span(name, f"{ids.trace_id:032x}", f"{ids.span_id:016x}", bool(ids.trace_flags & 1), dict(attributes))
        token = CURRENT.set(here)
        try:
            yield here
        finally:
            here.end()
            CURRENT.reset(token)
            recorded.set_attributes(here.attributes)


def _remote(parent: Span) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(
        int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=TraceFlags(parent.sampled)
    )
