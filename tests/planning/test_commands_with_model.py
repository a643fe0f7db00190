"""`extract`, `batch` and `doctor` with a model, as processes, against the scripted server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gemini_server import KEY, GeminiServer, answer, in_thread, refusal
from tests.planning.papers import invoice

SAID = {"warranty_period": "24 months"}


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with in_thread(lambda _: answer(SAID)) as serving:
        yield serving


def run(server: GeminiServer, folder: Path, *arguments: object, key: str = KEY) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    own |= {"GOOGLE_API_KEY": key, "GEMINI_BASE_URL": server.url, "DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "agent", *map(str, arguments)]
    return subprocess.run(command, env=own, capture_output=True, text=True, timeout=120, check=False)


def test_batch_asks_the_model_for_what_the_rules_do_not_find_and_goes_on_without_it(
    tmp_path: Path, server: GeminiServer
) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.pdf").write_bytes(invoice(note=name))
    server.script = lambda seen: refusal() if "three" in seen.text else answer(SAID)
    modes = {"one": "auto", "two": "embedded", "three": "model"}
    rows = [{"id": n, "file": f"{n}.pdf", "fields": ["total", "warranty_period"], "mode": modes[n]} for n in modes]
    manifest, out = tmp_path / "m.jsonl", tmp_path / "out.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert run(server, tmp_path, "batch", manifest, "--out", out).returncode == 1
    lines = {row["id"]: row for row in map(json.loads, out.read_text(encoding="utf-8").splitlines())}
    assert lines["one"]["values"] == {"total": "1190.00", "warranty_period": "24 months"}
    assert lines["one"]["usage"]["model_calls"] == 1
    assert lines["two"]["values"] == {"total": "1190.00", "warranty_period": None}
    assert (lines["three"]["status"], lines["three"]["error"]["code"]) == ("failed", "model_refused")
    assert len(server.requests) == 2


def test_extract_reads_with_the_model(tmp_path: Path, server: GeminiServer) -> None:
    (tmp_path / "odd.pdf").write_bytes(invoice())
    done = run(server, tmp_path, "extract", tmp_path / "odd.pdf", "--fields", "warranty_period", "--mode", "model")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["values"] == SAID
    assert result["evidence"]["/warranty_period"]["boxes"]
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("key", "words"),
    [(KEY, "ok       GEMINI_MODEL: gemini-3.8-flash answers"), ("AIzaRevoked", "warning  GEMINI_MODEL:")],
)
def test_doctor_tells_whether_the_model_is_there_and_pays_nothing(
    tmp_path: Path, server: GeminiServer, key: str, words: str
) -> None:
    done = run(server, tmp_path, "doctor", key=key)
    assert words in done.stdout
    assert (key == KEY) or "the key was refused" in done.stdout
    assert server.requests == []
    assert key not in done.stdout + done.stderr
