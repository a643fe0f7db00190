"""Two services with one key, as they stand behind nginx."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import keys
from tests.service import Service, running


@pytest.fixture(scope="package")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    file = tmp_path_factory.mktemp("keys") / "api-keys.json"
    token, _ = keys.add(file, "operations")
    return token, file


@pytest.fixture(scope="package")
def colours(tmp_path_factory: pytest.TempPathFactory, key: tuple[str, Path]) -> Iterator[dict[str, Service]]:
    settings = {
        "API_KEYS_FILE": str(key[1]),
        "TRUSTED_PROXIES": "127.0.0.1",
        "RATE_LIMIT": "1000000/minute",
        "MCP_PDF_WORKERS": "1",
    }
    with contextlib.ExitStack() as opened:
        yield {
            colour: opened.enter_context(running(tmp_path_factory.mktemp(colour) / "data", settings=settings))
            for colour in ("blue", "green")
        }
