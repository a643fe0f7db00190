"""The scripted agent as a process of its own, for clients that block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def scripted_process(data_dir: Path) -> Iterator[str]:
    """Its address; the port is free and told by the process once it listens."""
    command = [sys.executable, "-m", "tests.conformance.scripted_agent", "--port", "0", "--data-dir", str(data_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
