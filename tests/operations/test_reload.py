"""SIGHUP: what may change while the service runs is read again."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from agent.cli.lifetime import _reload
from agent.web.keys import RELOAD
from tests.service import running


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


def test_the_log_level_and_the_keys_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    app = web.Application()
    app[RELOAD] = lambda: asked.append("keys")
    file = tmp_path / "level"
    monkeypatch.setenv("LOG_LEVEL_FILE", str(file))
    file.write_text("DEBUG\n")
    _reload(app)
    assert (logging.getLogger().level, asked) == (logging.DEBUG, ["keys"])


def test_what_cannot_be_used_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "level"
    monkeypatch.setenv("LOG_LEVEL_FILE", str(file))
    file.write_text("loud\n")
    logging.getLogger().setLevel(logging.ERROR)
    _reload(web.Application())
    assert logging.getLogger().level == logging.ERROR


def test_a_running_service_takes_the_signal_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "level"
    file.write_text("INFO")
    with running(tmp_path / "data", settings={"LOG_LEVEL_FILE": str(file)}) as service:
        assert service.process is not None
        os.kill(service.process.pid, signal.SIGHUP)
        service.wait(lambda: "config.reloaded" in service.log.read_text(encoding="utf-8"))
        assert service.get("/health/live")[0] == 200
