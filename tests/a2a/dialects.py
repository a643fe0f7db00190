"""One caller in four dialects: both versions over both bindings. The names and paths stand here as the standard has
them, apart from the service's own table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]
Json = dict[str, Any]

# Operation: its method in 1.0 and in 0.3, its verb and its path below the interface's address.
OPERATIONS: Mapping[str, tuple[str, str, str, str]] = {
    "send": ("SendMessage", "message/send", "POST", "/message:send"),
    "stream": ("SendStreamingMessage", "message/stream", "POST", "/message:stream"),
    "get": ("GetTask", "tasks/get", "GET", "/tasks/{task}"),
    "cancel": ("CancelTask", "tasks/cancel", "POST", "/tasks/{task}:cancel"),
    "subscribe": ("SubscribeToTask", "tasks/resubscribe", "POST", "/tasks/{task}:subscribe"),
    "push_create": (
        "CreateTaskPushNotificationConfig",
        "tasks/pushNotificationConfig/set",
        "POST",
        "/tasks/{task}/pushNotificationConfigs",
    ),
    "push_get": (
        "GetTaskPushNotificationConfig",
        "tasks/pushNotificationConfig/get",
        "GET",
        "/tasks/{task}/pushNotificationConfigs/{config}",
    ),
    "push_list": (
        "ListTaskPushNotificationConfigs",
        "tasks/pushNotificationConfig/list",
        "GET",
        "/tasks/{task}/pushNotificationConfigs",
    ),
    "push_delete": (
        "DeleteTaskPushNotificationConfig",
        "tasks/pushNotificationConfig/delete",
        "DELETE",
        "/tasks/{task}/pushNotificationConfigs/{config}",
    ),
    "extended_card": ("GetExtendedAgentCard", "agent/getAuthenticatedExtendedCard", "GET", "/extendedAgentCard"),
}


@dataclass(frozen=True)
class Told:
    """An answer: the HTTP status, and the result or the error in the dialect's own shape."""

    status: int
    result: Any = None
    error: Any = None

    @property
    def code(self) -> int:
        """The JSON-RPC code, or over REST the HTTP status."""
        return int(self.error["code"])


@dataclass(frozen=True)
class Dialect:
    version: str
    rest: bool

    def __str__(self) -> str:
        return f"{self.version}-{'rest' if self.rest else 'jsonrpc'}"

    @property
    def new(self) -> bool:
        return self.version == "1.0"

    def message(self, message_id: str, *parts: Json, **more: Any) -> Json:
        """A user's message; without parts the text "hello"."""
        if self.new:
            return {"messageId": message_id, "role": "ROLE_USER", "parts": list(parts) or [{"text": "hello"}], **more}
        if self.rest:
            found = list(parts) or [{"text": "hello"}]
            return {"messageId": message_id, "role": "ROLE_USER", "content": found, **more}
        kinds = list(parts) or [{"kind": "text", "text": "hello"}]
        return {"kind": "message", "messageId": message_id, "role": "user", "parts": kinds, **more}

    def sending(self, message_id: str, *, waits: bool = True, configuration: Json | None = None, **more: Any) -> Json:
        """The parameters of a send that waits for the end, or does not."""
        waiting = {"returnImmediately": not waits} if self.new else {"blocking": waits}
        return {"message": self.message(message_id, **more), "configuration": waiting | (configuration or {})}

    def webhook(self, url: str, config_id: str, **more: Any) -> Json:
        """The parameters that register a webhook, but for the task."""
        webhook = {"id": config_id, "url": url, **more}
        if self.new:
            return webhook
        return {"config": {"pushNotificationConfig": webhook}} if self.rest else {"pushNotificationConfig": webhook}

    async def call(self, client: Client, operation: str, params: Json | None = None, **where: str) -> Told:
        """`where`: task and config, which each dialect names in its own way."""
        answer = await self.ask(client, operation, params, **where)
        body = json.loads(await answer.read() or b"null")
        if self.rest:
            failed = answer.status >= 400
            return Told(answer.status, None if failed else body, body["error"] if failed else None)
        assert (body["jsonrpc"], body["id"]) == ("2.0", 7)
        assert ("result" in body) != ("error" in body)
        return Told(answer.status, body.get("result"), body.get("error"))

    async def events(
        self, client: Client, operation: str, params: Json | None = None, *, after: str = "", **where: str
    ) -> list[tuple[str, Json]]:
        """All events of a stream with their ids."""
        answer = await self.ask(client, operation, params, after=after, **where)
        assert answer.headers["Content-Type"] == "text/event-stream", await answer.text()
        return [self._event(block) for block in (await answer.text()).split("\n\n") if "data:" in block]

    async def ask(
        self, client: Client, operation: str, params: Json | None = None, *, after: str = "", **where: str
    ) -> ClientResponse:
        method, old_method, verb, path = OPERATIONS[operation]
        headers = {"A2A-Version": self.version} | ({"Last-Event-ID": after} if after else {})
        if self.rest:
            url = ("" if self.new else "/v1") + path.format(**where)
            if operation == "extended_card" and not self.new:
                url = "/v1/card"
            return await client.request(verb, url, json=params if verb == "POST" else None, headers=headers)
        body = {"jsonrpc": "2.0", "id": 7, "method": method if self.new else old_method}
        body["params"] = {**(params or {}), **self._named(operation, where)}
        return await client.post("/", json=body, headers=headers)

    def _named(self, operation: str, where: Mapping[str, str]) -> Json:
        if "task" not in where:
            return {}
        of_push = operation.startswith("push")
        if self.new:
            config = {"id": where["config"]} if "config" in where else {}
            return {"taskId" if of_push else "id": where["task"], **config}
        config = {"pushNotificationConfigId": where["config"]} if "config" in where else {}
        return {"taskId" if operation == "push_create" else "id": where["task"], **config}

    def _event(self, block: str) -> tuple[str, Json]:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        found = json.loads(fields["data"])
        return fields.get("id", ""), found if self.rest else found.get("result", found)

    def task(self, result: Json) -> Json:
        """The task in the result of a send, or in an event."""
        if self.new or self.rest:
            return dict(result["task"])
        assert result["kind"] == "task"
        return result

    def state(self, task: Json) -> str:
        """As 1.0 names it, without its prefix."""
        return str(task["status"]["state"]).removeprefix("TASK_STATE_").replace("-", "_").upper().replace("LLED", "LED")

    def kind(self, event: Json) -> str:
        """task, message, statusUpdate or artifactUpdate."""
        if self.new or self.rest:
            (kind,) = event
            return str(kind)
        kind = str(event["kind"])
        return {"status-update": "statusUpdate", "artifact-update": "artifactUpdate"}.get(kind, kind)

    def inner(self, event: Json) -> Json:
        """The event without the wrapper that some dialects put around it."""
        return dict(event[self.kind(event)]) if self.new or self.rest else event

    def text(self, holder: Json) -> str:
        """The first text of a message or artifact."""
        return str((holder.get("parts") or holder["content"])[0]["text"])


DIALECTS = tuple(Dialect(version, rest) for version in ("1.0", "0.3") for rest in (False, True))
