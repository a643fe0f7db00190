"""Every operation in every dialect: what goes in, what comes out, and what may not."""

from __future__ import annotations

from typing import Any

import pytest

from agent.a2a import operations as ops
from tests.a2a.dialects import DIALECTS, OPERATIONS, Client, Dialect

WEBHOOK = "http://127.0.0.1:9/hook"


async def sent(client: Client, dialect: Dialect, message_id: str, **more: Any) -> dict[str, Any]:
    told = await dialect.call(client, "send", dialect.sending(message_id, **more))
    assert told.error is None, told.error
    return dialect.task(told.result)


def test_the_table_of_the_service_is_that_of_the_standard() -> None:
    ours = {
        operation.name: (operation.v1, operation.v03, *sorted((r.verb, r.path) for r in operation.rest_v1)[-1:][0])
        for operation in ops.OPERATIONS
        if operation.name != "list"
    }
    theirs = {
        name: (new, old, verb, path.format(task="{id}", config="{config}"))
        for name, (new, old, verb, path) in OPERATIONS.items()
    }
    assert ours == theirs


async def test_send_gives_the_task_with_its_ids_status_and_message(client: Client, dialect: Dialect) -> None:
    task = await sent(client, dialect, "tck-complete-task-1")
    assert task["id"]
    assert task["contextId"]
    assert dialect.state(task) == "COMPLETED"
    assert dialect.text(task["status"]["message"]) == "Hello from TCK"
    assert task["status"]["timestamp"].endswith("Z")
    assert task["history"][0]["messageId"] == "tck-complete-task-1"


async def test_get_gives_what_was_sent(client: Client, dialect: Dialect) -> None:
    task = await sent(client, dialect, "tck-artifact-text-1")
    told = await dialect.call(client, "get", task=task["id"])
    assert told.result["id"] == task["id"]
    assert dialect.text(told.result["artifacts"][0]) == "Generated text content"


async def test_cancel_gives_the_canceled_task(client: Client, dialect: Dialect) -> None:
    task = await sent(client, dialect, "tck-input-required-1")
    told = await dialect.call(client, "cancel", task=task["id"])
    assert dialect.state(told.result) == "CANCELED"
    spelled = told.result["status"]["state"]
    assert (
        spelled
        == {
            "1.0-jsonrpc": "TASK_STATE_CANCELED",
            "1.0-rest": "TASK_STATE_CANCELED",
            "0.3-jsonrpc": "canceled",
            "0.3-rest": "TASK_STATE_CANCELLED",  # the 0.3 proto has two L
        }[str(dialect)]
    )


async def test_a_send_that_does_not_wait_gives_the_running_task(client: Client, dialect: Dialect) -> None:
    task = await sent(client, dialect, "tck-delayed-complete-1", waits=False)
    assert dialect.state(task) in ("SUBMITTED", "WORKING")
    await dialect.call(client, "cancel", task=task["id"])


async def test_a_send_that_waits_gives_the_ended_task(client: Client, dialect: Dialect) -> None:
    task = await sent(client, dialect, "tck-delayed-complete-1")
    assert dialect.text(task["status"]["message"]) == "Done after delay"


async def test_a_webhook_is_made_found_listed_and_removed(client: Client, dialect: Dialect) -> None:
    task = await sent(client, dialect, "tck-input-required-1")
    made = await dialect.call(client, "push_create", dialect.webhook(WEBHOOK, "hook-1"), task=task["id"])
    assert made.error is None, made.error
    got = await dialect.call(client, "push_get", task=task["id"], config="hook-1")
    assert got.result == made.result
    assert WEBHOOK in str(got.result)
    listed = (await dialect.call(client, "push_list", task=task["id"])).result
    assert (listed if isinstance(listed, list) else listed["configs"]) == [made.result]
    for _ in range(2):  # removing it twice is no error
        removed = await dialect.call(client, "push_delete", task=task["id"], config="hook-1")
        assert removed.error is None
        assert removed.result == (None if str(dialect) == "0.3-jsonrpc" else {})
    gone = await dialect.call(client, "push_get", task=task["id"], config="hook-1")
    assert gone.code == (404 if dialect.rest else -32001)


