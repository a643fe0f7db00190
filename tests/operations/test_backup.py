"""The restore drill: a live service is backed up to S3 (moto), its directories are wiped, and it comes back whole."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.service import SAMPLES, running

TOOLS = Path(__file__).parents[2] / "ops" / "backup"
BUCKET = "s3://backups/agent"


@dataclass
class Drill:
    root: Path
    endpoint: str

    @property
    def places(self) -> list[str]:
        return ["--data-dir", str(self.root / "data"), "--pdf-dir", str(self.root / "pdfs")]

    @property
    def kept(self) -> Path:
        return self.root / "kept"

    def backup(self, *more: str) -> int:
        return self._run("backup.py", *self.places, "--to", str(self.kept), *more)

    def restore(self, *more: str) -> int:
        return self._run("restore.py", *self.places, "--from", str(self.kept), *more)

    def _run(self, tool: str, *arguments: str) -> int:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        aws = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill"}
        limits = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_MAX_ATTEMPTS": "1", "HOME": str(self.root)}
        command = [sys.executable, str(TOOLS / tool), *arguments]
        return subprocess.run(command, env={"PATH": path, **aws, **limits}, timeout=120, check=False).returncode

    def hashes(self, *names: str) -> dict[str, str]:
        files = (path for name in names for path in sorted((self.root / name).rglob("*")) if path.is_file())
        return {str(file.relative_to(self.root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def wipe(self, *names: str) -> None:
        for name in names:
            shutil.rmtree(self.root / name)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-central-1",
        aws_access_key_id="drill",
        aws_secret_access_key="drill",
    )
    client.create_bucket(Bucket="backups", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.close()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def drill(tmp_path: Path, endpoint: str) -> Drill:
    """Directories with content, no service."""
    (tmp_path / "pdfs" / "acme").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    shutil.copy(SAMPLES / "invoice.pdf", tmp_path / "pdfs" / "acme" / "invoice.pdf")
    (tmp_path / "data" / "api-keys.json").write_text("{}")
    return Drill(tmp_path, endpoint)


def test_a_live_service_comes_back_whole_from_s3(tmp_path: Path, endpoint: str) -> None:
    drill = Drill(tmp_path, endpoint)
    shutil.copytree(SAMPLES, tmp_path / "pdfs")
    pdf = {"raw": base64.b64encode((SAMPLES / "receipt.pdf").read_bytes()).decode(), "mediaType": "application/pdf"}
    with running(tmp_path / "data", library=tmp_path / "pdfs") as service:
        task = service.send({"text": "Extract the total"}, pdf)
        assert task["status"]["state"] == "TASK_STATE_COMPLETED"
        assert drill.backup("--s3", BUCKET) == 0
    before = drill.hashes("pdfs", "data/uploads")
    assert len(before) > len(list(SAMPLES.iterdir()))
    drill.wipe("data", "pdfs", "kept")
    assert drill.restore("--s3", BUCKET) == 0
    assert drill.hashes("pdfs", "data/uploads") == before
    with running(tmp_path / "data", library=tmp_path / "pdfs", port=service.port) as service:
        assert service.task(task["id"]) == task
        again = service.send({"text": "Extract the total"}, pdf)
        assert again["artifacts"][0]["parts"][0] == task["artifacts"][0]["parts"][0]


def test_a_tampered_backup_is_refused_and_writes_nothing(drill: Drill) -> None:
    assert drill.backup() == 0
    drill.wipe("data", "pdfs")
    tar = next(drill.kept.glob("*.tar"))
    content = bytearray(tar.read_bytes())
    content[len(content) // 2] ^= 1
    tar.write_bytes(bytes(content))
    assert drill.restore() == 1
    assert not (drill.root / "data").exists()


def test_a_manifest_that_names_other_files_is_refused(drill: Drill) -> None:
    assert drill.backup() == 0
    drill.wipe("data", "pdfs")
    manifest = next(drill.kept.glob("*.json"))
    said = json.loads(manifest.read_text())
    said["files"].pop("pdfs/acme/invoice.pdf")
    manifest.write_text(json.dumps(said))
    assert drill.restore() == 1


def test_directories_that_hold_something_are_not_restored_over(drill: Drill) -> None:
    assert drill.backup() == 0
    assert drill.restore() == 1
    assert (drill.root / "pdfs" / "acme" / "invoice.pdf").read_bytes() == (SAMPLES / "invoice.pdf").read_bytes()


def test_when_s3_is_down_the_backup_fails_and_keeps_everything(drill: Drill) -> None:
    old = made(drill, "backup-20200101T000000Z", copies=4)
    drill.endpoint = "http://127.0.0.1:9"
    assert drill.backup("--s3", BUCKET, "--keep-least", "1") == 1
    assert old <= names(drill)
    assert len(names(drill)) == 5


def test_a_failed_backup_leaves_no_archive_and_removes_none(drill: Drill) -> None:
    old = made(drill, "backup-20200101T000000Z", copies=2)
    drill.wipe("pdfs")
    assert drill.backup("--keep-least", "1") == 1
    assert names(drill) == old
    assert not list(drill.kept.glob("*.part"))


def test_old_backups_go_but_never_the_newest_few(drill: Drill) -> None:
    made(drill, "backup-20200101T000000Z", copies=4)
    assert drill.backup("--keep-least", "3") == 0
    assert len(names(drill)) == 3
    assert "backup-20200101T000000Z" not in names(drill)


def test_the_time_of_the_last_good_backup_is_told_to_prometheus(drill: Drill) -> None:
    file = drill.root / "backup.prom"
    assert drill.backup("--metrics-file", str(file)) == 0
    assert "extraction_backup_last_success_timestamp_seconds 1" in file.read_text()


def names(drill: Drill) -> set[str]:
    return {path.stem for path in drill.kept.glob("*.tar")}


def made(drill: Drill, name: str, *, copies: int) -> set[str]:
    """Old complete backups: copies of a real one under other times."""
    assert drill.backup() == 0
    real = next(drill.kept.glob("*.tar"))
    for number in range(copies):
        old = name.replace("000000Z", f"00000{number}Z")
        shutil.copy(real, drill.kept / f"{old}.tar")
        shutil.copy(real.with_suffix(".json"), drill.kept / f"{old}.json")
    real.unlink()
    real.with_suffix(".json").unlink()
    return names(drill)
