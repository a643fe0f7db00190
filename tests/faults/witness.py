"""What clients were told, kept beside the service: it must stand by all of it after every death."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

ENDED = frozenset(f"TASK_STATE_{name}" for name in ("COMPLETED", "FAILED", "CANCELED", "REJECTED"))
GIVEN_UP = "the service stopped unexpectedly during each of"  # said of a task that was at work in three lives


@dataclass
class Witness:
    """Everything acknowledged, and every contradiction that was seen."""

    tasks: set[str] = field(default_factory=set)
    ends: dict[str, Json] = field(default_factory=dict)  # tasks that were told in a state that is for ever
    follow_ups: dict[str, str] = field(default_factory=dict)  # messages that were taken, and the task of each
    events: dict[tuple[str, int, str], Json] = field(default_factory=dict)  # by task, SSE id and kind
    contradictions: list[str] = field(default_factory=list)
    resumed: int = 0  # streams that were taken up again after a death
    given_up: int = 0

    def task(self, task: Json) -> None:
        """A task as an answer told it."""
        self.tasks.add(task["id"])
        if task["status"]["state"] in ENDED:
            self._same(self.ends.setdefault(task["id"], task), task, f"task {task['id']}")

    def event(self, task_id: str, sequence: int, event: Json) -> None:
        """An event of a stream. A snapshot bears the id of the last event in it, and so is kept apart from it."""
        self.tasks.add(task_id)
        (kind, told), *_ = event.items()
        known = self.events.setdefault((task_id, sequence, kind), told)
        self._same(known, told, f"event {sequence} of {task_id}")

    def expect(self, holds: bool, words: str) -> None:
        if not holds:
            self.contradictions.append(words)

    def final(self, task: Json) -> None:
        """A task as it is when all is over."""
        self.task(task)
        state = task["status"]["state"]
        if state == "TASK_STATE_FAILED" and GIVEN_UP in str(task["status"]):
            self.given_up += 1
            return
        self.expect(state in ("TASK_STATE_COMPLETED", "TASK_STATE_CANCELED"), f"task {task['id']} is {state}")

    def _same(self, known: Json, told: Json, what: str) -> None:
        self.expect(known == told, f"{what} was told as {known} and as {told}")
