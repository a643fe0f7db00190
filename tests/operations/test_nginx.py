"""The shipped nginx configuration, run by a real nginx in front of real services."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.cli.lifetime import KEEPALIVE_S
from agent.config import Config
from agent.settings import seconds
from tests.operations.nginx_server import SHIPPED, NginxServer, nginx_server
from tests.service import Service

SWITCHES = 10
CLIENTS = 8
CONFIG = "\n".join(path.read_text(encoding="ascii") for path in sorted(SHIPPED.glob("*.conf")))


def given(directive: str) -> list[str]:
    return re.findall(rf"^\s*{directive} ([^;]+);", CONFIG, re.MULTILINE)


def test_the_body_limit_is_the_services_own() -> None:
    assert [int(size) for size in given("client_max_body_size")] == [Config.from_env({}).max_body_bytes]


def test_the_proxy_waits_longer_than_the_service_lets_anybody_wait() -> None:
    config = Config.from_env({})
    assert all(seconds(time) > config.request_timeout_s for time in given("proxy_read_timeout"))
    assert seconds(given("worker_shutdown_timeout")[0]) > config.task_timeout_s


def test_idle_connections_to_an_agent_are_closed_by_the_proxy_first() -> None:
    text = (SHIPPED / "upstream-blue.conf").read_text(encoding="ascii")
    assert all(seconds(time) < KEEPALIVE_S for time in re.findall(r"keepalive_timeout (\w+);", text))


def test_the_rate_is_the_services_own() -> None:
    rate = re.search(r"zone=requests:\w+ rate=(\d+)r/m", CONFIG)
    assert rate is not None
    assert f"{rate[1]}/minute" == Config.from_env({}).rate_limit


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, colours: dict[str, Service]) -> Iterator[NginxServer]:
    ports = {colour: [service.port] for colour, service in colours.items()}
    with nginx_server(tmp_path_factory.mktemp("nginx"), ports) as server:
        yield server


@pytest.fixture
async def caller(door: NginxServer, key: tuple[str, Path]) -> Any:
    headers = {"Authorization": f"Bearer {key[0]}", "A2A-Version": "1.0"}
    connector = aiohttp.TCPConnector(ssl=door.trusting, limit=0)
    async with aiohttp.ClientSession(door.url, headers=headers, connector=connector) as session:
        yield session


def call(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def message(text: str) -> dict[str, Any]:
    return {"message": {"messageId": text, "role": "ROLE_USER", "parts": [{"text": text}]}}


async def test_an_extraction_goes_through_tls(caller: aiohttp.ClientSession) -> None:
    body = call("SendMessage", **message("Extract the total from invoice.pdf"))
    async with caller.post("/", json=body) as answer:
        assert "1190.00" in await answer.text()


@pytest.mark.parametrize("path", ["/metrics", "/health", "/health/ready", "/admin/memory", "/admin"])
async def test_what_is_for_operators_is_not_public(caller: aiohttp.ClientSession, path: str) -> None:
    async with caller.get(path) as answer:
        assert answer.status == 404


async def test_a_body_beyond_the_limit_is_refused_by_the_proxy(caller: aiohttp.ClientSession) -> None:
    size = Config.from_env({}).max_body_bytes + 1
    async with caller.post("/", data=b"x", headers={"Content-Length": str(size)}, expect100=True) as answer:
        assert answer.status == 413


async def test_a_request_id_is_handed_on_and_a_bad_one_replaced(caller: aiohttp.ClientSession) -> None:
    async with caller.get("/.well-known/agent-card.json", headers={"X-Request-Id": "mine-1"}) as answer:
        assert answer.headers["X-Request-Id"] == "mine-1"
    async with caller.get("/.well-known/agent-card.json", headers={"X-Request-Id": "not mine!"}) as answer:
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


async def test_plain_http_is_sent_to_https(door: NginxServer) -> None:
    plain = f"http://127.0.0.1:{door.plain_port}/x"
    async with aiohttp.ClientSession() as session, session.get(plain, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "https://127.0.0.1/x")


def test_tls_below_1_2_is_refused(door: NginxServer) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", door.tls_port)) as line, pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(line)


async def test_ten_switches_of_colour_fail_no_post_and_lose_no_event(
    door: NginxServer, caller: aiohttp.ClientSession, colours: dict[str, Service]
) -> None:
    ended, failures, served = asyncio.Event(), [], asyncio.Semaphore(0)

    async def client() -> None:
        while not ended.is_set():
            try:
                async with caller.post("/", json=call("ListTasks", pageSize=1)) as answer:
                    if "result" not in await answer.json():
                        failures.append(str(answer.status))
            except aiohttp.ClientError as fault:
                failures.append(repr(fault))
            served.release()

    async def stream() -> list[str]:
        body = call("SendStreamingMessage", **message("Extract everything from invoice.pdf"))
        async with caller.post("/", json=body) as answer:
            lines = [line async for line in answer.content]
        events = [json.loads(line[5:])["result"] for line in lines if line.startswith(b"data:")]
        return [event["statusUpdate"]["status"]["state"] for event in events if "statusUpdate" in event]

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())
        streams = []
        for number in range(SWITCHES):
            streams.append(group.create_task(stream()))
            await asyncio.to_thread(door.switch, ("green", "blue")[number % 2])
            for _ in range(20 * CLIENTS):  # each colour serves a while before the next switch
                await served.acquire()
        ended.set()
    assert failures == []
    assert [states.result()[-1] for states in streams] == ["TASK_STATE_COMPLETED"] * SWITCHES
    assert all(service.get("/health")[0] == 200 for service in colours.values())


def test_a_broken_colour_changes_nothing(door: NginxServer) -> None:
    before = (door.directory / "upstream.conf").read_text(encoding="ascii")
    (door.directory / "upstream-red.conf").write_text("upstream agents { nonsense; }", encoding="ascii")
    with pytest.raises(subprocess.CalledProcessError):
        door.switch("red")
    assert (door.directory / "upstream.conf").read_text(encoding="ascii") == before
