"""Each fault against each kind of work. Works of one store meet a fault side by side; `ops/bench/faults.py` has all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.matrix import Outcome, batch_struck, struck
from tests.faults.orders import WORKS
from tests.faults.strikes import FAULTS, Fault

BATCH = ("pdf_server_killed", "killed", "disk_full")


def nothing_lost(outcome: Outcome) -> None:
    assert (outcome.lost, outcome.stuck, outcome.wrong) == (0, 0, [])


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.of != "redis"], ids=lambda fault: fault.name)
async def test_the_service_loses_nothing(fault: Fault, tmp_path: Path) -> None:
    nothing_lost(await struck(fault, WORKS, "sqlite", tmp_path))


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.of == "redis"], ids=lambda fault: fault.name)
async def test_a_service_on_redis_loses_nothing(fault: Fault, tmp_path: Path) -> None:
    nothing_lost(await struck(fault, WORKS, "redis", tmp_path))


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.name in BATCH], ids=lambda fault: fault.name)
async def test_a_batch_loses_nothing(fault: Fault, tmp_path: Path) -> None:
    nothing_lost(await batch_struck(fault, tmp_path))
