"""Whatever is sent to whatever endpoint: a protocol's error or a protocol's answer, never a fault of ours."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import WIRE
from tests.a2a.dialects import DIALECTS, OPERATIONS, Client, Dialect
from tests.conformance.scripted_agent import scripted_app

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["ROLE_USER", "user", "", "0", "\x00", "\ud83d\ude00", "TASK_STATE_WORKING", 2**63, -(2**70), 1e308]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
METHODS = [name for new, old, _, _ in OPERATIONS.values() for name in (new, old)] + ["ListTasks"]
CODES = {row.jsonrpc for row in WIRE.values()} - {-32603}
PATHS = sorted(
    {
        base + path.format(task="x", config="y")
        for _, _, verb, path in OPERATIONS.values()
        if verb == "POST"
        for base in ("", "/a2a/v1", "/v1")
    }
)
QUERY = ("pageSize", "pageToken", "status", "historyLength", "contextId", "includeArtifacts", "statusTimestampAfter")
HEADERS = ("A2A-Version", "A2A-Extensions", "Last-Event-ID", "Idempotency-Key", "X-Request-Id", "Accept")
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with scripted_app(tmp_path, "http://127.0.0.1:1") as app, TestClient(TestServer(app)) as opened:
        yield opened


async def told(answer: ClientResponse) -> Any:
    """The answer's JSON, or that of the last event of a stream; anything else fails."""
    text = await answer.text()
    if answer.headers["Content-Type"] == "text/event-stream":
        return json.loads(text.strip().rpartition("data: ")[2])
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(text)


async def check_jsonrpc(client: Client, body: Any, **headers: str) -> None:
    answer = await client.post("/", json=body, headers=headers)
    assert answer.status == 200
    found = await told(answer)
    assert found["jsonrpc"] == "2.0"
    if "error" in found:
        assert found["error"]["code"] in CODES
        assert found["error"]["message"]


async def check_rest(client: Client, path: str, body: Any) -> None:
    version = "0.3" if path.startswith("/v1") else "1.0"
    answer = await client.post(path, json=body, headers={"A2A-Version": version})
    found = await told(answer)
    assert answer.status in (200, 400, 404)
    if answer.status != 200:
        assert found["error"]["code"] == answer.status


@quick
@given(method=st.sampled_from(METHODS) | st.text(max_size=10), params=JSON)
async def test_any_parameters_of_any_method(client: Client, method: str, params: Any) -> None:
    await check_jsonrpc(client, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


@quick
@given(body=JSON)
async def test_any_body(client: Client, body: Any) -> None:
    await check_jsonrpc(client, body)


@quick
@given(body=JSON, path=st.sampled_from(PATHS))
async def test_any_body_at_any_path(client: Client, body: Any, path: str) -> None:
    await check_rest(client, path, body)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every place in it."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(deeper for key in keys for deeper in places(value[key], (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    value = copy.deepcopy(value)
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return value


def whole(dialect: Dialect) -> dict[str, Any]:
    """A send that uses every field there is."""
    webhook = {"url": "http://127.0.0.1:9/", "id": "a", "token": "t", "authentication": {"scheme": "Bearer"}}
    name = "taskPushNotificationConfig" if dialect.new else "pushNotificationConfig"
    configuration = {"historyLength": 1, "acceptedOutputModes": ["text/plain"], name: webhook}
    more: dict[str, Any] = {"contextId": "c", "metadata": {"a": 1}, "extensions": ["e"], "referenceTaskIds": ["r"]}
    return dialect.sending("bench-1", configuration=configuration, **more) | {"metadata": {"b": 2}}


@pytest.mark.parametrize("sending", DIALECTS, ids=str)
@quick
@given(data=st.data(), wrong=JSON, streams=st.booleans())
async def test_a_good_request_with_one_thing_replaced(
    client: Client, sending: Dialect, data: st.DataObject, wrong: Any, streams: bool
) -> None:
    good = whole(sending)
    params = replaced(good, data.draw(st.sampled_from(places(good))), wrong)
    operation = "stream" if streams else "send"
    method, old_method, _, path = OPERATIONS[operation]
    if sending.rest:
        await check_rest(client, path if sending.new else f"/v1{path}", params)
        return
    name = method if sending.new else old_method
    await check_jsonrpc(client, {"jsonrpc": "2.0", "id": 1, "method": name, "params": params})


@quick
@given(
    query=st.dictionaries(
        st.sampled_from(
            [
                "pageSize",
                "pageToken",
                "status",
                "historyLength",
                "contextId",
                "includeArtifacts",
                "statusTimestampAfter",
            ]
        ),
        st.text(max_size=12) | st.integers().map(str),
        max_size=3,
    )
)
async def test_any_query_of_a_list(client: Client, query: dict[str, str]) -> None:
    answer = await client.get("/tasks", params=query, headers={"A2A-Version": "1.0"})
    assert answer.status in (200, 400)


header = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@quick
@given(
    headers=st.dictionaries(
        st.sampled_from(HEADERS),
        header,
        max_size=4,
    ),
    streams=st.booleans(),
)
async def test_any_headers(client: Client, headers: dict[str, str], streams: bool) -> None:
    dialect = DIALECTS[0]
    method = OPERATIONS["stream" if streams else "send"][0]
    await check_jsonrpc(
        client, {"jsonrpc": "2.0", "id": 1, "method": method, "params": dialect.sending("bench-1")}, **headers
    )