async def test_a_webhook_comes_with_the_scheme_in_the_shape_of_its_version(client: Client, dialect: Dialect) -> None:
    shape = {"scheme": "Bearer", "credentials": "c"} if dialect.new else {"schemes": ["Bearer"], "credentials": "c"}
    task = await sent(client, dialect, "tck-input-required-1")
    params = dialect.webhook(WEBHOOK, "hook-1", authentication=shape, token="t")
    made = (await dialect.call(client, "push_create", params, task=task["id"])).result
    told = made if dialect.new else made["pushNotificationConfig"]
    assert (told["authentication"], told["token"]) == (shape, "t")


async def test_a_webhook_of_a_task_that_is_not_there_is_not_found(client: Client, dialect: Dialect) -> None:
    for operation in ("push_create", "push_get", "push_list", "push_delete"):
        params = dialect.webhook(WEBHOOK, "x") if operation == "push_create" else None
        where = {"task": "none"} | ({"config": "x"} if operation in ("push_get", "push_delete") else {})
        told = await dialect.call(client, operation, params, **where)
        assert told.code == (404 if dialect.rest else -32001), operation


async def test_0_3_finds_a_webhook_without_naming_it(client: Client) -> None:
    dialect = Dialect("0.3", rest=False)
    task = await sent(client, dialect, "tck-input-required-1")
    made = await dialect.call(client, "push_create", dialect.webhook(WEBHOOK, "hook-1"), task=task["id"])
    got = await dialect.call(client, "push_get", task=task["id"])
    assert got.result == made.result


async def test_a_webhook_made_again_under_its_id_replaces_the_first(client: Client, dialect: Dialect) -> None:
    task = await sent(client, dialect, "tck-input-required-1")
    for url in (WEBHOOK, WEBHOOK + "2"):
        await dialect.call(client, "push_create", dialect.webhook(url, "hook-1"), task=task["id"])
    listed = (await dialect.call(client, "push_list", task=task["id"])).result
    (kept,) = listed if isinstance(listed, list) else listed["configs"]
    assert f"{WEBHOOK}2" in str(kept)


async def test_the_extended_card_is_the_card_of_a_known_caller(client: Client, dialect: Dialect) -> None:
    told = await dialect.call(client, "extended_card")
    assert told.result["name"] == "Document Extraction Agent"


async def test_0_3_has_no_list(client: Client) -> None:
    answer = await client.post("/", json={"jsonrpc": "2.0", "id": 1, "method": "tasks/list", "params": {}})
    assert (await answer.json())["error"]["code"] == -32601
    assert (await client.get("/v1/tasks")).status == 404


@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize("base", ["", "/v1"])
async def test_a_subscription_over_rest_opens_by_get_and_by_post(client: Client, verb: str, base: str) -> None:
    dialect = Dialect("0.3" if base else "1.0", rest=True)
    task = await sent(client, dialect, "tck-delayed-complete-1", waits=False)
    headers = {"A2A-Version": dialect.version}
    answer = await client.request(verb, f"{base}/tasks/{task['id']}:subscribe", headers=headers)
    assert answer.headers["Content-Type"] == "text/event-stream"
    await answer.text()


@pytest.mark.parametrize("new", [d for d in DIALECTS if d.new], ids=str)
@pytest.mark.parametrize("old", [d for d in DIALECTS if not d.new], ids=str)
async def test_a_task_of_one_version_is_read_and_ended_over_the_other(
    client: Client, new: Dialect, old: Dialect
) -> None:
    made = await sent(client, old, "tck-input-required-1")
    assert new.state((await new.call(client, "get", task=made["id"])).result) == "INPUT_REQUIRED"
    follow = new.sending("tck-complete-task-2", taskId=made["id"])
    ended = new.task((await new.call(client, "send", follow)).result)
    assert new.state(ended) == "COMPLETED"
    assert old.state((await old.call(client, "get", task=made["id"])).result) == "COMPLETED"


async def test_the_interface_below_a2a_v1_is_the_same_service(client: Client) -> None:
    dialect = Dialect("1.0", rest=True)
    task = await sent(client, dialect, "tck-complete-task-1")
    got = await client.get(f"/a2a/v1/tasks/{task['id']}", headers={"A2A-Version": "1.0"})
    body = {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": task["id"]}}
    for path in ("/a2a/v1", "/a2a/v1/"):
        assert (await (await client.post(path, json=body)).json())["result"] == await got.json()
