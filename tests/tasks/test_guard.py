from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent import guard
from agent.errors import InvalidParams

REFUSED = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "192.0.0.1",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::7f00:1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_inside_addresses_are_refused(address: str) -> None:
    assert not guard.allowed(address, private=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_pass(address: str) -> None:
    assert guard.allowed(address, private=False)


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "100.100.100.200"])
def test_metadata_addresses_are_refused_even_with_private_networks_open(address: str) -> None:
    assert not guard.allowed(address, private=True)


@pytest.mark.parametrize(
    "url",
    ["ftp://a/", "http://u:p@a/", "http://", "http://a\r\nb/", "http://127.0.0.1/", "http://[::1]/", "http://a:x/"],
)
def test_urls_that_cannot_be_dialled_are_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidParams):
        guard.check_url(url, private=False)


async def test_a_name_is_judged_by_the_address_it_leads_to() -> None:
    import aiohttp
    from aiohttp import web

    app = web.Application()
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        for host in ("localhost", "127.0.0.1"):
            async with guard.session(private=False, timeout_s=5) as session:
                with pytest.raises(aiohttp.ClientConnectorError):
                    await session.get(f"http://{host}:{port}/")
        async with guard.session(private=True, timeout_s=5) as session, session.get(f"http://127.0.0.1:{port}/") as got:
            assert got.status == 404
    finally:
        await runner.cleanup()


async def test_names_are_resolved_though_every_thread_of_the_loop_is_held() -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    freed, loop = threading.Event(), asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    held = loop.run_in_executor(None, freed.wait)
    try:
        async with (
            TestServer(app) as server,
            guard.session(private=True, timeout_s=20) as http,
            http.get(f"http://localhost:{server.port}/", allow_redirects=False) as answer,
        ):
            assert await answer.text() == "hello"
    finally:
        freed.set()
        await held
