"""A2A 0.3 over HTTP+JSON: ProtoJSON of the 0.3 proto. Its clients parse strictly: one unknown key breaks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.a2a import operations as ops
from agent.a2a import v03
from agent.a2a.fields import Fields
from agent.a2a.incoming import read_push
from agent.a2a.outgoing import Json, base64, link, recent, timestamp, told_as
from agent.task import Artifact, ArtifactChanged, Event, Message, Part, State, Task
from agent.tasks.store import PushConfig

STATE_NAMES = {
    state: "TASK_STATE_CANCELLED" if state is State.CANCELED else f"TASK_STATE_{state.name}" for state in State
}


def read_push_create(fields: Fields) -> ops.PushCreate:
    """The whole request, its `config`, or the bare webhook: the proto, the SDK and callers differ."""
    config = fields.child("config") or fields
    bare = config.child("pushNotificationConfig") or config
    wish = read_push(bare)
    name = fields.text("configId") or (config.text("name") or "").rpartition("/pushNotificationConfigs/")[2]
    task_id = fields.need("taskId")
    return ops.PushCreate(
        task_id,
        wish if wish.id or not name else ops.PushWish(wish.url, name, wish.token, wish.scheme, wish.credentials),
    )


READERS: Mapping[str, Callable[[Fields], ops.Request]] = {
    **v03.READERS,
    "send": lambda f: v03.read_send(f, wrapped_data=True),
    "stream": lambda f: v03.read_send(f, wrapped_data=True),
    "push_create": read_push_create,
    "push_get": lambda f: ops.PushGet(f.need("taskId"), f.need("id")),
    "push_list": lambda f: ops.PushList(f.need("taskId")),
    "push_delete": lambda f: ops.PushDelete(f.need("taskId"), f.need("id")),
}


class V03Rest:
    """`base_url`: where uploads of a caller are read back."""

    version = ops.V03

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def read(self, operation: str, params: object) -> ops.Request:
        return READERS[operation](Fields({} if params is None else params))

    def task_or_message(self, result: Task | Message, history_length: int | None) -> Json:
        if isinstance(result, Message):
            return {"message": self.message(result)}
        return {"task": self.task(result, history_length)}

    def task(self, task: Task, history_length: int | None = None) -> Json:
        json: Json = {
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
            return {"task": self.task(task, history_length)}
        json: Json = {"taskId": task.id, "contextId": task.context_id}
        told = told_as(event)
        if isinstance(told, ArtifactChanged):
            json["artifact"] = self.artifact(told.artifact)
            json["append"], json["lastChunk"] = told.append, told.last_chunk
            if told.metadata:
                json["metadata"] = dict(told.metadata)
            return {"artifactUpdate": json}
        json["status"] = self._status(told.state, timestamp(told.timestamp), told.message)
        json["final"] = final
        if told.metadata:
            json["metadata"] = dict(told.metadata)
        return {"statusUpdate": json}

    def _status(self, state: State, when: str, message: Message | None) -> Json:
        json: Json = {"state": STATE_NAMES[state], "timestamp": when}
        if message:
            json["message"] = self.message(message)
        return json

    def message(self, message: Message) -> Json:
        """The 0.3 proto has `content` for parts, and no referenceTaskIds."""
        json: Json = {
            "messageId": message.message_id,
            "role": "ROLE_USER" if message.role == "user" else "ROLE_AGENT",
            "content": [self.part(part) for part in message.parts],
        }
        if message.context_id:
            json["contextId"] = message.context_id
        if message.task_id:
            json["taskId"] = message.task_id
        if message.metadata:
            json["metadata"] = dict(message.metadata)
        if message.extensions:
            json["extensions"] = list(message.extensions)
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
            json = {"text": part.text}
        elif part.has_data:
            data = part.data
            if not isinstance(data, dict):
                data, metadata = {"value": data}, {**metadata, "data_part_compat": True}
            json = {"data": {"data": data}}
        else:
            json = {"file": self._file(part)}
        if metadata:
            json["metadata"] = metadata
        return json

    def _file(self, part: Part) -> Json:
        """No name: only later 0.3 protos have it."""
        file: Json = (
            {"fileWithUri": link(part, self._base_url)} if part.raw is None else {"fileWithBytes": base64(part.raw)}
        )
        if part.media_type:
            file["mimeType"] = part.media_type
        return file

    def push(self, config: PushConfig) -> Json:
        name = f"tasks/{config.task_id}/pushNotificationConfigs/{config.id}"
        return {"name": name, "pushNotificationConfig": v03.webhook(config)}

    def pushes(self, configs: Sequence[PushConfig]) -> Json:
        return {"configs": [self.push(config) for config in configs]}

    def deleted(self) -> Json:
        return {}
