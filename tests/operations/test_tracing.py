"""A request's trace through every process and out again, read from what a receiver of OTLP was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gemini_server import KEY, MODEL, GeminiServer, answer, fault, in_thread
from tests.otlp_receiver import Received, Receiver, otlp_receiver
from tests.planning.papers import invoice
from tests.redis_server import redis_server
from tests.service import Service, running

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "vendor=opaque"}
SERVER, CLIENT = 2, 3  # SpanKind in OTLP
FAST = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with otlp_receiver() as received:
        yield received


@pytest.fixture(scope="module")
def model() -> Iterator[GeminiServer]:
    with in_thread(lambda _: answer({"warranty_period": "24 months"})) as serving:
        yield serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver, model: GeminiServer) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("tracing")
    (folder / "library").mkdir()
    (folder / "library" / "odd.pdf").write_bytes(invoice())
    (folder / "redis").mkdir()
    with redis_server(folder / "redis") as redis:
        settings = {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": model.url, "CACHE_URL": redis.url}
        settings |= {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **FAST}
        with running(folder / "data", library=folder / "library", settings=settings) as started:
            started.wait(lambda: started.get("/health/ready")[1]["checks"]["llm"])
            yield started


def send(service: Service, trace: str, flags: str = "01") -> None:
    data = {"documents": ["odd.pdf"], "fields": ["total", "warranty_period"]}
    message = {"messageId": trace[:8], "role": "ROLE_USER", "parts": [{"data": data}]}
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}
    headers = {"traceparent": f"00-{trace}-{CALLER}-{flags}", "tracestate": "vendor=opaque"}
    status, answered = service.post("/", body, headers)
    assert (status, answered["result"]["task"]["status"]["state"]) == (200, "TASK_STATE_COMPLETED")


@pytest.fixture(scope="module")
def spans(service: Service, receiver: Receiver) -> list[Received]:
    """All spans of one request; its own is the last to end, and comes last from each process."""
    send(service, TRACE)

    def whole() -> bool:
        mine = {one.name for one in receiver.spans if one.trace_id == TRACE}
        return {"POST /", "task", "worker locate", "tools/call locate_values"} <= mine

    service.wait(whole)
    return [one for one in receiver.spans if one.trace_id == TRACE]


def path(spans: list[Received], name: str) -> list[str]:
    """The names from the request's own span down to one of this name."""
    by_id = {one.span_id: one for one in spans}
    at = next(one for one in spans if one.name == name)
    found = [at.name]
    while at.parent_id in by_id:
        at = by_id[at.parent_id]
        found.insert(0, at.name)
    assert at.parent_id == CALLER
    return found


def test_the_request_continues_the_callers_trace(spans: list[Received], receiver: Receiver) -> None:
    (own,) = [one for one in spans if one.kind == SERVER and one.service == "extraction-agent"]
    assert (own.parent_id, own.tracestate) == (CALLER, "vendor=opaque")
    assert own.attributes == {"http.request.method": "POST", "http.route": "/", "http.response.status_code": 200}
    assert receiver.paths == {"/v1/traces"}


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("task", ["POST /", "task"]),
        (
            "worker extract",
            ["POST /", "task", "pdf extract_fields", "MCP send tools/call extract_fields", "tools/call extract_fields",
             "worker extract"],
        ),
        (f"generate_content {MODEL}", ["POST /", "task", f"generate_content {MODEL}"]),
        ("redis get", ["POST /", "task", "redis get"]),
    ],
)  # fmt: skip
def test_a_span_stands_where_its_work_was_asked_for(spans: list[Received], name: str, way: list[str]) -> None:
    assert path(spans, name) == way


def test_the_pdf_server_tells_its_spans_itself(spans: list[Received]) -> None:
    services = {one.name: one.service for one in spans}
    assert services["tools/call extract_fields"] == services["worker extract"] == "mcp_pdf"


def test_a_models_span_tells_its_tokens(spans: list[Received]) -> None:
    (asked,) = [one for one in spans if one.name.startswith("generate_content")]
    assert asked.kind == CLIENT
    assert asked.attributes["gen_ai.request.model"] == MODEL
    assert asked.attributes["gen_ai.usage.input_tokens"] > 0
    assert asked.ended > asked.began


def test_the_trace_goes_out_with_the_models_request(spans: list[Received], model: GeminiServer) -> None:
    (asked,) = [one for one in spans if one.name.startswith("generate_content")]
    sent = {name.lower(): value for name, value in model.requests[0].headers.items()}
    assert sent["traceparent"] == f"00-{TRACE}-{asked.span_id}-01"
    assert sent["x-goog-api-key"] == KEY


def test_no_span_quotes_a_document_or_a_key(spans: list[Received]) -> None:
    told = json.dumps([one.attributes for one in spans])
    assert "24 months" not in told
    assert KEY not in told


def test_a_failure_marks_its_span_by_its_code(service: Service, receiver: Receiver, model: GeminiServer) -> None:
    trace = "a" * 31 + "1"
    model.script, kept = (lambda _: fault(400, "INVALID_ARGUMENT")), model.script
    try:
        data = {"documents": ["odd.pdf"], "fields": ["deposit"], "mode": "auto"}
        message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"data": data}]}
        body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}
        service.post("/", body, {"traceparent": f"00-{trace}-{CALLER}-01"})
        service.wait(lambda: any(one.trace_id == trace and one.name == "POST /" for one in receiver.spans))
    finally:
        model.script = kept
    (asked,) = [one for one in receiver.spans if one.trace_id == trace and one.name.startswith("generate_content")]
    assert (asked.failed, asked.attributes["error.type"]) == (True, "rejected")


def test_what_the_caller_does_not_sample_is_not_exported_but_named_in_logs(
    service: Service, receiver: Receiver
) -> None:
    quiet, marker = "b" * 31 + "1", "c" * 31 + "1"
    send(service, quiet, flags="00")
    send(service, marker)
    service.wait(lambda: any(one.trace_id == marker and one.name == "POST /" for one in receiver.spans))
    assert not [one for one in receiver.spans if one.trace_id == quiet]


def test_probes_and_scrapes_make_no_spans(service: Service, receiver: Receiver, spans: list[Received]) -> None:
    del service, spans
    assert not [one for one in receiver.spans if "/health" in one.name or "/metrics" in one.name]


def test_log_lines_name_the_callers_trace_also_without_an_exporter_and_none_for_a_broken_header(tmp_path: Path) -> None:
    settings = {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": "http://127.0.0.1:9", "LLM_TIMEOUT": "1"}
    library = tmp_path / "library"
    library.mkdir()
    (library / "odd.pdf").write_bytes(invoice())
    with running(tmp_path / "data", library=library, settings=settings) as started:
        send(started, TRACE)
        send(started, "0" * 32)
        lines = [json.loads(line) for line in started.log.read_text().splitlines()]
    first, *_, last = [line for line in lines if line.get("task_id")]
    assert first["trace_id"] == TRACE
    assert "trace_id" not in last
    assert last["task_id"] != first["task_id"]
    assert {"request_id", "caller"} <= first.keys()
