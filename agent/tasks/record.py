"""Tasks and events as JSON, for stores. Pure; what a newer version added is ignored, defaults are left out."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from agent.task import (
    EMPTY,
    Artifact,
    ArtifactChanged,
    AttemptStarted,
    Event,
    Message,
    MessageReceived,
    Part,
    State,
    StatusChanged,
    Task,
)
from agent.tasks.store import Decision, Verdict

Json = dict[str, Any]


def millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def moment(stamp_ms: int) -> datetime:
    return datetime.fromtimestamp(stamp_ms // 1000, UTC).replace(microsecond=stamp_ms % 1000 * 1000)


def dump(record: Json) -> bytes:
    return orjson.dumps(record, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def write_head(task: Task) -> Json:
    """A task without its artifacts: they are kept apart, so that a status does not rewrite them."""
    record: Json = {
        "id": task.id,
        "context": task.context_id,
        "caller": task.caller,
        "state": task.state.value,
        "at": millis(task.timestamp),
        "version": task.version,
        "attempt": task.attempt,
        "created": millis(task.created),
    }
    if task.message is not None:
        record["message"] = write_message(task.message)
    if task.progress:
        record["progress"] = True
    if task.history:
        record["history"] = [write_message(message) for message in task.history]
    if task.metadata:
        record["metadata"] = dict(task.metadata)
    if task.lost:
        record["lost"] = task.lost
    if task.withheld:
        record["withheld"] = True
    if task.scope is not None:
        record["scope"] = task.scope
    return record


def read_head(record: Json, artifacts: tuple[Artifact, ...] = ()) -> Task:
    message = record.get("message")
    scope = record.get("scope")
    return Task(
        id=record["id"],
        context_id=record["context"],
        caller=record["caller"],
        state=State(record["state"]),
        timestamp=moment(record["at"]),
        message=read_message(message) if message is not None else None,
        progress=record.get("progress", False),
        artifacts=artifacts,
        history=tuple(read_message(message) for message in record.get("history", ())),
        metadata=record.get("metadata", EMPTY),
        version=record["version"],
        attempt=record["attempt"],
        lost=record.get("lost", 0),
        created=moment(record["created"]),
        withheld=record.get("withheld", False),
        scope=tuple(scope) if scope is not None else None,
    )


def write_message(message: Message) -> Json:
    record: Json = {
        "id": message.message_id,
        "role": message.role,
        "parts": [write_part(part) for part in message.parts],
    }
    if message.context_id is not None:
        record["context"] = message.context_id
    if message.task_id is not None:
        record["task"] = message.task_id
    if message.metadata:
        record["metadata"] = dict(message.metadata)
    if message.extensions:
        record["extensions"] = message.extensions
    if message.reference_task_ids:
        record["references"] = message.reference_task_ids
    return record


def read_message(record: Json) -> Message:
    return Message(
        message_id=record["id"],
        role=record["role"],
        parts=tuple(read_part(part) for part in record["parts"]),
        context_id=record.get("context"),
        task_id=record.get("task"),
        metadata=record.get("metadata", EMPTY),
        extensions=tuple(record.get("extensions", ())),
        reference_task_ids=tuple(record.get("references", ())),
    )


def write_part(part: Part) -> Json:
    record: Json = {}
    if part.text is not None:
        record["text"] = part.text
    if part.raw is not None:
        record["raw"] = b64encode(part.raw).decode()
    if part.url is not None:
        record["url"] = part.url
    if part.has_data or part.data is not None:
        record["data"] = part.data
    if part.filename is not None:
        record["filename"] = part.filename
    if part.media_type is not None:
        record["type"] = part.media_type
    if part.metadata:
        record["metadata"] = dict(part.metadata)
    if part.upload is not None:
        record["upload"] = part.upload
    return record


def read_part(record: Json) -> Part:
    raw = record.get("raw")
    return Part(
        text=record.get("text"),
        raw=b64decode(raw) if raw is not None else None,
        url=record.get("url"),
        data=record.get("data"),
        has_data="data" in record,
        filename=record.get("filename"),
        media_type=record.get("type"),
        metadata=record.get("metadata", EMPTY),
        upload=record.get("upload"),
    )


def write_artifact(artifact: Artifact) -> Json:
    record: Json = {"id": artifact.artifact_id, "parts": [write_part(part) for part in artifact.parts]}
    if artifact.name is not None:
        record["name"] = artifact.name
    if artifact.description is not None:
        record["description"] = artifact.description
    if artifact.metadata:
        record["metadata"] = dict(artifact.metadata)
    if artifact.extensions:
        record["extensions"] = artifact.extensions
    return record


def read_artifact(record: Json) -> Artifact:
    return Artifact(
        artifact_id=record["id"],
        parts=tuple(read_part(part) for part in record["parts"]),
        name=record.get("name"),
        description=record.get("description"),
        metadata=record.get("metadata", EMPTY),
        extensions=tuple(record.get("extensions", ())),
    )


def write_decision(decision: Decision) -> Json:
    """`{artifact, part, pointer, verdict, old, new, by, at}`, as the HTTP interface tells it too."""
    return {
        "artifact": decision.artifact,
        "part": decision.part,
        "pointer": decision.pointer,
        "verdict": decision.verdict.value,
        "old": decision.old,
        "new": decision.new,
        "by": decision.by,
        "at": decision.at.isoformat(),
    }


def read_decision(record: Json) -> Decision:
    at = datetime.fromisoformat(record["at"])
    return Decision(**{**record, "verdict": Verdict(record["verdict"]), "at": at})


def write_event(event: Event) -> Json:
    match event:
        case StatusChanged():
            record: Json = {"kind": "status", "at": millis(event.timestamp), "state": event.state.value}
            if event.message is not None:
                record["message"] = write_message(event.message)
            if event.progress:
                record["progress"] = True
        case ArtifactChanged():
            record = {"kind": "artifact", "artifact": write_artifact(event.artifact)}
            record |= {"append": event.append, "last": event.last_chunk}
        case MessageReceived():
            record = {"kind": "message", "at": millis(event.timestamp), "message": write_message(event.message)}
            if event.withheld:
                record["withheld"] = True
        case AttemptStarted():
            return {"kind": "attempt", "at": millis(event.timestamp)}
    if isinstance(event, StatusChanged | ArtifactChanged) and event.metadata:
        record["metadata"] = dict(event.metadata)
    return record


def read_event(record: Json) -> Event:
    match record["kind"]:
        case "status":
            message = record.get("message")
            return StatusChanged(
                State(record["state"]),
                moment(record["at"]),
                read_message(message) if message is not None else None,
                record.get("metadata", EMPTY),
                record.get("progress", False),
            )
        case "artifact":
            metadata = record.get("metadata", EMPTY)
            return ArtifactChanged(read_artifact(record["artifact"]), record["append"], record["last"], metadata)
        case "message":
            return MessageReceived(read_message(record["message"]), moment(record["at"]), record.get("withheld", False))
        case "attempt":
            return AttemptStarted(moment(record["at"]))
        case kind:
            raise ValueError(f"unknown kind of event in the journal: {kind}")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON: {type(value).__name__}")
