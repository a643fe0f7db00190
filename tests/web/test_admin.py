"""What operators see and do over HTTP: by scope alone, and every deed in the audit log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from agent import keys
from agent.telemetry.history import KEPT, History
from tests.service import Service, running

KILLER = "ab" * 32


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("admin") / "data"
    (data / "mcp_pdf").mkdir(parents=True)
    entry = {"kills": 2, "reason": "memory", "at": 1_760_000_000}
    (data / "mcp_pdf" / "quarantine.json").write_text(json.dumps({KILLER: entry}), encoding="ascii")
    with running(data, settings={"GOOGLE_API_KEY": "AIza-very-secret", "EXTRACTION_MODE": "embedded"}) as started:
        yield started


@pytest.fixture(scope="module")
def ops(service: Service) -> dict[str, str]:
    key = keys.add(service.data_dir / "api-keys.json", "ops", scopes=("admin",))[0]
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def ann(service: Service, ops: dict[str, str]) -> dict[str, str]:
    key = keys.add(service.data_dir / "api-keys.json", "ann", scopes=("extract", "read", "review", "metrics"))[0]
    return {"Authorization": f"Bearer {key}"}


def audited(service: Service, event: str, **facts: str) -> bool:
    """Whether the audit log tells of this event; its writer may be a moment behind the answer."""

    def told() -> bool:
        whole = service.log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        lines = [line for line in map(json.loads, whole) if line["logger"] == "agent.audit"]
        return any(line["message"] == event and facts.items() <= line["extra"].items() for line in lines)

    service.wait(told)
    return True


@pytest.mark.parametrize("path", ["state", "mcp", "quarantine", "memory", "stacks", "configuration"])
def test_operators_alone_may_look(service: Service, ops: dict[str, str], ann: dict[str, str], path: str) -> None:
    assert service.get(f"/admin/{path}", ops)[0] == 200
    status, refused = service.get(f"/admin/{path}", ann)
    assert (status, refused["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", ["mcp/restart", f"quarantine/{KILLER}/release"])
def test_operators_alone_may_act(service: Service, ann: dict[str, str], path: str) -> None:
    assert service.post(f"/admin/{path}", {}, ann)[0] == 403
    assert audited(service, "request.refused", path=f"/admin/{path}")


def test_the_state_tells_all_that_moves(service: Service, ops: dict[str, str]) -> None:
    _, state = service.get("/admin/state", ops)
    assert state["readiness"]["checks"]["mcp"] is True
    assert state["readiness"]["details"]["memory"]["age_s"] >= 0
    assert state["mcp"]["phase"] == "ready"
    assert state["tasks"] == {"waiting": 0, "running": 0}
    assert 0 < state["disk"]["free_bytes"] < state["disk"]["total_bytes"]
    history = state["history"]
    assert {len(samples) for samples in (*history["gauges"].values(), *history["counters"].values())} != {0}


def test_a_release_ends_the_quarantine_of_a_document_and_is_audited(service: Service, ops: dict[str, str]) -> None:
    held = [{"sha256": KILLER, "kills": 2, "reason": "memory", "at": 1_760_000_000}]
    assert service.get("/admin/quarantine", ops)[1] == {"quarantine": held}
    assert service.post(f"/admin/quarantine/{KILLER}/release", {}, ops) == (200, {"released": True})
    assert service.get("/admin/quarantine", ops)[1] == {"quarantine": []}
    assert service.post("/admin/quarantine/abc/release", {}, ops)[0] == 400
    assert audited(service, "quarantine.release", by="ops", sha256=KILLER)


def test_a_restart_replaces_the_pdf_server_and_is_audited(service: Service, ops: dict[str, str]) -> None:
    before = service.get("/admin/mcp", ops)[1]
    assert service.post("/admin/mcp/restart", {}, ops)[0] == 202
    service.wait(lambda: service.get("/admin/mcp", ops)[1]["generation"] > before["generation"])
    service.wait(lambda: service.get("/admin/mcp", ops)[1]["phase"] == "ready")
    assert service.get("/admin/mcp", ops)[1]["restarts"] == {"requested": 1}
    assert audited(service, "mcp.restart", by="ops")


def test_the_configuration_tells_sources_and_no_secret(service: Service, ops: dict[str, str]) -> None:
    _, told = service.get("/admin/configuration", ops)
    rows = {row["name"]: row for row in told["settings"]}
    assert (rows["EXTRACTION_MODE"]["value"], rows["EXTRACTION_MODE"]["source"]) == (
        "embedded",
        "environment EXTRACTION_MODE",
    )
    assert rows["RATE_LIMIT"]["source"] == "default"
    assert "very-secret" not in json.dumps(told)


def test_stacks_name_every_thread_and_task_and_memory_every_process(service: Service, ops: dict[str, str]) -> None:
    _, stacks = service.get("/admin/stacks", ops)
    assert "thread " in stacks
    assert "task pulse" in stacks
    assert "agent/telemetry/pulse.py" in stacks
    _, memory = service.get("/admin/memory", ops)
    assert memory["agent"] > 10_000
    assert memory["mcp_pdf"]


def test_the_history_keeps_levels_and_growth_and_no_more_than_its_hour() -> None:
    level, count = [3.0], [10.0]
    history = History({"waiting": lambda: level[0]}, {"requests": lambda: count[0]})
    for step in range(KEPT + 5):
        level[0], count[0] = float(step), count[0] + 2
        history.sample()
    told = history.report()
    assert told["gauges"]["waiting"] == [float(step) for step in range(5, KEPT + 5)]
    assert told["counters"]["requests"] == [2.0] * KEPT


async def test_the_history_samples_while_it_is_open() -> None:
    seen, third = [0.0], asyncio.Event()

    def read() -> float:
        seen.append(seen[-1] + 1)
        if len(seen) > 3:
            third.set()
        return seen[-1]

    async with History({"read": read}, {}, every_s=0.01) as history, asyncio.timeout(10):
        await third.wait()
    assert history.report()["gauges"]["read"][:3] == [1.0, 2.0, 3.0]
