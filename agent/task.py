"""The A2A nouns and the task's state machine. No I/O, no versions: codecs spell these for the wire.

`apply(task, event)` is the only way a task changes. It is pure: the next task, or `IllegalMove`.
Whoever calls it commits task and event together before anybody sees either.
"""

from __future__ import annotations

import enum
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any


def now() -> datetime:
    """This moment in whole milliseconds: what the wire can tell is what filters and orders compare."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def new_id() -> str:
    """A UUID of version 7: unguessable (74 random bits), and in order of time, so that indexes grow at their end."""
    stamp = time.time_ns() // 1_000_000
    value = int.from_bytes(os.urandom(10)) & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62
    digits = f"{stamp << 80 | value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


EMPTY: Mapping[str, Any] = MappingProxyType({})


def empty() -> Mapping[str, Any]:
    return EMPTY  # by a function: Python 3.11 takes no mappingproxy as a field's default


class State(enum.Enum):
    """A2A 1.0 §4.1.3. The value is the 0.3 JSON spelling."""

    SUBMITTED = "submitted"
    WORKING = "working"
    INPUT_REQUIRED = "input-required"
    AUTH_REQUIRED = "auth-required"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"

    @property
    def terminal(self) -> bool:
        return self not in MOVES

    @property
    def interrupted(self) -> bool:
        return self in (State.INPUT_REQUIRED, State.AUTH_REQUIRED)


_ENDS = frozenset({State.COMPLETED, State.FAILED, State.CANCELED, State.REJECTED})
_WORKING = _ENDS | {State.WORKING, State.INPUT_REQUIRED, State.AUTH_REQUIRED}

# From each state, the states a status event may lead to. A terminal state has no row.
# WORKING -> SUBMITTED is a new attempt after a crash or a hand-over; the interrupted ones go on by a message.
MOVES: Mapping[State, frozenset[State]] = {
    State.SUBMITTED: _WORKING | {State.SUBMITTED},
    State.WORKING: _WORKING | {State.SUBMITTED},
    State.INPUT_REQUIRED: _WORKING | {State.SUBMITTED},
    State.AUTH_REQUIRED: _WORKING | {State.SUBMITTED},
}


class IllegalMove(Exception):
    """The state table has no such move; always a fault of ours, or a race that somebody else won."""


@dataclass(frozen=True, slots=True)
class Part:
    """Exactly one of text, raw, url, data is set (`data` may be any JSON, also null: then `has_data` is true)."""

    text: str | None = None
    raw: bytes | None = None
    url: str | None = None
    data: Any = None
    has_data: bool = False
    filename: str | None = None
    media_type: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=empty)
    upload: str | None = None  # sha256 of bytes that were moved into the spool; `raw` is then None


@dataclass(frozen=True, slots=True)
class Message:
    message_id: str
    role: str  # user | agent
    parts: tuple[Part, ...]
    context_id: str | None = None
    task_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=empty)
    extensions: tuple[str, ...] = ()
    reference_task_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    artifact_id: str
    parts: tuple[Part, ...]
    name: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=empty)
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A snapshot. `version` counts the events applied (the journal's sequence); `attempt` counts the runs begun.

    `lost` counts the runs in a row, up to the present one, that ended with their process.
    """

    id: str
    context_id: str
    caller: str
    state: State
    timestamp: datetime
    message: Message | None = None  # the status message
    progress: bool = False  # the status message only tells progress: it is dropped when superseded, never history
    artifacts: tuple[Artifact, ...] = ()
    history: tuple[Message, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=empty)
    version: int = 0
    attempt: int = 0
    lost: int = 0
    created: datetime = field(default_factory=now)
    withheld: bool = False  # a secret was taken out of its messages: after a crash it must be asked for again
    scope: tuple[str, ...] | None = None  # the documents its caller could see when it was sent (`Caller.documents`)


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A new status; with `progress` its message only tells how far the work is."""

    state: State
    timestamp: datetime
    message: Message | None = None
    metadata: Mapping[str, Any] = field(default_factory=empty)
    progress: bool = False


@dataclass(frozen=True, slots=True)
class ArtifactChanged:
    """A new artifact, a replacement (same id), or with `append` further parts of a known one."""

    artifact: Artifact
    append: bool = False
    last_chunk: bool = True
    metadata: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A caller's follow-up: into the history, and back to SUBMITTED."""

    message: Message
    timestamp: datetime
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A run begins: the attempt number rises, so that a late writer of an older run is refused."""

    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: a terminal state, or an interrupted one with the question as its message."""

    state: State
    message: Message | None = None
    metadata: Mapping[str, Any] = field(default_factory=empty)


Event = StatusChanged | ArtifactChanged | MessageReceived | AttemptStarted


def state_after(event: Event) -> State | None:
    """The state an event leads to; None for one that leaves it as it is."""
    match event:
        case StatusChanged():
            return event.state
        case MessageReceived():
            return State.SUBMITTED
        case AttemptStarted():
            return State.WORKING
        case ArtifactChanged():
            return None


def apply(task: Task, event: Event) -> Task:
    """The task after `event`, one version on. Raises IllegalMove."""
    if task.state.terminal:
        raise IllegalMove(f"task {task.id} has ended: {task.state.name}")
    match event:
        case StatusChanged():
            return _status(task, event)
        case ArtifactChanged():
            return replace(task, artifacts=_artifacts(task, event), version=task.version + 1)
        case MessageReceived():
            return _message(task, event)
        case AttemptStarted():
            return _attempt(task, event)


def _status(task: Task, event: StatusChanged) -> Task:
    if event.state not in MOVES[task.state]:
        raise IllegalMove(f"task {task.id}: {task.state.name} -> {event.state.name}")
    return replace(
        task,
        state=event.state,
        timestamp=event.timestamp,
        message=event.message,
        progress=event.progress,
        history=(*task.history, *_superseded(task)),
        version=task.version + 1,
    )


def _message(task: Task, event: MessageReceived) -> Task:
    if not task.state.interrupted:
        raise IllegalMove(f"task {task.id} waits for no message: {task.state.name}")
    return replace(
        task,
        state=State.SUBMITTED,
        timestamp=event.timestamp,
        message=None,
        progress=False,
        history=(*task.history, *_superseded(task), event.message),
        version=task.version + 1,
        withheld=task.withheld or event.withheld,
    )


def _attempt(task: Task, event: AttemptStarted) -> Task:
    if task.state.interrupted:
        raise IllegalMove(f"task {task.id} waits for its caller: {task.state.name}")
    return replace(
        task,
        state=State.WORKING,
        timestamp=event.timestamp,
        message=None,
        progress=False,
        history=(*task.history, *_superseded(task)),
        version=task.version + 1,
        attempt=task.attempt + 1,
        lost=task.lost + 1 if task.state is State.WORKING else 0,
    )


def _superseded(task: Task) -> tuple[Message, ...]:
    """A status message that a new status replaces becomes history, unless it only told progress."""
    return (task.message,) if task.message and not task.progress else ()


def _artifacts(task: Task, event: ArtifactChanged) -> tuple[Artifact, ...]:
    known = [a.artifact_id for a in task.artifacts]
    new = event.artifact
    if new.artifact_id not in known:
        if event.append:
            raise IllegalMove(f"task {task.id}: nothing to append to: {new.artifact_id}")  # A2A 1.0 §4.2.2
        return (*task.artifacts, new)
    at = known.index(new.artifact_id)
    if event.append:
        old = task.artifacts[at]
        new = replace(old, parts=(*old.parts, *new.parts))
    return (*task.artifacts[:at], new, *task.artifacts[at + 1 :])
