"""Reviews over HTTP: the queue, decisions that keep what was before, and the cases that come of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import keys
from tests.service import SAMPLES, Service, running

SCORE = Path(__file__).parents[2] / "ops" / "bench" / "score.py"
DOUBTFUL = "/seller_name"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("reviews") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def known(service: Service) -> dict[str, dict[str, str]]:
    """Headers of callers by name."""
    scopes = {"ann": ("extract", "read", "review"), "bob": ("extract", "read", "review"), "reader": ("read", "extract")}
    file = service.data_dir / "api-keys.json"
    made = {name: keys.add(file, name, scopes=given)[0] for name, given in scopes.items()}
    return {name: {"Authorization": f"Bearer {key}"} for name, key in made.items()}


@pytest.fixture
def task(service: Service, known: dict[str, dict[str, str]]) -> str:
    """An ended task of ann's with one doubtful value."""
    message = {"messageId": "1", "role": "ROLE_USER", "parts": [{"data": WISH}]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}
    _, body = service.post("/", call, known["ann"])
    return str(body["result"]["task"]["id"])


FIELDS = [
    *({"name": name, "type": "name"} for name in ("seller_name", "buyer_name")),
    *({"name": name, "type": kind} for name, kind in (("invoice_number", "id"), ("total", "amount"))),
    {"name": "line_items", "type": "items"},
]
WISH = {"documents": ["invoice.pdf"], "fields": FIELDS}


def waiting(service: Service, headers: dict[str, str], task: str, state: str = "waiting") -> list[list[str]]:
    """What waits in each of the task's results, as the queue tells."""
    found: list[list[str]] = []
    token = ""
    while True:
        _, page = service.get(f"/reviews?state={state}&page_token={token}", headers)
        found += [row["waiting"] for row in page["reviews"] if row["task_id"] == task]
        token = page["next_page_token"]
        if not token:
            return found


def said(pointer: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {"decisions": [{"artifact": "extraction-1", "pointer": pointer, "verdict": verdict, **more}]}


def test_doubtful_values_wait_until_they_are_decided(
    service: Service, known: dict[str, dict[str, str]], task: str
) -> None:
    assert waiting(service, known["ann"], task) == [[DOUBTFUL]]
    assert service.post(f"/reviews/{task}", said(DOUBTFUL, "accept"), known["ann"])[0] == 201
    assert waiting(service, known["ann"], task) == []
    assert waiting(service, known["ann"], task, "settled") == [[]]
    service.post(f"/reviews/{task}", said(DOUBTFUL, "undo"), known["ann"])
    assert waiting(service, known["ann"], task) == [[DOUBTFUL]]


def test_a_correction_keeps_the_old_value_who_and_when(
    service: Service, known: dict[str, dict[str, str]], task: str
) -> None:
    status, told = service.post(f"/reviews/{task}", said("/total", "correct", value="1 191.00"), known["ann"])
    assert status == 201
    assert told["results"][0]["values"]["total"] == "1191.00"
    (kept,) = told["decisions"]
    assert kept["at"] > "2026"
    assert {**kept, "at": ""} == {
        "artifact": "extraction-1",
        "part": 0,
        "pointer": "/total",
        "verdict": "correct",
        "old": "1190.00",
        "new": "1191.00",
        "by": "ann",
        "at": "",
    }
    service.post(f"/reviews/{task}", said("/total", "reject"), known["ann"])
    _, told = service.get(f"/reviews/{task}", known["ann"])
    assert told["results"][0]["values"]["total"] is None
    assert [one["verdict"] for one in told["decisions"]] == ["correct", "reject"]
    result = service.get(f"/tasks/{task}", known["ann"] | {"A2A-Version": "1.0"})[1]
    assert result["artifacts"][0]["parts"][0]["data"]["total"] == "1190.00"


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"decisions": []}, "decisions"),
        (said("/nothing", "accept"), "pointer"),
        (said("/line_items", "accept"), "pointer"),
        (said("/total", "perhaps"), "verdict"),
        (said("/total", "correct", value="a lot"), "value"),
        (said("/total", "correct", value={"a": 1}), "value"),
        (said("/seller_name", "correct", value="x" * 10_001), "value"),
        ({"decisions": [{"artifact": "extraction-2", "pointer": "/total", "verdict": "accept"}]}, "artifact"),
    ],
)
def test_a_decision_on_what_is_not_there_is_refused_and_nothing_kept(
    service: Service, known: dict[str, dict[str, str]], task: str, wish: dict[str, Any], field: str
) -> None:
    status, refused = service.post(f"/reviews/{task}", wish, known["ann"])
    assert (status, refused["code"]) == (400, "invalid_request"), field
    assert service.get(f"/reviews/{task}", known["ann"])[1]["decisions"] == []


