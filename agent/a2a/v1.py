"""A2A 1.0, the same JSON over JSON-RPC and HTTP+JSON. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.a2a import operations as ops
from agent.a2a.fields import Fields
from agent.a2a.incoming import read_history_length, read_message, read_push, read_state
from agent.a2a.outgoing import Json, base64, link, recent, timestamp, told_as
from agent.task import Artifact, ArtifactChanged, Event, Message, Part, State, Task
from agent.tasks.store import PushConfig

STATE_NAMES = {state: f"TASK_STATE_{state.name}" for state in State}


def read_send(fields: Fields) -> ops.Send:
    message = read_message(fields.need_child("message"))
    config = fields.child("configuration") or Fields({}, "configuration")
    config.strings("acceptedOutputModes")  # checked alone: answers have the modes of the card
    push = config.child("taskPushNotificationConfig") or config.child("pushNotificationConfig")
    return ops.Send(
        message=message,
        blocking=not config.flag("returnImmediately"),
        history_length=read_history_length(config),
        push=read_push(push) if push and push.json else None,
        metadata=fields.mapping("metadata"),
    )


def read_get(fields: Fields) -> ops.Get:
    return ops.Get(fields.need("id"), read_history_length(fields))


def read_list(fields: Fields) -> ops.List:
    return ops.List(
        context_id=fields.text("contextId"),
        state=read_state(fields, "status"),
        page_size=read_page_size(fields),
        page_token=fields.text("pageToken"),
        since=fields.instant("statusTimestampAfter"),
        history_length=read_history_length(fields),
        include_artifacts=bool(fields.flag("includeArtifacts")),
    )


def read_page_size(fields: Fields) -> int:
    size = fields.integer("pageSize")
    if size is None:
        return ops.PAGE_SIZE
    if not 1 <= size <= ops.MAX_PAGE_SIZE:
        raise fields.wrong("pageSize", f"must be from 1 to {ops.MAX_PAGE_SIZE}")
    return size


def read_cancel(fields: Fields) -> ops.Cancel:
    return ops.Cancel(fields.need("id"), fields.mapping("metadata"))


def read_push_create(fields: Fields) -> ops.PushCreate:
    task_id = fields.need("taskId")
    wrapped = fields.child("config") or fields.child("pushNotificationConfig")  # what some clients send
    return ops.PushCreate(task_id, read_push(wrapped or fields))


READERS: Mapping[str, Callable[[Fields], ops.Request]] = {
    "send": read_send,
    "stream": read_send,
    "get": read_get,
    "list": read_list,
    "cancel": read_cancel,
    "subscribe": lambda f: ops.Subscribe(f.need("id")),
    "push_create": read_push_create,
    "push_get": lambda f: ops.PushGet(f.need("taskId"), f.need("id")),
    "push_list": lambda f: ops.PushList(f.need("taskId"), read_page_size(f), f.text("pageToken")),
    "push_delete": lambda f: ops.PushDelete(f.need("taskId"), f.need("id")),
    "extended_card": lambda _: ops.ExtendedCard(),
}


class V1:
    """`base_url`: where uploads of a caller are read back."""

    version = ops.V1

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def read(self, operation: str, params: object) -> ops.Request:
        return READERS[operation](Fields({} if params is None else params))

    def task_or_message(self, result: Task | Message, history_length: int | None) -> Json:
        if isinstance(result, Message):
            return {"message": self.message(result)}
        return {"task": self.task(result, history_length)}

    def task(self, task: Task, history_length: int | None = None, *, artifacts: bool = True) -> Json:
        status: Json = {"state": STATE_NAMES[task.state], "timestamp": timestamp(task.timestamp)}
        if task.message:
            status["message"] = self.message(task.message)
        json: Json = {"id": task.id, "contextId": task.context_id, "status": status}
        if artifacts and task.artifacts:
            json["artifacts"] = [self.artifact(artifact) for artifact in task.artifacts]
        if history := recent(task.history, history_length):
            json["history"] = [self.message(message) for message in history]
        if task.metadata:
            json["metadata"] = dict(task.metadata)
        return json

    def event(self, task: Task, event: Event | None, history_length: int | None, *, final: bool) -> Json:
        """`final` is not spelled: a 1.0 stream ends by closing."""
        if event is None:
            return {"task": self.task(task, history_length)}
        json: Json = {"taskId": task.id, "contextId": task.context_id}
        told = told_as(event)
        if isinstance(told, ArtifactChanged):
            json["artifact"] = self.artifact(told.artifact)
            json["append"], json["lastChunk"] = told.append, told.last_chunk
            if told.metadata:
                json["metadata"] = dict(told.metadata)
            return {"artifactUpdate": json}
        json["status"] = {"state": STATE_NAMES[told.state], "timestamp": timestamp(told.timestamp)}
        if told.message:
            json["status"]["message"] = self.message(told.message)
        if told.metadata:
            json["metadata"] = dict(told.metadata)
        return {"statusUpdate": json}

    def tasks(self, tasks: Sequence[Task], request: ops.List, *, next_page_token: str | None, total: int) -> Json:
        """A page; every key is always there (A2A 1.0 §3.1.4)."""
        return {
            "tasks": [self.task(t, request.history_length, artifacts=request.include_artifacts) for t in tasks],
            "nextPageToken": next_page_token or "",
            "pageSize": request.page_size,
            "totalSize": total,
        }

    def message(self, message: Message) -> Json:
        json: Json = {
            "messageId": message.message_id,
            "role": "ROLE_USER" if message.role == "user" else "ROLE_AGENT",
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
        json: Json
        if part.text is not None:
            json = {"text": part.text}
        elif part.has_data:
            json = {"data": part.data}
        elif part.raw is not None:
            json = {"raw": base64(part.raw)}
        else:
            json = {"url": link(part, self._base_url)}
        if part.filename:
            json["filename"] = part.filename
        if part.media_type:
            json["mediaType"] = part.media_type
        if part.metadata:
            json["metadata"] = dict(part.metadata)
        return json

    def push(self, config: PushConfig) -> Json:
        json: Json = {"taskId": config.task_id, "id": config.id, "url": config.url}
        if config.token:
            json["token"] = config.token
        if config.scheme:
            json["authentication"] = {"scheme": config.scheme}
            if config.credentials:
                json["authentication"]["credentials"] = config.credentials
        return json

    def pushes(self, configs: Sequence[PushConfig]) -> Json:
        return {"configs": [self.push(config) for config in configs], "nextPageToken": ""}

    def deleted(self) -> Json:
        return {}
