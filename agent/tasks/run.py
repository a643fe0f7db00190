"""The seam between tasks and the work that is done for them."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Any, Protocol

from agent.caller import Caller
from agent.errors import AgentError, NotFound, TaskNotFound
from agent.task import (
    EMPTY,
    Artifact,
    ArtifactChanged,
    Event,
    Message,
    Outcome,
    Part,
    State,
    StatusChanged,
    Task,
    new_id,
    now,
)
from agent.tasks.ledger import Ledger, Live
from agent.tasks.store import StoreUnavailable
from agent.tasks.uploads import Uploads

log = logging.getLogger(__name__)

_PROGRESS_EVERY_S = 0.25


class Work(Protocol):
    """What a task is for. An AgentError becomes FAILED with its body; a cancellation passes through."""

    async def __call__(self, run: Run) -> Outcome: ...

    def reply(self, message: Message) -> Message | None:
        """A direct answer without a task, or None."""


class Insist(Protocol):
    """Commits, and tries again as long as the store cannot be written."""

    async def __call__(
        self, live: Live, event: Event, *, attempt: int | None = None, documents: tuple[str, ...] = ()
    ) -> Task: ...


class Run:
    """One attempt at a task: what the work sees of it, and how it tells what it finds."""

    def __init__(
        self,
        task: Task,
        caller: Caller,
        secrets: Mapping[str, str],
        uploads: Uploads,
        ledger: Ledger,
        live: Live,
        insist: Insist,
    ) -> None:
        self.task = task  # the snapshot at the start; its history holds all messages, the newest last
        self.caller = caller
        self.secrets = secrets
        self.uploads = uploads
        self._ledger = ledger
        self._live = live
        self._insist = insist
        self._told_at = 0.0

    async def progress(self, text: str, **metadata: Any) -> None:
        """Tells how far the work is, at most four times a second; what comes sooner, or cannot be kept, is dropped."""
        at = time.monotonic()
        if at - self._told_at < _PROGRESS_EVERY_S:
            return
        self._told_at = at
        message = self.message(Part(text=text))
        event = StatusChanged(State.WORKING, now(), message, metadata or EMPTY, progress=True)
        with contextlib.suppress(StoreUnavailable):
            await self._ledger.commit(self._live, event, attempt=self.task.attempt)

    async def artifact(self, artifact: Artifact, *, append: bool = False, last_chunk: bool = True) -> None:
        """Committed when it returns; the same artifact id replaces, or takes further parts with `append`."""
        event = ArtifactChanged(artifact, append, last_chunk)
        await self._insist(self._live, event, attempt=self.task.attempt, documents=documents_of(artifact))

    async def referenced(self) -> list[Task]:
        """The caller's own tasks that the newest message names; what is foreign or gone is left out."""
        messages = [message for message in self.task.history if message.role == "user"]
        found = []
        for task_id in messages[-1].reference_task_ids if messages else ():
            try:
                task = (await self._ledger.get(task_id)).task
            except TaskNotFound:
                continue
            if task.caller == self.caller.id:
                found.append(task)
        return found

    async def owns(self, sha256: str) -> bool:
        """Whether this upload is the caller's; asking lengthens its time."""
        try:
            await self.uploads.get(self.caller, sha256)
        except NotFound:
            return False
        return True

    def message(self, *parts: Part) -> Message:
        """A message of the agent in this task."""
        return Message(new_id(), "agent", parts, self.task.context_id, self.task.id)


def documents_of(artifact: Artifact) -> tuple[str, ...]:
    """The documents an artifact tells about, by its result's `document` entry: library id, and upload by hash."""
    found = []
    for part in artifact.parts:
        document = part.data.get("document") if isinstance(part.data, dict) else None
        if isinstance(document, dict):
            found += [document["id"]] if isinstance(document.get("id"), str) else []
            found += [f"upload/{document['sha256']}"] if isinstance(document.get("sha256"), str) else []
    return tuple(found)


def failed(task: Task, fault: AgentError, metadata: Mapping[str, Any] = EMPTY) -> StatusChanged:
    """FAILED, with the failure in words and as data; the log has its code, which may tell of all tasks at once."""
    log.info("task.failed", extra={"task": task.id, "code": fault.code})
    return StatusChanged(State.FAILED, now(), told(task, fault), metadata)


def told(task: Task, fault: AgentError) -> Message:
    parts = (Part(text=fault.message), Part(data=fault.body(), has_data=True, media_type="application/json"))
    return Message(new_id(), "agent", parts, task.context_id, task.id)
