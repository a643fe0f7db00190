"""The main job: an A2A request in, typed values with proof out; real service, real subprocess, real PDFs."""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service import SAMPLES, Service, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service") / "data") as started:
        yield started


def values_of(task: Any) -> dict[str, Any]:
    assert task["status"]["state"] == "TASK_STATE_COMPLETED", task["status"]
    return task["artifacts"][0]["parts"][0]["data"]  # type: ignore[no-any-return]


def proof_of(task: Any) -> dict[str, Any]:
    return task["artifacts"][0]["parts"][1]["data"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("invoice.pdf", {"invoice_number": "INV-2026-0042", "total": "1190.00", "due_date": "2026-10-14"}),
        ("invoice_facturx.pdf", {"invoice_number": "INV-2026-0042", "total": "1190.00", "issue_date": "2026-09-14"}),
        ("rechnung.pdf", {"invoice_number": "RE-10293", "issue_date": "2026-08-03"}),
        ("facture.pdf", {"invoice_number": "FA-2026-318", "total": "3040.20"}),
    ],
)
def test_a_document_gives_typed_values(service: Service, document: str, expected: dict[str, str]) -> None:
    task = service.send({"data": {"documents": [document], "document_type": "invoice"}})
    values = values_of(task)
    assert {name: values[name] for name in expected} == expected


def test_words_name_document_and_fields(service: Service) -> None:
    task = service.send({"text": "Extract the invoice number and total from invoice.pdf"})
    assert values_of(task) == {"invoice_number": "INV-2026-0042", "total": "1190.00"}


def test_every_leaf_has_evidence_and_a_given_value_its_place(service: Service) -> None:
    task = service.send({"data": {"documents": ["invoice.pdf"], "document_type": "invoice"}})
    evidence = proof_of(task)["evidence"]
    total = evidence["/total"]
    assert total["page"] == 1
    assert total["match"] == "normalised"
    assert total["source"] == "layout"
    assert len(total["page_size"]) == 2
    (x0, y0, x1, y1), *_ = total["boxes"]
    assert 0 <= x0 < x1 <= total["page_size"][0]
    assert 0 <= y0 < y1 <= total["page_size"][1]
    for name, value in values_of(task).items():
        if value is None:
            assert evidence[f"/{name}"]["reason"] in ("not_found", "doubtful", "invalid", "unreadable")


@pytest.mark.parametrize(
    ("text", "state", "words"),
    [
        ("What PDFs are available?", "TASK_STATE_COMPLETED", "bill_of_lading.pdf"),
        ("What is the due date of invoice.pdf?", "TASK_STATE_COMPLETED", "2026-10-14"),
        ("What kind of document is receipt.pdf?", "TASK_STATE_COMPLETED", "receipt"),
        ("Read receipt.pdf", "TASK_STATE_COMPLETED", "CORNER BAKERY"),
    ],
)
def test_questions_end_in_an_answer(service: Service, text: str, state: str, words: str) -> None:
    task = service.send({"text": text})
    assert task["status"]["state"] == state
    assert task["artifacts"][0]["artifactId"] == "answer"
    assert words in task["artifacts"][0]["parts"][0]["text"]


def test_an_unknown_document_is_asked_back_with_candidates_and_a_follow_up_finishes(service: Service) -> None:
    task = service.send({"text": "Extract the total from invoise.pdf"})
    assert task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    data = next(part["data"] for part in task["status"]["message"]["parts"] if "data" in part)
    assert "invoice.pdf" in data["candidates"]
    finished = service.send({"text": "invoice.pdf"}, task=task["id"])
    assert values_of(finished) == {"total": "1190.00"}


def test_a_pdf_in_the_message_is_extracted(service: Service) -> None:
    raw = base64.b64encode((SAMPLES / "facture.pdf").read_bytes()).decode()
    task = service.send(
        {"raw": raw, "filename": "mine.pdf", "mediaType": "application/pdf"},
        {"data": {"fields": [{"name": "total", "type": "amount", "description": "Total"}]}},
    )
    assert values_of(task) == {"total": "3040.20"}
    assert proof_of(task)["document"]["id"] == "mine.pdf"


def test_a_broken_file_fails_with_its_code(service: Service) -> None:
    raw = base64.b64encode(b"%PDF-1.7\nnothing of a PDF").decode()
    task = service.send({"raw": raw, "filename": "x.pdf", "mediaType": "application/pdf"})
    assert task["status"]["state"] == "TASK_STATE_FAILED"
    data = next(part["data"] for part in task["status"]["message"]["parts"] if "data" in part)
    assert data["code"] == "damaged_pdf"
    assert not data["retryable"]


def test_a_wrong_key_of_the_data_part_is_named(service: Service) -> None:
    task = service.send({"data": {"documents": ["invoice.pdf"], "strictness": "mild"}})
    assert task["status"]["state"] == "TASK_STATE_FAILED"
    assert "strictness" in str(task["status"]["message"])


def test_metrics_tell_the_truth(service: Service) -> None:
    service.send({"data": {"documents": ["invoice.pdf"], "document_type": "invoice"}})
    status, text = service.get("/metrics")
    assert status == 200
    assert 'extraction_requests_total{document_type="invoice",status="completed"}' in text
    assert "mcp_up 1.0" in text
    assert 'health_check_ok{check="tasks"} 1.0' in text
    assert 'health_check_ok{check="llm"} 0.0' in text
    assert "extraction_dead_letters 0.0" in text
    assert 'rate_limited_total{scope="memory"} 0.0' in text


def test_a_killed_pdf_server_does_not_fail_the_request(service: Service) -> None:
    os.kill(service.mcp_pid(), signal.SIGKILL)
    task = service.send({"data": {"documents": ["invoice.pdf"], "document_type": "invoice"}})
    assert values_of(task)["total"] == "1190.00"


def test_no_process_outlives_a_killed_service(tmp_path: Path) -> None:
    with running(tmp_path / "data") as service:
        pid = service.mcp_pid()
        service.kill()
        deadline = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)  # a poll with a deadline
        assert not Path(f"/proc/{pid}").exists()


def test_a_task_survives_the_sigkill_of_the_service(tmp_path: Path) -> None:
    with running(tmp_path / "data") as service:
        task = service.send({"data": {"documents": ["purchase_order.pdf"]}}, wait=False)
        service.kill()
        service.start()
        service.wait(
            lambda: service.task(task["id"])["status"]["state"] in ("TASK_STATE_COMPLETED", "TASK_STATE_FAILED")
        )
        assert service.task(task["id"])["status"]["state"] == "TASK_STATE_COMPLETED"
        assert service.stop() == 0


def test_a_stopped_pdf_server_is_noticed_and_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "data", settings={"TASK_TIMEOUT": "40s", "REQUEST_TIMEOUT": "55s"}) as service:
        stopped = service.mcp_pid()
        os.kill(stopped, signal.SIGSTOP)
        started = time.monotonic()
        task = service.send({"data": {"documents": ["invoice.pdf"], "document_type": "invoice"}})
        assert task["status"]["state"] in ("TASK_STATE_COMPLETED", "TASK_STATE_FAILED")
        assert time.monotonic() - started < 45
        service.wait(lambda: service.get("/health/ready")[0] == 200 and service.mcp_pid() != stopped)
        again = service.send({"data": {"documents": ["invoice.pdf"], "document_type": "invoice"}})
        assert values_of(again)["total"] == "1190.00"
