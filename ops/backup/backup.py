#!/usr/bin/env python3
"""Backs up the PDFs and everything the service keeps; may run while the service does. Standard library only.

    ops/backup/backup.py --data-dir /var/lib/agent --pdf-dir /data/pdfs --to /backups [--s3 s3://bucket/prefix]

Exit 0 when the backup is written, read back, and (with --s3) uploaded. Old backups are removed only then, and never the
newest --keep-least. `aws s3 sync` takes region, endpoint and credentials from its own environment; it never deletes.
"""

from __future__ import annotations

import argparse
import fcntl
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import archive

STAMP = "backup-%Y%m%dT%H%M%SZ"
UPLOAD_S = 3600


def main() -> int:
    options = _options()
    options.to.mkdir(parents=True, exist_ok=True)
    with (options.to / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another backup is running", file=sys.stderr)
            return 1
        try:
            return _run(options)
        except archive.BackupError as fault:
            print(fault, file=sys.stderr)
            return 1


def _run(options: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    roots = {"data": options.data_dir, "pdfs": options.pdf_dir}
    made = archive.create(options.to, now.strftime(STAMP), roots)
    print(f"{made.tar}: {len(archive.read_manifest(made)['files'])} files, {made.tar.stat().st_size} bytes")
    if options.s3 and not _upload(options.to, options.s3):
        return 1
    _thin_out(options.to, now - timedelta(days=options.keep_days), options.keep_least)
    if options.metrics_file:
        _tell(options.metrics_file, now)
    return 0


def _upload(directory: Path, url: str) -> bool:
    only = ("--exclude", "*", "--include", "backup-*.tar", "--include", "backup-*.json")
    try:
        ended = subprocess.run(
            ["aws", "s3", "sync", "--only-show-errors", str(directory), url, *only], timeout=UPLOAD_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        print(f"the upload failed: {fault}", file=sys.stderr)
        return False
    return ended.returncode == 0


def _thin_out(directory: Path, before: datetime, least: int) -> None:
    """Removes the backups made before that time, but never the newest `least`; the manifest goes first."""
    for old in archive.known(directory)[:-least]:
        if re.fullmatch(r"backup-\d{8}T\d{6}Z", old.name):
            made = datetime.strptime(old.name, STAMP).replace(tzinfo=UTC)
            if made < before:
                old.manifest.unlink()
                old.tar.unlink()
                print(f"removed {old.name}")


def _tell(path: Path, now: datetime) -> None:
    """For the text-file collector of a node exporter: the alert BackupStale reads it."""
    part = path.with_suffix(".part")
    part.write_text(
        "# TYPE extraction_backup_last_success_timestamp_seconds gauge\n"
        f"extraction_backup_last_success_timestamp_seconds {now.timestamp():.0f}\n",
        encoding="ascii",
    )
    part.replace(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="DATA_DIR of the service")
    parser.add_argument("--pdf-dir", type=Path, required=True, help="MCP_PDF_SERVER_DIR of the service")
    parser.add_argument("--to", type=Path, required=True, help="where backups are kept")
    parser.add_argument("--s3", help="s3://bucket/prefix to upload to")
    parser.add_argument("--keep-days", type=int, default=7)
    parser.add_argument("--keep-least", type=_positive, default=3, help="never fewer than these are kept (3)")
    parser.add_argument("--metrics-file", type=Path, help="*.prom file that tells the time of the last good backup")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
