"""The command line as a user runs it: real processes, exit codes, output that another program can read."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service import SAMPLES

ENVIRONMENT = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}


def run(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, env=ENVIRONMENT | settings, check=False)


def test_extract_prints_the_result_as_json() -> None:
    shown = run("extract", SAMPLES / "invoice.pdf", "--fields", "invoice_number,total")
    assert shown.returncode == 0, shown.stderr
    result = json.loads(shown.stdout)
    assert result["values"] == {"invoice_number": "INV-2026-0042", "total": "1190.00"}
    assert result["document"]["id"] == "invoice.pdf"


def test_extract_gives_a_line_a_file_and_1_when_one_failed(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing")
    shown = run("extract", SAMPLES / "invoice.pdf", broken, "--ask", "the total")
    assert shown.returncode == 1
    good, bad = map(json.loads, shown.stdout.splitlines())
    assert good["values"] == {"total": "1190.00"}
    assert bad["error"]["code"] == "damaged_pdf"


def test_csv_cells_cannot_run_as_formulas(tmp_path: Path) -> None:
    evil = tmp_path / "=cmd.pdf"
    evil.write_bytes((SAMPLES / "invoice.pdf").read_bytes())
    shown = run("extract", evil, "--fields", "total", "--format", "csv")
    rows = list(csv.reader(io.StringIO(shown.stdout)))
    assert rows[1][:3] == ["'=cmd.pdf", "/total", "1190.00"]


def test_batch_writes_a_line_a_document_and_resumes(tmp_path: Path) -> None:
    manifest, out = tmp_path / "m.jsonl", tmp_path / "out.jsonl"
    fields = [{"name": "total", "type": "amount", "description": "Total"}]
    rows = [{"id": n, "file": str(SAMPLES / f"{n}.pdf"), "fields": fields} for n in ("invoice", "facture", "receipt")]
    rows.append({"id": "missing", "file": "nowhere.pdf", "fields": fields})
    manifest.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert run("batch", manifest, "--out", out).returncode == 1
    lines = {row["id"]: row for row in map(json.loads, out.read_text().splitlines())}
    assert lines["invoice"]["values"] == {"total": "1190.00"}
    assert lines["missing"]["error"]["code"] == "not_found"
    kept = [line for line in out.read_text().splitlines(keepends=True) if '"facture"' not in line]
    out.write_text("".join(kept) + '{"id": "facture", "sta', encoding="utf-8")  # cut by a crash
    assert run("batch", manifest, "--out", out, "--resume").returncode == 1
    ids = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert sorted(ids) == ["facture", "invoice", "missing", "receipt"]


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("serve",), {"PORT": "http", "LOG_LEVEL": "loud"}, ("PORT='http'", "LOG_LEVEL='loud'")),
        (("serve",), {"WORKERS": "4"}, ("shared task store",)),
        (("extract", "x.pdf", "--schema", "nowhere.json"), {}, ("nowhere.json",)),
        (("extract", "x.pdf", "--html", "nowhere/report.html"), {}, ("nowhere/report.html",)),
        (("purge",), {}, ("required",)),
        (("no-such-command",), {}, ("invalid choice",)),
    ],
)
def test_wrong_usage_and_configuration_exit_2_and_say_what(
    arguments: tuple[str, ...], settings: dict[str, str], words: tuple[str, ...]
) -> None:
    shown = run(*arguments, **settings)
    assert shown.returncode == 2
    for word in words:
        assert word in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_store_that_cannot_be_reached_ends_the_service_with_words() -> None:
    shown = run("serve", STORE_URL="redis://127.0.0.1:1")
    assert shown.returncode == 1
    assert shown.stderr.endswith("extraction-agent: the task store cannot be reached now\n")
    assert "Traceback" not in shown.stderr


def test_healthcheck_fails_where_nothing_listens() -> None:
    assert run("healthcheck", PORT="1").returncode == 1


def test_doctor_names_the_bad_variable(tmp_path: Path) -> None:
    shown = run("doctor", MCP_PDF_SERVER_DIR=str(tmp_path / "none"), DATA_DIR=str(tmp_path / "data"))
    assert shown.returncode == 1
    assert "MCP_PDF_SERVER_DIR" in shown.stdout


def test_doctor_is_content_with_the_samples(tmp_path: Path) -> None:
    shown = run("doctor", MCP_PDF_SERVER_DIR=str(SAMPLES), DATA_DIR=str(tmp_path))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "started and offers" in shown.stdout


def test_a_key_is_shown_once_and_stored_hashed(tmp_path: Path) -> None:
    made = run("keys", "add", "bob", "--documents", "acme/**", DATA_DIR=str(tmp_path))
    token = made.stdout.strip()
    assert token.startswith("dea_")
    assert token not in (tmp_path / "api-keys.json").read_text()
    assert "acme/**" in run("keys", "list", DATA_DIR=str(tmp_path)).stdout
    assert run("keys", "revoke", "bob", DATA_DIR=str(tmp_path)).returncode == 0
    assert run("keys", "revoke", "bob", DATA_DIR=str(tmp_path)).returncode == 1
