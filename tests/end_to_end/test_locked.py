"""A locked PDF: the task asks for its password, which is never kept anywhere."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter

from tests.service import SAMPLES, Service, running

SECRET = "open-sesame-4711"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    library = tmp_path_factory.mktemp("library")
    shutil.copy(SAMPLES / "invoice.pdf", library)
    writer = PdfWriter(clone_from=SAMPLES / "invoice.pdf")
    writer.encrypt(SECRET, algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    (library / "locked.pdf").write_bytes(locked.getvalue())
    with running(tmp_path_factory.mktemp("locked") / "data", library=library) as started:
        yield started


ANSWERS: dict[str, dict[str, Any]] = {
    "data": {"data": {"password": SECRET}},
    "words": {"text": f"The password is {SECRET}"},
    "alone": {"text": SECRET},
    "metadata": {"text": "here it is", "metadata": {"password": SECRET}},
}


@pytest.mark.parametrize("form", ANSWERS)
def test_the_password_is_asked_for_until_it_is_right_and_kept_nowhere(service: Service, form: str) -> None:
    task = service.send({"text": "Extract the total from locked.pdf"})
    assert task["status"]["state"] == "TASK_STATE_AUTH_REQUIRED"
    task = service.send({"data": {"password": "wrong-password-1"}}, task=task["id"])
    assert task["status"]["state"] == "TASK_STATE_AUTH_REQUIRED"
    assert "wrong_password" in str(task["status"]["message"])
    task = service.send(ANSWERS[form], task=task["id"])
    assert task["status"]["state"] == "TASK_STATE_COMPLETED", task["status"]
    assert task["artifacts"][0]["parts"][0]["data"] == {"total": "1190.00"}
    assert SECRET not in str(service.task(task["id"]))
    _, over_old = service.get(f"/v1/tasks/{task['id']}")
    assert SECRET not in str(over_old)
    assert leaked(service) == []


def test_a_password_sent_along_is_kept_nowhere_either(service: Service) -> None:
    for part in ({"data": {"documents": ["locked.pdf"], "fields": ["total"], "password": SECRET}},
                 {"text": f"Extract the total from locked.pdf with password {SECRET}"}):  # fmt: skip
        task = service.send(part)
        assert task["status"]["state"] == "TASK_STATE_COMPLETED", task["status"]
    assert leaked(service) == []


def leaked(service: Service) -> list[Path]:
    """Every file with the password in it: store, its journal, spool, caches, log."""
    kept = [*service.data_dir.rglob("*"), service.log]
    return [path for path in kept if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_document_of_another_caller_looks_like_none(tmp_path: Path) -> None:
    from agent import keys

    library = tmp_path / "library"
    (library / "acme").mkdir(parents=True)
    (library / "other").mkdir()
    for folder in ("acme", "other"):
        shutil.copy(SAMPLES / "invoice.pdf", library / folder / f"{folder}.pdf")
    data = tmp_path / "data"
    data.mkdir()
    token, _ = keys.add(data / "api-keys.json", "bob", documents=("acme/**",))
    foreign, _ = keys.add(data / "api-keys.json", "eve", documents=("other/**",))
    with running(data, library=library) as service:
        mine = {"Authorization": f"Bearer {token}"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage"}
        message = {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "What PDFs are available?"}]}
        _, answer = service.post("/", body | {"params": {"message": message}}, mine)
        task = answer["result"]["task"]
        assert task["artifacts"][0]["parts"][0]["text"] == "acme/acme.pdf"
        get = body | {"method": "GetTask", "params": {"id": task["id"]}}
        _, refused = service.post("/", get, {"Authorization": f"Bearer {foreign}"})
        assert refused["error"]["code"] == -32001
        _, own = service.post("/", get, mine)
        assert own["result"]["id"] == task["id"]
        message["parts"] = [{"data": {"documents": ["other/other.pdf"]}}]
        _, answer = service.post("/", body | {"params": {"message": message}}, mine)
        assert answer["result"]["task"]["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
        assert "other/other.pdf" not in str(answer["result"]["task"]["status"]["message"]["parts"][1])
