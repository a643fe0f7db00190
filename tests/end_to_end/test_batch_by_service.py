"""`batch --service`: a fleet of real processes on one Redis does the work, whatever dies meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from agent import keys
from tests.faults.documents import FIELDS, library, number_of
from tests.pdf.papers import changed
from tests.redis_server import redis_server
from tests.service import SAMPLES, Service, running, working

DOCUMENTS = 8


def begun(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "agent", "batch", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def lines(out: Path) -> list[dict[str, Any]]:
    text = out.read_text(encoding="utf-8") if out.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def test_every_document_has_its_line_though_a_worker_and_the_front_die(tmp_path: Path) -> None:
    names = library(tmp_path / "papers", DOCUMENTS)
    locked = changed((SAMPLES / "invoice.pdf").read_bytes(), lambda writer: writer.encrypt("pass", algorithm="AES-256"))
    (tmp_path / "papers" / "locked.pdf").write_bytes(locked)
    (tmp_path / "papers" / "torn.pdf").write_bytes(b"%PDF-1.7\nnothing")
    rows = [{"id": name, "file": f"papers/{name}", "fields": FIELDS} for name in (*names, "locked.pdf", "torn.pdf")]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    with ExitStack() as stack:
        (tmp_path / "redis").mkdir()
        redis = stack.enter_context(redis_server(tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "always"))
        shared = {"STORE_URL": redis.url, "UPLOAD_DIR": str(tmp_path / "uploads"), "MCP_PDF_WORKERS": "1"}
        shared["TASK_LEASE"] = "2"
        front = stack.enter_context(running(tmp_path / "front", settings=shared | {"RUN_TASKS": "false"}))
        victim, _ = [stack.enter_context(working(tmp_path / name, shared)) for name in ("one", "two")]
        run = begun(tmp_path / "manifest.jsonl", "--out", out, "--service", front.url, "--concurrency", "4")
        stack.callback(run.kill)
        front.wait(lambda: lines(out))
        victim.kill()
        front.kill()
        front.start()
        told = run.communicate(timeout=120)[1]
        assert run.returncode == 1, told
        asking = [front.call("ListTasks", {"status": f"TASK_STATE_{state}_REQUIRED"}) for state in ("AUTH", "INPUT")]
        assert [page["tasks"] for page in asking] == [[], []]
    ends = {line["id"]: line for line in lines(out)}
    assert len(ends) == len(lines(out)) == len(rows)
    assert f"{DOCUMENTS} completed, 2 failed" in told
    assert {name: ends[name]["values"] for name in names} == {n: {"invoice_number": number_of(n)} for n in names}
    assert ends["locked.pdf"]["error"]["code"] == "password_required"
    assert ends["torn.pdf"]["error"]["code"] == "damaged_pdf"


def test_a_line_is_the_same_as_without_a_service(tmp_path: Path) -> None:
    def extracted(*arguments: str) -> list[dict[str, Any]]:
        out = tmp_path / "out.jsonl"
        run = begun(SAMPLES, "--out", out, "--document-type", "invoice", *arguments)
        assert "8 completed, 0 failed" in run.communicate(timeout=120)[1]
        return sorted(({**line, "usage": None} for line in lines(out)), key=lambda line: str(line["id"]))

    with running(tmp_path / "data") as service:
        assert extracted("--service", service.url) == extracted()


def test_the_key_is_shown_and_a_wrong_one_ends_the_batch_before_it_begins(tmp_path: Path) -> None:
    with running(tmp_path / "data") as service:
        known, _ = keys.add(tmp_path / "data" / "api-keys.json", "ann")
        for key, code in ((known, 0), ("dea_no_such", 2)):
            (tmp_path / "key").write_text(key + "\n", encoding="utf-8")
            run = begun(one(tmp_path), "--out", tmp_path / f"{code}", *by(service), "--key-file", tmp_path / "key")
            told = run.communicate(timeout=60)[1]
            assert run.returncode == code, told
    assert "--service: The key is unknown." in told
    assert not (tmp_path / "2").exists()


def one(directory: Path) -> Path:
    """A directory of one invoice."""
    folder = directory / "one"
    folder.mkdir(exist_ok=True)
    (folder / "invoice.pdf").write_bytes((SAMPLES / "invoice.pdf").read_bytes())
    return folder


def by(service: Service) -> tuple[str, ...]:
    return "--service", service.url, "--fields", "total"
