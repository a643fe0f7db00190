"""The table of errors, row by row: what a caller does, and the code, status and reason it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.a2a.failure import jsonrpc_error, status_error
from agent.a2a.incoming import MAX_PARTS
from agent.errors import (
    ContentTypeNotSupported,
    ExtendedCardNotConfigured,
    ExtensionSupportRequired,
    InvalidAgentResponse,
    PushNotificationNotSupported,
    TaskNotCancelable,
    TaskNotFound,
    UnsupportedOperation,
    VersionNotSupported,
)
from tests.a2a.dialects import Client, Dialect, Told

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


async def task_in(client: Client, dialect: Dialect, message_id: str) -> str:
    told = await dialect.call(client, "send", dialect.sending(message_id))
    return str(dialect.task(told.result)["id"])


def check(dialect: Dialect, told: Told, code: int, http: int, reason: str) -> None:
    """One row of the table, as this dialect spells it."""
    if not dialect.rest:
        assert (told.status, told.code) == (200, code)
        if dialect.new:
            info = told.error["data"][0]
            assert (info["@type"], info["reason"], info["domain"]) == (ERROR_INFO, reason, "a2a-protocol.org")
            assert all(isinstance(value, str) for value in info["metadata"].values())
        return
    assert (told.status, told.code) == (http, http)
    info = told.error["details"][0]
    assert (info["@type"], info["reason"], info["domain"]) == (ERROR_INFO, reason, "a2a-protocol.org")
    assert told.error.keys() == {"code", "status", "message", "details"}


@pytest.mark.parametrize("operation", ["get", "cancel", "subscribe"])
async def test_a_task_that_is_not_there_is_not_found(client: Client, dialect: Dialect, operation: str) -> None:
    told = await dialect.call(client, operation, task="none")
    check(dialect, told, -32001, 404, "TASK_NOT_FOUND")


@pytest.mark.parametrize("operation", ["send", "stream"])
async def test_a_message_to_a_task_that_is_not_there_is_not_found(
    client: Client, dialect: Dialect, operation: str
) -> None:
    told = await dialect.call(client, operation, dialect.sending("tck-complete-task-1", taskId="none"))
    check(dialect, told, -32001, 404, "TASK_NOT_FOUND")


async def test_a_task_that_has_ended_is_not_canceled_again(client: Client, dialect: Dialect) -> None:
    ended = await task_in(client, dialect, "tck-complete-task-1")
    check(dialect, await dialect.call(client, "cancel", task=ended), -32002, 400, "TASK_NOT_CANCELABLE")
    canceled = await task_in(client, dialect, "tck-input-required-1")
    await dialect.call(client, "cancel", task=canceled)
    check(dialect, await dialect.call(client, "cancel", task=canceled), -32002, 400, "TASK_NOT_CANCELABLE")


@pytest.mark.parametrize("end", ["tck-complete-task-1", "tck-reject-task-1"])
async def test_a_task_that_has_ended_takes_no_message_and_no_subscriber(
    client: Client, dialect: Dialect, end: str
) -> None:
    ended = await task_in(client, dialect, end)
    more = dialect.sending("tck-complete-task-2", taskId=ended)
    for told in (
        await dialect.call(client, "send", more),
        await dialect.call(client, "stream", more),
        await dialect.call(client, "subscribe", task=ended),
    ):
        check(dialect, told, -32004, 400, "UNSUPPORTED_OPERATION")


async def test_a_file_that_is_no_pdf_is_not_supported(client: Client, dialect: Dialect) -> None:
    part: dict[str, Any] = {"raw": "dGNr", "mediaType": "application/x-unsupported"}
    if not dialect.new:
        name = "fileWithBytes" if dialect.rest else "bytes"
        part = {"file": {name: "dGNr", "mimeType": "application/x-unsupported"}}
        part |= {} if dialect.rest else {"kind": "file"}
    params = {"message": dialect.message("tck-send-003", part)}
    check(dialect, await dialect.call(client, "send", params), -32005, 400, "CONTENT_TYPE_NOT_SUPPORTED")


async def test_a_body_of_another_content_type_is_refused_before_it_is_parsed(client: Client, dialect: Dialect) -> None:
    path = "/" if not dialect.rest else "/message:send" if dialect.new else "/v1/message:send"
    answer = await client.post(
        path, data=b"no JSON", headers={"Content-Type": "text/plain", "A2A-Version": dialect.version}
    )
    error = (await answer.json())["error"]
    assert error["code"] == (400 if dialect.rest else -32005)


@pytest.mark.parametrize(
    ("missing", "field"),
    [("role", "message.role"), ("messageId", "message.messageId"), ("parts", "message.parts"), ("message", "message")],
)
async def test_what_is_missing_is_named(client: Client, dialect: Dialect, missing: str, field: str) -> None:
    params = dialect.sending("bench-1")
    if missing == "message":
        del params["message"]
    else:
        params["message"].pop(missing, None)
        if missing == "parts":
            params["message"].pop("content", None)
    told = await dialect.call(client, "send", params)
    check(dialect, told, -32602, 400, "INVALID_PARAMS")
    if dialect.new or dialect.rest:
        details = told.error["details" if dialect.rest else "data"]
        assert details[1]["@type"] == BAD_REQUEST
        assert details[1]["fieldViolations"][0]["field"] == field


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "ROLE_SYSTEM"},
        {"role": 7},
        {"messageId": 7},
        {"contextId": {}},
        {"metadata": []},
        {"extensions": "one"},
        {"extensions": [1]},
    ],
    ids=str,
)
async def test_what_has_the_wrong_type_is_refused(client: Client, dialect: Dialect, wrong: dict[str, Any]) -> None:
    told = await dialect.call(client, "send", {"message": dialect.message("bench-1") | wrong})
    check(dialect, told, -32602, 400, "INVALID_PARAMS")


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"text": "a", "url": "https://x.example/a.pdf"},
        {"text": 7},
        {"raw": "no base64!"},
        {"raw": "JVBERi0", "data": {}},
        {"kind": "video", "text": "a"},
        {"kind": "file", "file": {}},
        {"kind": "file", "file": {"bytes": "JVBE", "uri": "https://x.example/a.pdf"}},
        {"kind": "data", "data": []},
    ],
    ids=json.dumps,
)
async def test_a_part_holds_exactly_one_content(client: Client, dialect: Dialect, part: dict[str, Any]) -> None:
    told = await dialect.call(client, "send", {"message": dialect.message("bench-1", part)})
    check(dialect, told, -32602, 400, "INVALID_PARAMS")


async def test_a_message_has_so_many_parts_and_no_more(client: Client, dialect: Dialect) -> None:
    part: dict[str, Any] = {"text": "a"} if dialect.new or dialect.rest else {"kind": "text", "text": "a"}
    fits = await dialect.call(client, "send", {"message": dialect.message("bench-1", *[part] * MAX_PARTS)})
    assert fits.error is None
    told = await dialect.call(client, "send", {"message": dialect.message("bench-1", *[part] * (MAX_PARTS + 1))})
    check(dialect, told, -32602, 400, "INVALID_PARAMS")


@pytest.mark.parametrize("length", [-1, 1.5, "many", [], True])
async def test_a_history_length_is_a_whole_number_from_zero(client: Client, dialect: Dialect, length: Any) -> None:
    told = await dialect.call(client, "send", dialect.sending("bench-1", configuration={"historyLength": length}))
    check(dialect, told, -32602, 400, "INVALID_PARAMS")


async def test_a_task_and_another_context_do_not_fit(client: Client, dialect: Dialect) -> None:
    waiting = await task_in(client, dialect, "tck-input-required-1")
    told = await dialect.call(client, "send", dialect.sending("bench-1", taskId=waiting, contextId="another"))
    check(dialect, told, -32602, 400, "INVALID_PARAMS")


@pytest.mark.parametrize(
    "params",
    [
        {"pageSize": 0},
        {"pageSize": 101},
        {"pageSize": "ten"},
        {"status": "TASK_STATE_SLEEPING"},
        {"status": 9},
        {"statusTimestampAfter": "yesterday"},
        {"historyLength": -1},
        {"includeArtifacts": "perhaps"},
        {"pageToken": "AAAA"},
        {"pageToken": "../../etc/passwd"},
    ],
    ids=str,
)
@pytest.mark.parametrize("rest", [False, True])
async def test_a_list_asked_for_wrongly_is_refused(client: Client, rest: bool, params: dict[str, Any]) -> None:
    if rest:
        answer = await client.get("/tasks", params={k: str(v) for k, v in params.items()}, headers={"A2A-Version": "1"})
    else:
        answer = await client.post("/", json={"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": params})
    assert (await answer.json())["error"]["code"] == (400 if rest else -32602)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {}', -32700),
        (b"\xff\xfe", -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b"null", -32600),
        (b'{"id": 1, "method": "GetTask", "params": {"id": "x"}}', -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "GetTask"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "GetTask"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "GetTask"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": []}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": "x"}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "NoSuchMethod"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "sendmessage"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tasks/list"}', -32601),
    ],
)
async def test_a_body_that_is_no_request_is_told_so_with_200(client: Client, body: bytes, code: int) -> None:
    answer = await client.post("/", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 200
    told = await answer.json()
    assert told["error"]["code"] == code
    assert told["jsonrpc"] == "2.0"
    assert "id" in told


@pytest.mark.parametrize("call_id", ["text", 7, 7.5, None, ""])
async def test_an_answer_carries_the_id_of_its_request(client: Client, call_id: Any) -> None:
    answer = await client.post("/", json={"jsonrpc": "2.0", "id": call_id, "method": "GetTask", "params": {"id": "x"}})
    assert (await answer.json())["id"] == call_id


@pytest.mark.parametrize(
    "wrong",
    [{"jsonrpc": "1.0"}, {"jsonrpc": None}, {"method": None}, {"method": 7}, {"method": "NoSuch"}, {"params": []}],
    ids=str,
)
async def test_a_request_that_is_wrong_elsewhere_is_answered_under_its_id(
    client: Client, wrong: dict[str, Any]
) -> None:
    body = {"jsonrpc": "2.0", "id": "mine", "method": "GetTask", "params": {"id": "x"}} | wrong
    answer = await client.post("/", json={name: value for name, value in body.items() if value is not None})
    assert (await answer.json())["id"] == "mine"


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"no JSON", "text/plain", "CONTENT_TYPE_NOT_SUPPORTED"),
        (b"{", "application/json", "PARSE_ERROR"),
        (b"[]", "application/json", "INVALID_REQUEST"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "NoSuchMethod"}', "application/json", "METHOD_NOT_FOUND"),
    ],
)
async def test_an_error_before_the_method_is_known_is_spelled_in_the_version_asked_for(
    client: Client, body: bytes, kind: str, reason: str
) -> None:
    new = await client.post("/", data=body, headers={"Content-Type": kind, "A2A-Version": "1.0"})
    (info,) = (await new.json())["error"]["data"]
    assert (info["@type"], info["reason"], info["domain"]) == (ERROR_INFO, reason, "a2a-protocol.org")
    old = await client.post("/", data=body, headers={"Content-Type": kind})
    assert (await old.json())["error"]["data"].keys() == {"code", "message", "hint", "retryable"}


# The rows that no request of a caller leads to here, in both spellings.
ROWS = [
    (TaskNotFound, -32001, 404, "NOT_FOUND", "TASK_NOT_FOUND"),
    (TaskNotCancelable, -32002, 400, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE"),
    (PushNotificationNotSupported, -32003, 400, "FAILED_PRECONDITION", "PUSH_NOTIFICATION_NOT_SUPPORTED"),
    (UnsupportedOperation, -32004, 400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION"),
    (ContentTypeNotSupported, -32005, 400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED"),
    (InvalidAgentResponse, -32006, 500, "INTERNAL", "INVALID_AGENT_RESPONSE"),
    (ExtendedCardNotConfigured, -32007, 400, "FAILED_PRECONDITION", "EXTENDED_AGENT_CARD_NOT_CONFIGURED"),
    (ExtensionSupportRequired, -32008, 400, "FAILED_PRECONDITION", "EXTENSION_SUPPORT_REQUIRED"),
    (VersionNotSupported, -32009, 400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED"),
]


@pytest.mark.parametrize(("error", "code", "http", "status", "reason"), ROWS)
def test_each_row_of_the_table_is_spelled_for_each_version(
    error: Any, code: int, http: int, status: str, reason: str
) -> None:
    new, rest = jsonrpc_error(error("why"), "1.0"), status_error(error("why"))["error"]
    assert (new["code"], new["message"], new["data"][0]["reason"]) == (code, "why", reason)
    assert (rest["code"], rest["status"], rest["details"][0]["reason"]) == (http, status, reason)
    old = jsonrpc_error(error("why"), "0.3")
    assert old["code"] == (-32603 if code in (-32008, -32009) else code)  # 0.3 knows no such codes


def test_a_fault_of_ours_is_told_without_its_words() -> None:
    secret = RuntimeError("secret")
    told = json.dumps([jsonrpc_error(secret, "1.0"), jsonrpc_error(secret, "0.3"), status_error(secret)])
    assert "secret" not in told
    assert jsonrpc_error(secret, "1.0")["code"] == -32603
    assert status_error(secret)["error"]["code"] == 500
