"""SIGKILL at random moments under load: the whole service stands by what it said. `ops/bench/crash.py` kills more."""

from __future__ import annotations

import secrets
from pathlib import Path

from tests.faults.load import killed_under_load


async def test_a_killed_service_stands_by_all_it_said(tmp_path: Path) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")  # shown when it fails; `ops/bench/crash.py --kills 5 --seed N` repeats its moments
    witness = await killed_under_load(tmp_path / "data", kills=5, seed=seed)
    assert witness.contradictions == []
    assert witness.ends
    assert witness.follow_ups
    assert witness.events
