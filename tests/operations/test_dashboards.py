"""Every query of every dashboard, asked of a real Prometheus that scrapes the real service at work, gives numbers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gemini_server import KEY, answer, in_thread
from tests.operations.prometheus_server import PrometheusServer, prometheus_server
from tests.service import Service, running

FOLDER = Path(__file__).parents[2] / "ops" / "grafana" / "dashboards"
BOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"] if panel["type"] != "row"]


def work(service: Service) -> None:
    """What fills every metric: extractions with and without the model, one twice, a stream, a refused address."""
    for wish in ("total", f"warranty_{os.urandom(4).hex()}", "total"):  # what no rule knows is asked of the model
        service.send({"data": {"documents": ["invoice.pdf"], "fields": [wish]}})
    message = {
        "messageId": os.urandom(4).hex(),
        "role": "ROLE_USER",
        "parts": [{"text": "Extract the total from invoice.pdf"}],
    }
    service.post("/message:stream", {"message": message})
    service.get("/nowhere")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with in_thread(lambda seen: answer(dict.fromkeys(seen.schema["properties"]))) as model:
        settings = {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": model.url, "MCP_PDF_WORKERS": "1"}
        with running(tmp_path_factory.mktemp("service") / "data", settings=settings) as started:
            yield started


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[PrometheusServer]:
    with prometheus_server(tmp_path_factory.mktemp("prometheus"), service.port) as server:
        work(service)
        service.wait(lambda: service.get("/admin/mcp")[1]["server"])  # the first heartbeat has been
        (worker,) = service.get("/admin/mcp")[1]["server"]["workers"]["pids"]
        os.kill(worker, signal.SIGKILL)
        server.wait('extraction_requests_total{status="completed"} > 0')
        work(service)
        server.wait('pdf_worker_restarts_total > 0 and on () (pool_connections{pool="gemini"})')
        server.wait(
            "rate(extraction_stream_duration_seconds_count[30s]) > 0 and on () (rate(llm_requests_total[30s]) > 0)"
        )
        yield server


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=[f"{name}: {panel['title']}" for name, panel in PANELS])
def test_a_panels_queries_give_numbers(prometheus: PrometheusServer, board: str, panel: dict[str, Any]) -> None:
    del board
    assert panel["targets"]
    for target in panel["targets"]:
        query = target["expr"].replace("$__rate_interval", "1m")
        assert prometheus.values(query), query


def test_every_rule_is_well(prometheus: PrometheusServer) -> None:
    assert prometheus.values("job:extraction_http_errors:ratio_rate5m") == [0.0]
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 30
    assert [rule["name"] for rule in rules if rule["health"] == "err"] == []


def test_nothing_pages_while_all_is_well(prometheus: PrometheusServer) -> None:
    assert [alert["labels"] for alert in prometheus.get("alerts")["alerts"] if alert["state"] == "firing"] == []


def test_the_exposition_is_clean_to_promtool(service: Service) -> None:
    with urllib.request.urlopen(f"{service.url}/metrics", timeout=10) as exposition:
        text = exposition.read()
    command = ["promtool", "check", "metrics"]
    checked = subprocess.run(command, input=text, capture_output=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stderr.decode()


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_panels_have_a_number_a_place_of_their_own_and_the_source_that_is_provisioned(name: str) -> None:
    panels = BOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    provisioned = (FOLDER.parent / "provisioning" / "datasources" / "prometheus.yaml").read_text(encoding="ascii")
    uids = {panel["datasource"]["uid"] for panel in panels if "datasource" in panel and panel["type"] != "row"}
    assert all(f"uid: {uid}," in provisioned for uid in uids)
