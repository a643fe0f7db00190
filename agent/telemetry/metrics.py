"""Every metric of the service, in one place: name, words, labels, buckets.

Attributes carry the exposition's exact names, so that a search for a name finds its uses.
With PROMETHEUS_MULTIPROC_DIR set (before this module's first import) several processes share one exposition;
each gauge says below how the live processes' values become one.
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from agent import __version__

_Merge = Literal["livesum", "livemax", "livemin"]

# A request may be a short question or wait for a long document; the last finite bucket is ten minutes.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One metric as the documentation lists it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    words: str


class Metrics:
    """The metrics of one process. Two instances share nothing, except under multiprocess mode."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self.rows: list[Row] = []
        self._tasks()
        self._requests()
        self._parts()

    def _tasks(self) -> None:
        self.extraction_requests_total = self._counter(
            "extraction_requests_total", "Ended tasks by outcome.", "status", "document_type"
        )
        self.extraction_task_duration_seconds = self._histogram(
            "extraction_task_duration_seconds", "Time from a task's acceptance to its end.", "outcome"
        )
        self.extraction_tasks = self._gauge("extraction_tasks", "Stored tasks by state.", "state", merge="livemax")
        self.extraction_queue_depth = self._gauge("extraction_queue_depth", "Tasks that wait for their turn.")
        self.extraction_dead_letters = self._gauge(
            "extraction_dead_letters", "Tasks given up because the processes that ran them died.", merge="livemax"
        )
        self.extraction_fields_total = self._counter(
            "extraction_fields_total", "Values given, by where they came from and how they matched.", "source", "match"
        )
        self.push_deliveries_total = self._counter(
            "push_deliveries_total", "Attempts to deliver push notifications.", "outcome"
        )
        self.push_deliveries_total.labels("given_up")  # from 0 on, so that the first one is an increase

    def _requests(self) -> None:
        self.http_requests_total = self._counter(
            "http_requests_total", "HTTP requests by route and status.", "endpoint", "code"
        )
        self.extraction_request_duration_seconds = self._histogram(
            "extraction_request_duration_seconds", "Time to the answer, for a stream to its first byte.", "endpoint"
        )
        self.extraction_stream_duration_seconds = self._histogram(
            "extraction_stream_duration_seconds", "Time a stream stayed open.", "endpoint"
        )
        self.extraction_active_requests = self._gauge("extraction_active_requests", "HTTP requests being answered.")
        self.rate_limited_total = self._counter(
            "rate_limited_total", "Requests refused by a limit: caller, address, connections, memory.", "scope"
        )
        self.health_check_ok = self._gauge(
            "health_check_ok", "1 while a part of the process passes its check, else 0.", "check", merge="livemin"
        )
        self.event_loop_lag_seconds = self._gauge(
            "event_loop_lag_seconds", "How late the event loop runs what is due.", merge="livemax"
        )
        self.log_lines_dropped_total = self._counter(
            "log_lines_dropped_total", "Log lines lost because their reader was too slow."
        )
        build = self._gauge(
            "extraction_agent_build_info", "Always 1; the labels tell the build.", "version", "python", merge="livemax"
        )
        build.labels(__version__, platform.python_version()).set(1)

    def _parts(self) -> None:
        self.mcp_tools_available = self._gauge(
            "mcp_tools_available", "Tools the PDF server offers now.", merge="livemin"
        )
        self.mcp_up = self._gauge("mcp_up", "1 while the PDF server answers.", merge="livemin")
        self.mcp_restarts_total = self._counter("mcp_restarts_total", "Restarts of the PDF server.", "reason")
        self.mcp_call_duration_seconds = self._histogram(
            "mcp_call_duration_seconds", "Time of a call to the PDF server.", "tool"
        )
        self.pdf_worker_restarts_total = self._counter(
            "pdf_worker_restarts_total", "Replaced parser processes of the PDF server.", "reason"
        )
        self.llm_requests_total = self._counter("llm_requests_total", "Calls of the model.", "model", "outcome")
        self.llm_tokens_total = self._counter("llm_tokens_total", "Tokens paid for.", "model", "kind")
        self.llm_cost_usd_total = self._counter("llm_cost_usd_total", "Cost of the model calls in US dollars.", "model")
        self.cache_requests_total = self._counter("cache_requests_total", "Cache look-ups.", "layer", "result")
        self.pool_connections = self._gauge("pool_connections", "Connections of a pool by state.", "pool", "state")

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        self.rows.append(Row(name, "counter", labels, words))
        return Counter(name, words, labels, registry=self.registry)

    def _histogram(self, name: str, words: str, *labels: str) -> Histogram:
        self.rows.append(Row(name, "histogram", labels, words))
        return Histogram(name, words, labels, buckets=BUCKETS_S, registry=self.registry)

    def _gauge(self, name: str, words: str, *labels: str, merge: _Merge = "livesum") -> Gauge:
        self.rows.append(Row(name, "gauge", labels, words))
        return Gauge(name, words, labels, multiprocess_mode=merge, registry=self.registry)


async def render(metrics: Metrics, accept: str = "") -> tuple[str, bytes]:
    """Content type and exposition: of this process, or of all that share PROMETHEUS_MULTIPROC_DIR."""
    encode, content_type = choose_encoder(accept)
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return content_type, encode(_Joined(metrics.registry))
    return content_type, await asyncio.to_thread(lambda: encode(_merged()))


def forget_process(pid: int) -> None:
    """A worker was reaped: its gauges no longer count. A no-op outside multiprocess mode."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library leaves it untyped


def documentation() -> Iterator[Row]:
    """The rows of the documentation's table, in the order of their names."""
    return iter(sorted(Metrics().rows, key=lambda row: row.name))


def table() -> str:
    """The README's table of metrics, as Markdown."""
    lines = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    for row in documentation():
        labels = " ".join(f"`{label}`" for label in row.labels)
        lines.append(f"| `{row.name}` | {row.kind} | {labels} | {row.words} |")
    return "\n".join(lines)


class _Joined(CollectorRegistry):
    """A registry with what the platform tells about this process: made for one exposition."""

    def __init__(self, own: CollectorRegistry) -> None:
        super().__init__()
        self.register(own)
        ProcessCollector(registry=self)
        PlatformCollector(registry=self)


def _merged() -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return registry