def test_one_wrong_decision_among_several_keeps_none(
    service: Service, known: dict[str, dict[str, str]], task: str
) -> None:
    both = {"decisions": [*said("/total", "accept")["decisions"], *said("/nothing", "accept")["decisions"]]}
    assert service.post(f"/reviews/{task}", both, known["ann"])[0] == 400
    assert service.get(f"/reviews/{task}", known["ann"])[1]["decisions"] == []


def test_reviews_are_the_callers_own_and_need_the_scope(
    service: Service, known: dict[str, dict[str, str]], task: str
) -> None:
    assert waiting(service, known["bob"], task) == []
    assert service.get(f"/reviews/{task}", known["bob"])[0] == 404
    assert service.post(f"/reviews/{task}", said("/total", "accept"), known["bob"])[0] == 404
    for path in ("/reviews", f"/reviews/{task}", "/reviews/cases"):
        assert service.get(path, known["reader"])[0] == 403


def test_decided_fields_become_cases_that_the_benchmark_scores(
    service: Service, known: dict[str, dict[str, str]], task: str, tmp_path: Path
) -> None:
    values = service.get(f"/tasks/{task}", known["ann"] | {"A2A-Version": "1.0"})[1]["artifacts"][0]["parts"][0]["data"]
    wishes = [
        *said("/invoice_number", "accept")["decisions"],
        *said("/total", "correct", value="1191.00")["decisions"],
        *said("/buyer_name", "reject")["decisions"],
        *said("/line_items/0/amount", "accept")["decisions"],
    ]
    service.post(f"/reviews/{task}", {"decisions": wishes}, known["ann"])
    lines = service.get("/reviews/cases", known["ann"])[1]
    rows = [lines] if isinstance(lines, dict) else [json.loads(line) for line in lines.splitlines()]
    (case,) = [row for row in rows if row["case_id"] == f"{task}/extraction-1/0"]
    assert case["file"] == "invoice.pdf"
    assert case["expected"] == {"invoice_number": "INV-2026-0042", "buyer_name": None, "total": "1191.00"}
    assert {field["name"]: field["type"] for field in case["fields"]}["total"] == "amount"
    (tmp_path / "cases.jsonl").write_text(json.dumps(case) + "\n", encoding="utf-8")
    (tmp_path / "results.jsonl").write_text(json.dumps({"id": case["case_id"], "values": values}) + "\n")
    command = [sys.executable, str(SCORE), str(tmp_path / "cases.jsonl"), str(tmp_path / "results.jsonl")]
    scored = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "precision=0.3333 recall=0.5000" in scored  # of three given values one is right, one is not there


def test_decisions_survive_the_death_of_the_process(tmp_path: Path) -> None:
    with running(tmp_path / "data", library=SAMPLES) as service:
        task = service.send({"data": WISH})["id"]
        service.post(f"/reviews/{task}", said("/total", "reject"))
        service.kill()
        service.start()
        assert [one["pointer"] for one in service.get(f"/reviews/{task}")[1]["decisions"]] == ["/total"]
