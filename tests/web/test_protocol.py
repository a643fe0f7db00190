"""The protocol over a real socket: both versions, both bindings, streams, errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.conformance.scripted_agent import scripted_app

Client = TestClient[web.Request, web.Application]
V1 = {"A2A-Version": "1.0"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with scripted_app(tmp_path, "http://127.0.0.1:1") as app, TestClient(TestServer(app)) as opened:
        yield opened


def message(message_id: str, **more: Any) -> dict[str, Any]:
    return {"messageId": message_id, "role": "ROLE_USER", "parts": [{"text": "hello"}], **more}


def old(message_id: str, **more: Any) -> dict[str, Any]:
    parts = [{"kind": "text", "text": "hello"}]
    return {"kind": "message", "messageId": message_id, "role": "user", "parts": parts, **more}


async def call(client: Client, method: str, params: Any) -> Any:
    answer = await client.post("/", json={"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    body = await answer.json()
    assert body["jsonrpc"] == "2.0"
    assert body["id"] == 7
    return body


async def events(client: Client, method: str, params: Any) -> list[Any]:
    answer = await client.post("/", json={"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    assert answer.headers["Content-Type"] == "text/event-stream"
    lines = (await answer.text()).splitlines()
    return [json.loads(line[5:])["result"] for line in lines if line.startswith("data:")]


async def test_send_wraps_the_task_in_1_0_and_not_in_0_3(client: Client) -> None:
    new = (await call(client, "SendMessage", {"message": message("tck-complete-task-1")}))["result"]["task"]
    assert new["status"]["state"] == "TASK_STATE_COMPLETED"
    assert new["status"]["message"]["parts"][0]["text"] == "Hello from TCK"
    params = {"message": old("tck-complete-task-2"), "configuration": {"blocking": True}}
    before = (await call(client, "message/send", params))["result"]
    assert (before["kind"], before["status"]["state"]) == ("task", "completed")


async def test_a_direct_answer_makes_no_task(client: Client) -> None:
    result = (await call(client, "SendMessage", {"message": message("tck-message-response")}))["result"]
    assert result["message"]["parts"][0]["text"] == "Direct message response"
    assert (await call(client, "ListTasks", {}))["result"]["totalSize"] == 0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("text", {"text": "Generated text content"}),
        ("file-url", {"url": "https://example.com/output.txt", "filename": "output.txt", "mediaType": "text/plain"}),
        ("data", {"data": {"key": "value", "count": 42}}),
    ],
)
async def test_artifacts_carry_each_kind_of_part(client: Client, kind: str, expected: dict[str, Any]) -> None:
    task = (await call(client, "SendMessage", {"message": message(f"tck-artifact-{kind}")}))["result"]["task"]
    part = task["artifacts"][0]["parts"][0]
    assert {key: part[key] for key in expected} == expected


async def test_a_stream_of_1_0_begins_with_the_task_and_closes_at_its_end(client: Client) -> None:
    seen = await events(client, "SendStreamingMessage", {"message": message("tck-stream-artifact-chunked")})
    assert "task" in seen[0]
    chunks = [event["artifactUpdate"] for event in seen if "artifactUpdate" in event]
    assert [chunk["artifact"]["parts"][0]["text"] for chunk in chunks] == ["chunk-1 ", "chunk-2"]
    assert chunks[1]["append"]
    assert seen[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"


async def test_a_stream_of_0_3_ends_with_a_final_event(client: Client) -> None:
    seen = await events(client, "message/stream", {"message": old("tck-stream-001")})
    assert seen[0]["kind"] == "task"
    assert [event["final"] for event in seen if event["kind"] == "status-update"][-1] is True


async def test_a_task_that_asks_goes_on_by_its_id_any_number_of_times(client: Client) -> None:
    task = (await call(client, "SendMessage", {"message": message("tck-input-required-a")}))["result"]["task"]
    for _ in range(3):
        again = message("tck-input-required-a", taskId=task["id"])
        task = (await call(client, "SendMessage", {"message": again}))["result"]["task"]
        assert task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    last = message("tck-complete-task-x", taskId=task["id"])
    done = (await call(client, "SendMessage", {"message": last}))["result"]["task"]
    assert done["status"]["state"] == "TASK_STATE_COMPLETED"
    refused = (await call(client, "SendMessage", {"message": last}))["error"]
    assert refused["code"] == -32004


async def test_cancel_ends_a_task_once(client: Client) -> None:
    task = (await call(client, "SendMessage", {"message": message("tck-input-required-b")}))["result"]["task"]
    canceled = (await call(client, "CancelTask", {"id": task["id"]}))["result"]
    assert canceled["status"]["state"] == "TASK_STATE_CANCELED"
    assert (await call(client, "CancelTask", {"id": task["id"]}))["error"]["code"] == -32002
    assert (await call(client, "SubscribeToTask", {"id": task["id"]}))["error"]["code"] == -32004


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("GetTask", {"id": "none"}, -32001),
        ("tasks/get", {"id": "none"}, -32001),
        ("GetTask", {}, -32602),
        ("GetTask", {"id": "x", "historyLength": -1}, -32602),
        ("ListTasks", {"pageSize": 0}, -32602),
        ("ListTasks", {"pageToken": "nonsense"}, -32602),
        ("NoSuchMethod", {}, -32601),
        ("SendMessage", {"message": {"messageId": "a", "role": "ROLE_USER", "parts": []}}, -32602),
        ("message/send", {"message": {"kind": "message", "role": "user", "parts": []}}, -32602),
    ],
)
async def test_each_fault_has_its_code(client: Client, method: str, params: Any, code: int) -> None:
    assert (await call(client, method, params))["error"]["code"] == code


async def test_errors_of_1_0_carry_error_info(client: Client) -> None:
    error = (await call(client, "GetTask", {"id": "none"}))["error"]
    info = error["data"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert (info["reason"], info["domain"]) == ("TASK_NOT_FOUND", "a2a-protocol.org")


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [(b"{", "application/json", -32700), (b"[]", "application/json", -32600), (b"hello", "text/plain", -32005)],
)
async def test_a_body_that_is_no_request_is_told_so(client: Client, body: bytes, content_type: str, code: int) -> None:
    answer = await client.post("/", data=body, headers={"Content-Type": content_type})
    assert (await answer.json())["error"]["code"] == code


async def test_rest_of_1_0(client: Client) -> None:
    sent = await client.post("/message:send", json={"message": message("tck-complete-task-r")}, headers=V1)
    task = (await sent.json())["task"]
    got = await client.get(f"/tasks/{task['id']}", headers=V1)
    assert (await got.json())["id"] == task["id"]
    listed = await (await client.get("/tasks?pageSize=1", headers=V1)).json()
    assert (len(listed["tasks"]), listed["totalSize"], listed["nextPageToken"]) == (1, 1, "")
    missing = await client.get("/tasks/none", headers=V1)
    assert missing.status == 404
    assert (await missing.json())["error"]["details"][0]["reason"] == "TASK_NOT_FOUND"


async def test_a_1_0_path_without_its_version_is_refused(client: Client) -> None:
    answer = await client.get("/tasks")
    assert answer.status == 400
    assert (await answer.json())["error"]["details"][0]["reason"] == "VERSION_NOT_SUPPORTED"


async def test_lists_page_by_an_opaque_cursor_without_loss_or_repetition(client: Client) -> None:
    for number in range(7):
        await call(client, "SendMessage", {"message": message(f"tck-complete-task-{number}")})
    seen: list[str] = []
    token = ""
    while True:
        params = {"pageSize": 3} | ({"pageToken": token} if token else {})
        page = (await call(client, "ListTasks", params))["result"]
        assert page["totalSize"] == 7
        seen += [task["id"] for task in page["tasks"]]
        token = page["nextPageToken"]
        if not token:
            break
    assert len(seen) == len(set(seen)) == 7


async def test_the_card_is_one_for_both_versions_and_can_be_cached(client: Client) -> None:
    answer = await client.get("/.well-known/agent-card.json")
    card = await answer.json()
    assert card["protocolVersion"] == "0.3.0"
    assert card["supportedInterfaces"][0]["protocolVersion"] == "1.0"
    assert "max-age" in answer.headers["Cache-Control"]
    again = await client.get("/.well-known/agent.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304
    pure = await (await client.get("/a2a/v1/.well-known/agent-card.json")).json()
    assert "url" not in pure


@pytest.mark.parametrize("asked", ["9.9", "99.0", "0.9", "10.0"])
@pytest.mark.parametrize(("method", "code"), [("GetTask", -32009), ("tasks/get", -32603)])
async def test_an_unknown_version_is_refused_in_the_words_of_the_method(
    client: Client, asked: str, method: str, code: int
) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"id": "x"}}
    answer = await client.post("/", json=body, headers={"A2A-Version": asked})
    assert (await answer.json())["error"]["code"] == code


@pytest.mark.parametrize(
    ("prefix", "config"),
    [
        ("", {"id": "CONFIG", "url": "http://127.0.0.1:9/"}),
        ("/v1", {"config": {"pushNotificationConfig": {"id": "CONFIG", "url": "http://127.0.0.1:9/"}}}),
    ],
)
async def test_each_webhook_made_over_rest_keeps_its_own_id(client: Client, prefix: str, config: Any) -> None:
    task = (await call(client, "SendMessage", {"message": message("tck-input-required-1")}))["result"]["task"]
    headers = {"A2A-Version": "0.3"} if prefix else V1
    path = f"{prefix}/tasks/{task['id']}/pushNotificationConfigs"
    for name in ("one", "two"):
        body = json.loads(json.dumps(config).replace("CONFIG", name))
        assert (await client.post(path, json=body, headers=headers)).status == 200
    found = (await call(client, "ListTaskPushNotificationConfigs", {"taskId": task["id"]}))["result"]["configs"]
    assert sorted(one["id"] for one in found) == ["one", "two"]


async def test_a_0_3_stream_ends_where_a_credential_is_needed(client: Client) -> None:
    told = await events(client, "message/stream", {"message": old("locked-1")})
    assert (told[-1]["status"]["state"], told[-1]["final"]) == ("auth-required", True)


async def test_the_rest_of_0_3_lies_below_the_url_of_the_card(client: Client) -> None:
    card = await (await client.get("/.well-known/agent-card.json")).json()
    assert not card["url"].endswith("/")


@pytest.mark.parametrize("levels", [90, 240, 900, 5000])
async def test_json_that_is_nested_too_deep_is_refused_and_spoils_no_list(client: Client, levels: int) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "SendMessage", "params": {"message": message("bench-1")}})
    body = body.replace('{"text": "hello"}', '{"data": ' + "[" * levels + "]" * levels + "}")
    answer = await (await client.post("/", data=body, headers={"Content-Type": "application/json"})).json()
    assert answer.get("error", {}).get("code") in ((None,) if levels == 90 else (-32600, -32700))
    assert "result" in await call(client, "ListTasks", {})
    part = json.loads(body)["params"] if levels < 900 else None
    if part is not None:
        rest = await client.post("/message:send", json=part, headers=V1)
        assert rest.status == (200 if levels == 90 else 400)
