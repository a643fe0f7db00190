"""A2A 0.3 over JSON-RPC: results are bare and carry their `kind`. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.a2a import operations as ops
from agent.a2a.fields import Fields
from agent.a2a.incoming import read_history_length, read_message, read_push
from agent.a2a.outgoing import Json, base64, link, recent, timestamp, told_as
from agent.task import Artifact, ArtifactChanged, Event, Message, Part, State, Task
from agent.tasks.store import PushConfig


def read_send(fields: Fields, *, wrapped_data: bool = False) -> ops.Send:
    # The SDK's REST client names the message as the proto does: request.
    message = fields.child("message") or fields.child("request")
    if message is None:
        raise fields.wrong("message", "is required")
    config = fields.child("configuration") or Fields({}, "configuration")
    config.strings("acceptedOutputModes")  # checked alone: answers have the modes of the card
    push = config.child("pushNotificationConfig") or config.child("pushNotification")
    return ops.Send(
        message=read_message(message, wrapped_data=wrapped_data),
        blocking=config.flag("blocking"),
        history_length=read_history_length(config),
        push=read_push(push) if push and push.json else None,
        metadata=fields.mapping("metadata"),
    )


def read_get(fields: Fields) -> ops.Get:
    return ops.Get(fields.need("id"), read_history_length(fields))


def read_push_create(fields: Fields) -> ops.PushCreate:
    return ops.PushCreate(fields.need("taskId"), read_push(fields.need_child("pushNotificationConfig")))


READERS: Mapping[str, Callable[[Fields], ops.Request]] = {
    "send": read_send,
    "stream": read_send,
    "get": read_get,
    "cancel": lambda f: ops.Cancel(f.need("id"), f.mapping("metadata")),
    "subscribe": lambda f: ops.Subscribe(f.need("id")),
    "push_create": read_push_create,
    "push_get": lambda f: ops.PushGet(f.need("id"), f.text("pushNotificationConfigId")),
    "push_list": lambda f: ops.PushList(f.need("id")),
    "push_delete": lambda f: ops.PushDelete(f.need("id"), f.need("pushNotificationConfigId")),
    "extended_card": lambda _: ops.ExtendedCard(),
}


class V03:
    """`base_url`: where uploads of a caller are read back."""

    version = ops.V03

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def read(self, operation: str, params: object) -> ops.Request:
        return READERS[operation](Fields({} if params is None else params))

    def task_or_message(self, result: Task | Message, history_length: int | None) -> Json:
        return self.message(result) if isinstance(result, Message) else self.task(result, history_length)

    def task(self, task: Task, history_length: int | None = None) -> Json:
        json: Json = {
            "kind": "task",
            "id": task.id,
            "contextId": task.context_id,
            "status": self._status(task.state, timestamp(task.timestamp), task.message),
        }
        if task.artifacts:
            json["artifacts"] = [self.artifact(artifact) for artifact in task.artifacts]
        if history := recent(task.history, history_length):
            json["history"] = [self.message(message) for message in history]
        if task.metadata:
            json["metadata"] = dict(task.metadata)
        return json

    def event(self, task: Task, event: Event | None, history_length: int | None, *, final: bool) -> Json:
        if event is None:
            return self.task(task, history_length)
        json: Json = {"taskId": task.id, "contextId": task.context_id}
        told = told_as(event)
        if isinstance(told, ArtifactChanged):
            json["kind"] = "artifact-update"
            json["artifact"] = self.artifact(told.artifact)
            json["append"], json["lastChunk"] = told.append, told.last_chunk
            if told.metadata:
                json["metadata"] = dict(told.metadata)
            return json
        json["kind"] = "status-update"
        json["status"] = self._status(told.state, timestamp(told.timestamp), told.message)
        json["final"] = final
        if told.metadata:
            json["metadata"] = dict(told.metadata)
        return json

    def _status(self, state: State, when: str, message: Message | None) -> Json:
        json: Json = {"state": state.value, "timestamp": when}
        if message:
            json["message"] = self.message(message)
        return json

    def message(self, message: Message) -> Json:
        json: Json = {
            "kind": "message",
            "messageId": message.message_id,
            "role": message.role,
            "parts": [self.part(part) for part in message.parts],
        }
        if message.context_id:
            json["contextId"] = message.context_id
        if message.task_id:
            json["taskId"] = message.task_id
        if message.metadata:
            json["metadata"] = dict(message.metadata)
        if message.extensions:
            json["extensions"] = list(message.extensions)
        if message.reference_task_ids:
            json["referenceTaskIds"] = list(message.reference_task_ids)
        return json

    def artifact(self, artifact: Artifact) -> Json:
        json: Json = {"artifactId": artifact.artifact_id, "parts": [self.part(part) for part in artifact.parts]}
        if artifact.name:
            json["name"] = artifact.name
        if artifact.description:
            json["description"] = artifact.description
        if artifact.metadata:
            json["metadata"] = dict(artifact.metadata)
        if artifact.extensions:
            json["extensions"] = list(artifact.extensions)
        return json

    def part(self, part: Part) -> Json:
        metadata = dict(part.metadata)
        json: Json
        if part.text is not None:
            json = {"kind": "text", "text": part.text}
        elif part.has_data:
            data = part.data
            if not isinstance(data, dict):  # 0.3 data is an object; its own SDK wraps the rest this way
                data, metadata = {"value": data}, {**metadata, "data_part_compat": True}
            json = {"kind": "data", "data": data}
        else:
            json = {"kind": "file", "file": self._file(part)}
        if metadata:
            json["metadata"] = metadata
        return json

    def _file(self, part: Part) -> Json:
        file: Json = {"uri": link(part, self._base_url)} if part.raw is None else {"bytes": base64(part.raw)}
        if part.filename:
            file["name"] = part.filename
        if part.media_type:
            file["mimeType"] = part.media_type
        return file

    def push(self, config: PushConfig) -> Json:
        return {"taskId": config.task_id, "pushNotificationConfig": webhook(config)}

    def pushes(self, configs: Sequence[PushConfig]) -> list[Json]:
        return [self.push(config) for config in configs]

    def deleted(self) -> None:
        """`"result": null` must be there (A2A 0.3 §7.8)."""
        return


def webhook(config: PushConfig) -> dict[str, Any]:
    """The 0.3 shape, in which schemes are a list."""
    json: Json = {"id": config.id, "url": config.url}
    if config.token:
        json["token"] = config.token
    if config.scheme:
        json["authentication"] = {"schemes": [config.scheme]}
        if config.credentials:
            json["authentication"]["credentials"] = config.credentials
    return json
