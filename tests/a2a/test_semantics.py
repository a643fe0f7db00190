"""What operations mean: history, contexts, turns, lists, repeated sends, references between tasks."""

from __future__ import annotations

from typing import Any

import pytest

from agent.a2a.v1 import V1
from tests.a2a.dialects import Client, Dialect, Json, Told

NEW = Dialect("1.0", rest=False)
RAW = {"A2A-Version": "1.0"}


async def send(client: Client, dialect: Dialect, message_id: str, **more: Any) -> Json:
    told = await dialect.call(client, "send", dialect.sending(message_id, **more))
    assert told.error is None, told.error
    return dialect.task(told.result)


async def listed(client: Client, **params: Any) -> Json:
    answer = await client.post("/", json={"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": params})
    result: Json = (await answer.json())["result"]
    return result


async def test_history_is_whole_unless_a_length_is_asked_for(client: Client, dialect: Dialect) -> None:
    task = await send(client, dialect, "tck-input-required-1")
    task = await send(client, dialect, "tck-input-required-1", taskId=task["id"])
    task = await send(client, dialect, "tck-complete-task-1", taskId=task["id"])
    said = [message["messageId"] for message in task["history"] if "user" in message["role"].lower()]
    assert said == ["tck-input-required-1", "tck-input-required-1", "tck-complete-task-1"]  # equal ids are kept
    asked = [message for message in task["history"] if "agent" in message["role"].lower()]
    assert [dialect.text(message) for message in asked] == ["Please go on"] * 2  # superseded status messages
    for length, kept in ((0, 0), (1, 1), (3, 3), (99, 5)):
        path = f"{'' if dialect.new else '/v1'}/tasks/{task['id']}?historyLength={length}"
        if dialect.rest:
            found = await (await client.get(path, headers={"A2A-Version": dialect.version})).json()
        else:
            found = (await dialect.call(client, "get", {"historyLength": length}, task=task["id"])).result
        assert len(found.get("history", [])) == kept
        assert kept or "history" not in found
        assert found.get("history", [])[-1:] == task["history"][-1:] * bool(kept)


async def test_the_length_of_history_counts_for_a_send_and_for_the_task_of_a_stream(
    client: Client, dialect: Dialect
) -> None:
    task = await send(client, dialect, "tck-input-required-1")
    more = dialect.sending("tck-input-required-1", taskId=task["id"], configuration={"historyLength": 0})
    assert "history" not in dialect.task((await dialect.call(client, "send", more)).result)
    _, first = (await dialect.events(client, "stream", more))[0]
    assert "history" not in dialect.task(first)


async def test_the_sdk_of_0_3_spells_the_length_in_snake_case(client: Client) -> None:
    task = await send(client, NEW, "tck-complete-task-1")
    answer = await client.get(f"/v1/tasks/{task['id']}?history_length=0")
    assert "history" not in await answer.json()


async def test_a_context_is_made_kept_and_inferred(client: Client, dialect: Dialect) -> None:
    made = await send(client, dialect, "tck-input-required-1")
    assert made["contextId"]
    again = await send(client, dialect, "tck-input-required-2", taskId=made["id"])
    assert again["contextId"] == made["contextId"]
    own = await send(client, dialect, "tck-complete-task-1", contextId="my-context")
    assert own["contextId"] == "my-context"


async def test_nothing_is_taken_for_a_repetition_by_its_message_id(client: Client, dialect: Dialect) -> None:
    tasks = [await send(client, dialect, "tck-complete-task-same") for _ in range(3)]
    assert len({task["id"] for task in tasks}) == 3


async def test_unset_waiting_of_0_3_answers_the_running_task_after_a_moment(client: Client) -> None:
    dialect = Dialect("0.3", rest=False)
    told = await dialect.call(client, "send", {"message": dialect.message("test-resubscribe-message-id-1")})
    assert dialect.state(dialect.task(told.result)) == "WORKING"
    await dialect.call(client, "cancel", task=told.result["id"])


async def test_unset_waiting_of_1_0_waits(client: Client) -> None:
    told = await NEW.call(client, "send", {"message": NEW.message("tck-delayed-complete-1")})
    assert NEW.state(NEW.task(told.result)) == "COMPLETED"


async def test_lists_are_newest_first_and_always_whole(client: Client) -> None:
    made = [await send(client, NEW, f"tck-input-required-{n}") for n in range(3)]
    await send(client, NEW, "tck-complete-task-1", taskId=made[0]["id"])  # now the newest
    page = await listed(client)
    assert page.keys() == {"tasks", "nextPageToken", "pageSize", "totalSize"}
    assert [task["id"] for task in page["tasks"]] == [made[0]["id"], made[2]["id"], made[1]["id"]]
    assert (page["nextPageToken"], page["pageSize"], page["totalSize"]) == ("", 50, 3)
    assert await listed(client, contextId="none") == {
        "tasks": [],
        "nextPageToken": "",
        "pageSize": 50,
        "totalSize": 0,
    }


async def test_lists_are_narrowed_by_context_state_and_time(client: Client) -> None:
    waiting = await send(client, NEW, "tck-input-required-1", contextId="one")
    done = await send(client, NEW, "tck-complete-task-1", contextId="two")
    for params, expected in (
        ({"contextId": "one"}, [waiting]),
        ({"status": "TASK_STATE_COMPLETED"}, [done]),
        ({"status": 3}, [done]),
        ({"status": "TASK_STATE_FAILED"}, []),
        ({"statusTimestampAfter": done["status"]["timestamp"]}, [done]),  # from that moment on, itself included
        ({"statusTimestampAfter": "2100-01-01T00:00:00Z"}, []),
    ):
        page = await listed(client, **params)
        assert [task["id"] for task in page["tasks"]] == [task["id"] for task in expected], params
        assert page["totalSize"] == len(expected)


