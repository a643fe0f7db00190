"""What every answer's header says, and which versions and extensions a request's may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from agent.a2a.card import EXTENSIONS
from agent.web.answers import SECURITY_HEADERS
from tests.conformance.scripted_agent import scripted_app

Client = TestClient[web.Request, web.Application]
REPLAY = "urn:document-extraction-agent:event-replay:v1"
MESSAGE = {"messageId": "bench-1", "role": "ROLE_USER", "parts": [{"text": "hello"}]}
OLD = {"kind": "message", "messageId": "bench-1", "role": "user", "parts": [{"kind": "text", "text": "hello"}]}

# Each way to send: path, body, the version it speaks.
WAYS: dict[str, tuple[str, dict[str, Any], str]] = {
    "jsonrpc": ("/", {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": MESSAGE}}, "1.0"),
    "jsonrpc stream": (
        "/",
        {"jsonrpc": "2.0", "id": 1, "method": "SendStreamingMessage", "params": {"message": MESSAGE}},
        "1.0",
    ),
    "old jsonrpc": ("/", {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": OLD}}, "0.3"),
    "rest": ("/message:send", {"message": MESSAGE}, "1.0"),
    "rest stream": ("/message:stream", {"message": MESSAGE}, "1.0"),
    "old rest": ("/v1/message:send", {"message": OLD}, "0.3"),
    "old rest stream": ("/v1/message:stream", {"message": OLD}, "0.3"),
}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with scripted_app(tmp_path, "http://127.0.0.1:1") as app, TestClient(TestServer(app)) as opened:
        yield opened


async def send(client: Client, way: str, **headers: str) -> ClientResponse:
    path, body, version = WAYS[way]
    return await client.post(path, json=body, headers={"A2A-Version": version} | headers)


@pytest.mark.parametrize("name", ["A2A-Extensions", "X-A2A-Extensions"])
@pytest.mark.parametrize("way", WAYS)
async def test_active_extensions_are_echoed_under_the_name_they_were_asked_by(
    client: Client, way: str, name: str
) -> None:
    answer = await send(client, way, **{name: f"https://elsewhere.example/v1, {REPLAY} ,{REPLAY}"})
    assert answer.status == 200
    assert answer.headers.getall(name) == [REPLAY]
    assert ({"A2A-Extensions", "X-A2A-Extensions"} - {name}).isdisjoint(answer.headers)


async def test_all_extensions_that_are_asked_for_are_echoed(client: Client) -> None:
    answer = await send(client, "jsonrpc", **{"A2A-Extensions": ",".join(EXTENSIONS)})
    assert len(answer.headers["A2A-Extensions"].split(", ")) == len(EXTENSIONS) - 1  # nothing is signed here


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_names_its_version_and_no_extension_unasked(client: Client, way: str) -> None:
    answer = await send(client, way)
    assert answer.headers["A2A-Version"] == WAYS[way][2]
    assert "A2A-Extensions" not in answer.headers


@pytest.mark.parametrize("way", WAYS)
async def test_streams_too_carry_the_request_id_and_the_security_headers(client: Client, way: str) -> None:
    answer = await send(client, way, **{"X-Request-Id": "mine-1"})
    assert answer.headers["X-Request-Id"] == "mine-1"
    assert answer.headers.items() >= SECURITY_HEADERS.items()


@pytest.mark.parametrize("given", ["two words", "x" * 129, "ünïcode; drop", ""])
async def test_a_request_id_that_is_no_plain_word_is_replaced(client: Client, given: str) -> None:
    answer = await send(client, "rest stream", **{"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] not in (given, "")


@pytest.mark.parametrize(
    ("way", "asked", "fits"),
    [
        ("rest", "1.0", True),
        ("rest", "1.0.3", True),  # a patch is no other version
        ("rest", "1.1", True),
        ("rest", "0.3", False),
        ("rest", "", False),  # none means 0.3
        ("rest", "11.0", False),
        ("old rest", "0.3", True),
        ("old rest", "0.3.0", True),
        ("old rest", "", True),
        ("old rest", "0.2", False),
        ("old rest", "0.30", False),
        ("old rest", "0", False),
        ("old rest", "1.0", False),
        ("jsonrpc", "", True),  # the method's name tells
        ("jsonrpc", "0.2", False),
        ("jsonrpc", "2.0", False),
        ("old jsonrpc", "0.2.5", False),
    ],
)
async def test_versions_that_are_spoken_and_those_that_are_not(
    client: Client, way: str, asked: str, fits: bool
) -> None:
    answer = await send(client, way, **{"A2A-Version": asked})
    assert ("error" not in await answer.json()) is fits


async def test_the_version_may_stand_in_the_query(client: Client) -> None:
    answer = await client.get("/tasks?A2A-Version=1.0")
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/tasks", "/extendedAgentCard"])
async def test_what_belongs_to_a_caller_is_kept_by_no_cache(client: Client, path: str) -> None:
    answer = await client.get(path, headers={"A2A-Version": "1.0"})
    assert answer.headers["Cache-Control"] == "private, no-store"
