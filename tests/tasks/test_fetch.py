from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from agent import guard
from agent.errors import AgentError, InvalidParams, NotFound, TooLarge
from agent.tasks.fetch import Fetcher
from agent.tasks.sqlite import SqliteStore
from agent.tasks.uploads import Uploads
from tests.tasks.conftest import ANN, BOB


async def answer(request: web.Request) -> web.Response:
    match request.path:
        case "/a.pdf":
            return web.Response(body=b"%PDF-1.7")
        case "/large":
            return web.Response(body=b"x" * 5000)
        case "/moved":
            return web.Response(status=302, headers={"Location": "/a.pdf"})
    return web.Response(status=404)


async def test_a_file_is_fetched_within_its_limits_and_belongs_to_its_caller(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/{any}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    root = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with SqliteStore(tmp_path / "tasks.db") as store, guard.session(private=True, timeout_s=5) as http:
            uploads = Uploads(tmp_path / "uploads", store, ttl_s=60, max_bytes=1000)
            fetcher = Fetcher(http, uploads, private=True)
            upload = await fetcher.fetch(ANN, f"{root}/a.pdf")
            assert upload.path.read_bytes() == b"%PDF-1.7"
            assert (await uploads.get(ANN, upload.sha256)).size_bytes == 8
            with pytest.raises(NotFound):
                await uploads.get(BOB, upload.sha256)
            with pytest.raises(TooLarge):
                await fetcher.fetch(ANN, f"{root}/large")
            for path in ("moved", "none"):
                with pytest.raises(AgentError):
                    await fetcher.fetch(ANN, f"{root}/{path}")
            with pytest.raises(InvalidParams):
                await Fetcher(http, uploads, private=False).fetch(ANN, f"{root}/a.pdf")
            assert [path.name for path in upload.path.parent.iterdir()] == [upload.sha256]
    finally:
        await runner.cleanup()
