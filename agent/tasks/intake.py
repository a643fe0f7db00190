"""From a caller's message to what may be stored: secrets out, bytes into the spool, ids in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from agent.caller import Caller
from agent.errors import InvalidParams
from agent.task import Message, Part, State, Task, new_id, now
from agent.tasks.record import dump, write_message
from agent.tasks.uploads import Uploads


async def spooled(caller: Caller, message: Message, uploads: Uploads) -> Message:
    """The message with its bytes moved into the caller's uploads."""
    if all(part.raw is None for part in message.parts):
        return message
    parts = [await _spooled(caller, part, uploads) for part in message.parts]
    return replace(message, parts=tuple(parts))


async def _spooled(caller: Caller, part: Part, uploads: Uploads) -> Part:
    if part.raw is None:
        return part
    upload = await uploads.put(caller, part.raw, filename=part.filename)
    return replace(part, raw=None, upload=upload.sha256)


def new_task(caller: Caller, message: Message, metadata: Mapping[str, Any], *, withheld: bool) -> Task:
    """A SUBMITTED task with its first message."""
    task_id = new_id()
    context_id = message.context_id or new_id()
    at = now()
    return Task(
        task_id,
        context_id,
        caller.id,
        State.SUBMITTED,
        at,
        history=(replace(message, task_id=task_id, context_id=context_id),),
        metadata=metadata,
        created=at,
        withheld=withheld,
        scope=caller.documents,
    )


def again(task: Task) -> Task:
    """A SUBMITTED task with everything its caller said to another one."""
    task_id, at = new_id(), now()
    return Task(
        task_id,
        task.context_id,
        task.caller,
        State.SUBMITTED,
        at,
        history=tuple(replace(message, task_id=task_id) for message in task.history if message.role == "user"),
        metadata=task.metadata,
        created=at,
        withheld=task.withheld,
        scope=task.scope,
    )


def belonging(message: Message, task: Task) -> Message:
    """A follow-up with its task's ids. Raises InvalidParams when it names another context."""
    if message.context_id not in (None, task.context_id):
        raise InvalidParams("the task belongs to another context", field="message.contextId")
    return replace(message, task_id=task.id, context_id=task.context_id)


def digest(message: Message, metadata: Mapping[str, Any]) -> bytes:
    """What two requests with one idempotency key must have in common: all but the message's own id."""
    body = {"message": write_message(replace(message, message_id="")), "metadata": dict(metadata)}
    return blake2b(dump(body), digest_size=16).digest()


def documents_named(message: Message) -> tuple[str, ...]:
    """Documents the message names by itself, so that erasing one of them finds the task."""
    found = [f"upload/{part.upload}" for part in message.parts if part.upload]
    for part in message.parts:
        named = part.data.get("documents") if isinstance(part.data, dict) else None
        if isinstance(named, list):
            found += [document for document in named if isinstance(document, str)]
    return tuple(found)
