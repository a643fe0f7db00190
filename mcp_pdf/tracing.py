"""Spans of this server, by OpenTelemetry: the SDK makes one for each call (in the caller's trace), the pool one a job.

They are exported when `OTEL_EXPORTER_OTLP_ENDPOINT` is set and OpenTelemetry's SDK is installed (the package's extra
`otel`); OpenTelemetry's other variables hold as well. Workers know nothing of it: they parse hostile files.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

from mcp_pdf import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger("mcp_pdf.tracing")

EXPORT_S = 2.0  # one delivery of spans, with its retries; also what a stopping process waits at most
_tracer = trace.get_tracer("mcp_pdf", __version__)


@contextmanager
def span(name: str, **attributes: str | float | bool) -> Iterator[Span]:
    """A piece of work. An exception marks it, by its code, and passes; what it says is left out."""
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as own:
        try:
            yield own
        except BaseException as fault:
            own.set_status(StatusCode.ERROR)
            own.set_attribute("error.type", str(getattr(fault, "code", None) or type(fault).__name__))
            raise


def export(environment: Mapping[str, str]) -> TracerProvider | None:
    """Exports from now on, where the environment asks for it; the provider's `shutdown()` sends what is left."""
    if not environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("tracing.without_effect: the extra `otel` is not installed")
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": "mcp_pdf", "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_S)))
    trace.set_tracer_provider(provider)
    return provider
