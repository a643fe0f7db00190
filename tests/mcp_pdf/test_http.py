"""Streamable HTTP: the token and the Host name are checked before anything else, and tools answer."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mcp_pdf.hostile import GOOD
from tests.mcp_pdf.serving import serving_http

TOKEN = "letmein"
PING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    directory: Path = tmp_path_factory.mktemp("http")
    (directory / "good.pdf").write_bytes(GOOD)
    with serving_http(directory, MCP_PDF_TOKEN=TOKEN) as url:
        yield int(url.rsplit(":", 1)[1].removesuffix("/mcp"))


def post(port: int, *, token: str | None = TOKEN, host: str | None = None) -> tuple[int, str]:
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    headers["host"] = host or f"127.0.0.1:{port}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", "/mcp", json.dumps(PING), headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("token", [None, "", "wrong", "letmein2"])
def test_a_request_without_the_token_is_unauthenticated(port: int, token: str | None) -> None:
    assert post(port, token=token)[0] == 401


def test_a_foreign_host_name_is_refused(port: int) -> None:
    assert post(port, host="evil.example")[0] in {403, 421}


def test_a_request_with_the_token_is_served(port: int) -> None:
    status, body = post(port)
    assert status == 200
    assert "mcp_pdf" in body
