#!/usr/bin/env python3
"""Puts a backup back into empty directories, while the service is stopped. Standard library only.

    ops/backup/restore.py --from /backups [--name backup-20260101T000000Z] --data-dir … --pdf-dir … [--s3 s3://bucket/prefix]

With --s3 the backups are fetched first. The whole tar is compared with its manifest before the first file is written.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import archive

FETCH_S = 3600


def main() -> int:
    options = _options()
    try:
        if options.s3:
            _fetch(options.s3, options.source)
        backup = _chosen(options.source, options.name)
        count = archive.restore(backup, {"data": options.data_dir, "pdfs": options.pdf_dir})
    except archive.BackupError as fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"restored {count} files of {backup.name}")
    return 0


def _fetch(url: str, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["aws", "s3", "sync", "--only-show-errors", url, str(directory)], timeout=FETCH_S, check=True)
    except (OSError, subprocess.SubprocessError) as fault:
        raise archive.BackupError(f"the backups cannot be fetched: {fault}") from fault


def _chosen(directory: Path, name: str | None) -> archive.Backup:
    there = archive.known(directory)
    chosen = [backup for backup in there if backup.name == name] if name else there
    if not chosen:
        raise archive.BackupError(f"{directory} holds no backup {name or ''}; it has: {[b.name for b in there]}")
    return chosen[-1]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, required=True, help="where backups are kept")
    parser.add_argument("--name", help="the backup to restore; without it the newest")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--pdf-dir", type=Path, required=True)
    parser.add_argument("--s3", help="s3://bucket/prefix to fetch from first")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
