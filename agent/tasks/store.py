"""What a task store promises, and the nouns it takes and gives. `sqlite` and `redis` keep the promise.

A commit writes snapshot and event together or not at all, and only upon the version and attempt it was made from.
The journal's sequence number is the task's version after the event. Rows of all kinds carry their caller.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from agent.errors import Overloaded
from agent.task import Event, State, Task

JOURNAL_EVENTS = 512  # kept per task at least; a reader who is further behind gets the snapshot


class Stale(Exception):
    """Somebody else moved the task on (or it is gone): load it and decide again."""


class StoreUnavailable(Overloaded):
    """The store cannot be written or read now: disk full, locked, connection lost. Nothing was changed."""


class Claimed(Exception):
    """The idempotency key is taken: by this task, for a body of this digest."""

    def __init__(self, task_id: str, digest: bytes) -> None:
        super().__init__(task_id)
        self.task_id = task_id
        self.digest = digest


@dataclass(frozen=True, slots=True)
class Claim:
    """An Idempotency-Key of the task's caller; `expires` ends its hold."""

    key: str
    digest: bytes
    expires: datetime


@dataclass(frozen=True, slots=True)
class PushConfig:
    """A webhook of one task. `protocol` is the version that registered it and so the spelling it gets.

    `delivered` is the sequence of the last event that reached it: the journal after it is its outbox.
    """

    id: str
    task_id: str
    caller: str
    url: str
    protocol: str = "1.0"
    token: str | None = None
    scheme: str | None = None
    credentials: str | None = None
    delivered: int = 0
    failures: int = 0  # in a row
    gave_up: bool = False
    last_error: str | None = None


class Verdict(enum.Enum):
    """What a person says of a value; `undo` takes back what was said of it before."""

    ACCEPT = "accept"
    CORRECT = "correct"
    REJECT = "reject"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody said of one value of a result; `part` is the result's place in its artifact."""

    artifact: str
    part: int
    pointer: str
    verdict: Verdict
    old: Any  # as it was extracted
    new: Any  # as it holds by this decision
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """`event` turned its predecessor into `task`. Without an event the task is new. `dead`: it was given up."""

    task: Task
    event: Event | None = None
    before: Task | None = None
    claim: Claim | None = None
    push: PushConfig | None = None
    documents: tuple[str, ...] = ()
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    sequence: int
    event: Event


@dataclass(frozen=True, slots=True)
class ListQuery:
    context_id: str | None = None
    state: State | None = None
    page_size: int = 50
    page_token: str | None = None
    since: datetime | None = None  # status timestamp, inclusive
    artifacts: bool = False


@dataclass(frozen=True, slots=True)
class TaskPage:
    """`total` counts all that match; `next_page_token` is empty on the last page."""

    tasks: tuple[Task, ...]
    next_page_token: str
    total: int


@dataclass(frozen=True, slots=True)
class UploadRow:
    sha256: str
    caller: str
    size_bytes: int
    filename: str | None
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Erase:
    """What to erase; the conditions given must all hold. Without any, nothing matches."""

    task_id: str | None = None
    document: str | None = None  # a library id or `upload/{sha256}`
    caller: str | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """`task_ids` went with their events, configs and idempotency keys; nobody owns `orphans` (sha256) any more."""

    task_ids: tuple[str, ...] = ()
    uploads: int = 0
    orphans: tuple[str, ...] = ()


Done = Callable[[int, BaseException | None], None]  # size of the record in bytes, fault


class Store(AbstractAsyncContextManager["Store"], Protocol):
    shared: bool  # other processes read and write it too

    def submit(self, commit: Commit, done: Done) -> None:
        """Returns at once; `done` is called in the event loop when the commit holds (or why it does not).

        A commit that holds survives the death of this process. Faults: Stale, Claimed, StoreUnavailable.
        Commits of one task land in the order of the calls; a failed one fails those made upon it.
        """

    async def claimed(self, caller: str, key: str) -> Claimed | None:
        """Who holds an idempotency key."""

    async def load(self, task_id: str) -> Task | None: ...

    async def journal(self, task_id: str, after: int) -> Sequence[Entry]:
        """The events after a sequence, in order; the first may be later than `after + 1` when old ones were dropped."""

    def follow(self, task_id: str, after: int) -> AbstractAsyncContextManager[AsyncIterator[Entry]]:
        """Events of a task as any process commits them, until it is erased. Only of a shared store."""

    async def page(self, caller: str, query: ListQuery) -> TaskPage: ...

    async def unfinished(self) -> Sequence[tuple[str, str]]:
        """(id, caller) of the tasks that are SUBMITTED or WORKING, oldest first."""

    async def counts(self) -> Mapping[State, int]: ...

    async def put_push(self, config: PushConfig) -> None: ...

    async def push_configs(self, task_id: str) -> Sequence[PushConfig]: ...

    async def delete_push(self, task_id: str, config_id: str) -> None: ...

    async def undelivered(self) -> Sequence[PushConfig]:
        """Configs that have not given up and whose task has events they have not got, or goes on."""

    async def mark_push(self, config: PushConfig) -> None:
        """Keeps delivered, failures, gave_up, last_error of a config that still exists; never lowers `delivered`."""

    async def put_upload(self, row: UploadRow) -> None: ...

    async def upload(self, caller: str, sha256: str) -> UploadRow | None: ...

    async def uploads(self, caller: str) -> Sequence[UploadRow]: ...

    async def put_decisions(self, task_id: str, decisions: Sequence[Decision]) -> None:
        """Adds them to those of the task, all or none. Raises Stale when the task is gone."""

    async def decisions(self, task_id: str) -> Sequence[Decision]:
        """All that was said of a task's results, oldest first; it goes with the task."""

    async def erase(self, what: Erase) -> Erased: ...

    async def retain(self, *, tasks_before: datetime, task_max: int, now: datetime) -> Erased:
        """Drops what is past its time or over the cap, oldest first and a bounded number a call; spares running tasks.

        A full result (not empty) means: call again.
        """

    async def dead(self) -> Sequence[str]:
        """The tasks that were given up and are still kept, newest first."""

    async def raise_dead(self, task_id: str) -> bool:
        """Takes a task off that list; False when it is not on it."""

    async def hold(self, name: str, ttl_s: float) -> bool:
        """Takes the lease of this name for so long, or renews it; False while another process has it."""

    async def changed_outside(self) -> bool:
        """Whether another process wrote since the last call, so that what is remembered may be gone."""
