from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.a2a.dialects import DIALECTS, Client, Dialect
from tests.conformance.scripted_agent import scripted_app


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with scripted_app(tmp_path, "http://127.0.0.1:1") as app, TestClient(TestServer(app)) as opened:
        yield opened


@pytest.fixture(params=DIALECTS, ids=str)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    found: Dialect = request.param
    return found