async def test_lists_have_artifacts_only_when_asked(client: Client) -> None:
    await send(client, NEW, "tck-artifact-text-1")
    (without,) = (await listed(client))["tasks"]
    (with_them,) = (await listed(client, includeArtifacts=True))["tasks"]
    assert "artifacts" not in without
    assert with_them["artifacts"][0]["parts"] == [{"text": "Generated text content"}]


async def test_a_page_goes_on_where_it_stood_though_tasks_come_and_change(client: Client) -> None:
    made = [(await send(client, NEW, f"tck-input-required-{n}"))["id"] for n in range(6)]
    first = await listed(client, pageSize=2)
    await send(client, NEW, "tck-complete-task-1")
    second = await listed(client, pageSize=2, pageToken=first["nextPageToken"])
    third = await listed(client, pageSize=2, pageToken=second["nextPageToken"])
    seen = [task["id"] for page in (first, second, third) for task in page["tasks"]]
    assert seen == made[::-1]
    assert third["nextPageToken"] == ""


async def keyed(client: Client, key: str, message_id: str, dialect: Dialect = NEW, **more: Any) -> Told:
    """A send with an Idempotency-Key."""
    params = dialect.sending(message_id, **more)
    headers = {"A2A-Version": dialect.version, "Idempotency-Key": key}
    if dialect.rest:
        path = "/message:send" if dialect.new else "/v1/message:send"
        answer = await client.post(path, json=params, headers=headers)
        body = await answer.json()
        return Told(answer.status, None if "error" in body else body, body.get("error"))
    method = "SendMessage" if dialect.new else "message/send"
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    told = await (await client.post("/", json=body, headers=headers)).json()
    return Told(200, told.get("result"), told.get("error"))


async def test_a_repeated_key_with_the_same_body_answers_the_first_task(client: Client, dialect: Dialect) -> None:
    first = await keyed(client, "key-1", "tck-complete-task-1", dialect)
    again = await keyed(client, "key-1", "tck-complete-task-retried", dialect)  # a client makes a new message id
    assert dialect.task(again.result)["id"] == dialect.task(first.result)["id"]
    assert (await listed(client))["totalSize"] == 1


async def test_a_repeated_key_with_another_body_is_refused(client: Client, dialect: Dialect) -> None:
    await keyed(client, "key-1", "tck-complete-task-1", dialect)
    other = await keyed(client, "key-1", "tck-complete-task-1", dialect, contextId="another")
    assert other.code == (400 if dialect.rest else -32602)
    assert (await listed(client))["totalSize"] == 1


async def test_a_repeated_key_counts_for_both_versions_and_bindings(client: Client) -> None:
    first = await keyed(client, "key-1", "tck-complete-task-1")
    for dialect in (Dialect("1.0", rest=True), Dialect("0.3", rest=False), Dialect("0.3", rest=True)):
        again = await keyed(client, "key-1", "tck-complete-task-1", dialect)
        assert dialect.task(again.result)["id"] == NEW.task(first.result)["id"]


async def test_other_keys_are_other_tasks(client: Client) -> None:
    tasks = {NEW.task((await keyed(client, f"key-{n}", "bench-1")).result)["id"] for n in range(3)}
    assert len(tasks) == 3


async def test_references_to_other_tasks_are_kept_with_the_message(client: Client) -> None:
    first = await send(client, NEW, "tck-complete-task-1")
    task = await send(client, NEW, "tck-complete-task-2", referenceTaskIds=[first["id"]])
    assert task["history"][0]["referenceTaskIds"] == [first["id"]]
    over_rest = await (await client.get(f"/v1/tasks/{task['id']}")).json()
    assert "referenceTaskIds" not in over_rest["history"][0]  # strict clients of 0.3 know no such field


@pytest.mark.parametrize(("dialect_name", "value"), [("parts", [1, 2]), ("parts", "text"), ("parts", None)])
async def test_data_that_is_no_object_is_wrapped_for_0_3(client: Client, dialect_name: str, value: Any) -> None:
    part = {"data": value, "mediaType": "application/json"}
    message = NEW.message("tck-complete-task-1") | {dialect_name: [part]}
    task = NEW.task((await NEW.call(client, "send", {"message": message})).result)
    old = (await Dialect("0.3", rest=False).call(client, "get", task=task["id"])).result["history"][0]["parts"][0]
    assert old == {"kind": "data", "data": {"value": value}, "metadata": {"data_part_compat": True}}
    rest = await (await client.get(f"/v1/tasks/{task['id']}")).json()
    assert rest["history"][0]["content"][0]["data"] == {"data": {"value": value}}


async def test_what_is_unknown_is_ignored(client: Client, dialect: Dialect) -> None:
    params = dialect.sending("tck-complete-task-1", unknownField={"a": 1}) | {"another": 42}
    told = await dialect.call(client, "send", params)
    assert told.error is None


@pytest.mark.parametrize("role", ["ROLE_USER", "user", 1])
@pytest.mark.parametrize("name", ["parts", "content"])
async def test_both_dialects_are_understood_everywhere(client: Client, dialect: Dialect, role: Any, name: str) -> None:
    message = {"message_id": "tck-complete-task-1", "role": role, name: [{"text": "hello"}]}
    told = await dialect.call(client, "send", {"message": message})
    assert told.error is None
    assert "hello" in str(told.result)


def test_nothing_is_told_of_a_state_that_is_unspecified() -> None:
    assert "TASK_STATE_UNSPECIFIED" not in str(vars(V1))
