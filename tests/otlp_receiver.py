"""A receiver of OTLP over HTTP on a loopback port: it decodes the protobuf that OpenTelemetry's exporter sends."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Received:
    """One span as it came in; ids in hexadecimal, times in nanoseconds."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    failed: bool
    began: int
    ended: int
    attributes: dict[str, Any]
    tracestate: str


@dataclass
class Receiver:
    """`spans` in the order they came."""

    url: str = ""
    paths: set[str] = field(default_factory=set)
    spans: list[Received] = field(default_factory=list)

    def named(self, name: str) -> list[Received]:
        return [one for one in self.spans if one.name == name]

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            service = _values(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [_span(service, one) for one in scope.spans]


def _span(service: str, one: Any) -> Received:
    failed = one.status.code == 2  # STATUS_CODE_ERROR
    ids = one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex()
    times = one.start_time_unix_nano, one.end_time_unix_nano
    return Received(service, one.name, *ids, one.kind, failed, *times, _values(one.attributes), one.trace_state)


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name for it
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.paths.add(self.path)
            received.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
