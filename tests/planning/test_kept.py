"""Results are kept by content, wish and caller; failures and incomplete ones are not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.planning.papers import invoice
from tests.service import SAMPLES, Service, running


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for name in ("invoice.pdf", "same.pdf", "changed.pdf"):
        shutil.copy(SAMPLES / "invoice.pdf", folder / name)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service") / "data", library=library) as service:
        yield service


def hits(service: Service) -> float:
    text = service.get("/metrics")[1]
    found = [line for line in text.splitlines() if line.startswith('cache_requests_total{layer="memory",result="hit"}')]
    return float(found[0].split()[-1]) if found else 0.0


def extract(service: Service, document: str, *fields: str) -> Any:
    wish = [{"name": name, "type": "string", "description": name} for name in fields]
    return service.send({"data": {"documents": [document], "fields": wish}})


def values(task: Any) -> Any:
    return task["artifacts"][0]["parts"][0]["data"]


def test_a_result_is_made_once_for_one_content_and_wish(service: Service) -> None:
    first, before = extract(service, "invoice.pdf", "invoice_number"), hits(service)
    again = extract(service, "invoice.pdf", "invoice_number")
    assert hits(service) == before + 1
    assert values(again) == values(first) != {}
    same = extract(service, "same.pdf", "invoice_number")
    assert hits(service) == before + 2
    evidence = same["artifacts"][0]["parts"][1]["data"]
    assert evidence["document"]["id"] == "same.pdf"
    extract(service, "invoice.pdf", "total")
    assert hits(service) == before + 2


def test_a_changed_document_is_read_anew(service: Service, library: Path) -> None:
    def content() -> str:
        task = extract(service, "changed.pdf", "invoice_number")
        return str(task["artifacts"][0]["parts"][1]["data"]["document"]["sha256"])

    first = content()
    (library / "changed.pdf").write_bytes(invoice())
    service.wait(lambda: content() != first)


def test_a_failure_is_not_kept(service: Service) -> None:
    before = hits(service)
    for _ in range(2):
        assert extract(service, "broken.pdf", "invoice_number")["status"]["state"] == "TASK_STATE_FAILED"
    assert hits(service) == before


def test_another_setting_keeps_nothing(tmp_path: Path, library: Path) -> None:
    with running(tmp_path / "data", library=library, settings={"ENABLE_CACHE": "false"}) as service:
        for _ in range(2):
            extract(service, "invoice.pdf", "invoice_number")
        assert hits(service) == 0
