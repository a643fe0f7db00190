"""a2a-sdk 0.3.26 in an environment of its own: it and 1.3 are one package, of which one fits into ours."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1] / ".venv-a2a03"


def old_python() -> Path:
    """Its Python; the environment is made once."""
    python = HOME / "bin" / "python"
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:  # two test runs may ask at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (HOME / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "a2a-sdk[http-server]==0.3.26"], check=True)
            (HOME / "complete").touch()
    return python


def run(script: Path, *arguments: str) -> Any:
    """What a script of that environment printed, as JSON."""
    ran = subprocess.run([old_python(), script, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)
