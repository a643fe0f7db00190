"""A backup: one tar of documents and data, and a manifest beside it with the hash of each file and of the tar.

The manifest is written last, so a backup without one never counted. Hashes are taken of the very bytes that go into the
tar, and the tar is read back before it gets its name. Databases go in through SQLite's online backup: a running service
may write meanwhile. They are copied before the uploads they name, so that no task lacks its file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

SQLITE = b"SQLite format 3\0"
# Not data: what SQLite rebuilds, files half written, locks, and the backups themselves.
LEFT_OUT = (".db-wal", ".db-shm", ".part", ".lock", ".sock")
HEADROOM = 1.1


class BackupError(Exception):
    """What makes a backup worthless or a restore impossible; nothing was changed."""


@dataclass(frozen=True)
class Backup:
    """`tar` and `manifest` of one backup, both there."""

    tar: Path
    manifest: Path

    @property
    def name(self) -> str:
        return self.tar.stem


def known(directory: Path) -> list[Backup]:
    """The complete backups of a directory, oldest first: their names are UTC times."""
    manifests = sorted(directory.glob("backup-*.json"))
    return [Backup(m.with_suffix(".tar"), m) for m in manifests if m.with_suffix(".tar").is_file()]


def create(directory: Path, name: str, roots: Mapping[str, Path]) -> Backup:
    """Writes a backup of `roots` (prefix in the tar → directory). Raises BackupError; then nothing new stands there."""
    directory.mkdir(parents=True, exist_ok=True)
    for root in roots.values():
        if not root.is_dir():
            raise BackupError(f"there is no directory {root}")
    _check_room(directory, roots)
    backup = Backup(directory / f"{name}.tar", directory / f"{name}.json")
    part = backup.tar.with_suffix(".tar.part")
    try:
        files = _write(part, roots)
        manifest = {"format": 1, "name": name, "tar_sha256": _sha256(part), "files": files}
        verify(part, manifest)
        part.replace(backup.tar)
        _place(backup.manifest, json.dumps(manifest, indent=1, sort_keys=True))
    except (OSError, tarfile.TarError, sqlite3.Error) as fault:
        raise BackupError(f"the backup failed: {fault}") from fault
    finally:
        part.unlink(missing_ok=True)
    return backup


def read_manifest(backup: Backup) -> dict[str, Any]:
    try:
        manifest = json.loads(backup.manifest.read_text(encoding="utf-8"))
        known_format = manifest["format"] == 1
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BackupError(f"{backup.manifest} cannot be read: {fault}") from fault
    if not known_format:
        raise BackupError(f"{backup.manifest} has a format that this version does not know")
    return dict(manifest)


def verify(tar: Path, manifest: Mapping[str, Any]) -> None:
    """Reads the whole tar. Raises BackupError unless it holds exactly the manifest's files."""
    if _sha256(tar) != manifest["tar_sha256"]:
        raise BackupError(f"{tar} is not what its manifest says")
    found = {path: {"sha256": digest, "bytes": size} for path, digest, size in _members(tar)}
    if found != manifest["files"]:
        raise BackupError(f"{tar} does not hold the files of its manifest")


def restore(backup: Backup, roots: Mapping[str, Path]) -> int:
    """Puts the files back into empty directories; how many. Raises BackupError before anything is written."""
    manifest = read_manifest(backup)
    verify(backup.tar, manifest)
    for root in roots.values():
        if root.is_dir() and any(root.iterdir()):
            raise BackupError(f"{root} is not empty: move its content away first")
    for root in roots.values():
        root.mkdir(parents=True, exist_ok=True)
    count = 0
    with tarfile.open(backup.tar, "r:") as archive:
        for member in archive:
            prefix, _, rest = member.name.partition("/")
            if prefix not in roots:
                continue
            target = roots[prefix] / rest
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            assert content is not None  # verify() saw a regular file
            with target.open("xb") as file:
                shutil.copyfileobj(content, file)
                target.chmod(member.mode & 0o700 | 0o600)
            os.utime(target, (member.mtime, member.mtime))
            count += 1
    return count


def _write(part: Path, roots: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    with part.open("wb") as out, tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for prefix, root in roots.items():
            for path in sorted(_files(root), key=lambda path: (not _is_database(path), path)):
                with _content(path) as (content, size):
                    name = str(PurePosixPath(prefix, *path.relative_to(root).parts))
                    member = tarfile.TarInfo(name)
                    member.size, member.mode, member.mtime = (
                        size,
                        path.stat().st_mode & 0o777,
                        int(path.stat().st_mtime),
                    )
                    hashed = _Hashed(content)
                    archive.addfile(member, hashed)  # type: ignore[arg-type]  # addfile only reads
                    files[name] = {"sha256": hashed.digest.hexdigest(), "bytes": size}
        out.flush()
        os.fsync(out.fileno())
    return files


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if not name.endswith(LEFT_OUT) and path.is_file() and not path.is_symlink():
                yield path


@contextlib.contextmanager
def _content(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A file's bytes and their number; of a database a consistent copy, checked."""
    if not _is_database(path):
        with path.open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy.db")
        with contextlib.closing(sqlite3.connect(path)) as live, contextlib.closing(sqlite3.connect(copy)) as still:
            live.backup(still, pages=1000, sleep=0.01)
            if still.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupError(f"{path} is damaged")
        with copy.open("rb") as file:
            yield file, copy.stat().st_size


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


class _Hashed:
    """Hashes what is read through it."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._content.read(size)
        self.digest.update(data)
        return data


def _members(tar: Path) -> Iterator[tuple[str, str, int]]:
    with tarfile.open(tar, "r:") as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or member.name.startswith("/") or ".." in parts:
                raise BackupError(f"{tar} holds {member.name!r}, which no backup writes")
            yield member.name, hashlib.file_digest(content, "sha256").hexdigest(), member.size


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_room(directory: Path, roots: Mapping[str, Path]) -> None:
    needed = sum(path.stat().st_size for root in roots.values() for path in _files(root))
    free = shutil.disk_usage(directory).free
    if free < needed * HEADROOM:
        raise BackupError(f"{directory} has {free} bytes free, the backup needs {needed}")


def _place(path: Path, text: str) -> None:
    part = path.with_suffix(path.suffix + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
