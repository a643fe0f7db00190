"""What a codec is: one version's spelling of requests, results and events. Three implement it: v1, v03, v03_rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agent.a2a.operations import Request
from agent.task import Event, Message, Task
from agent.tasks.store import PushConfig


class Codec(Protocol):
    @property
    def version(self) -> str: ...

    def read(self, operation: str, params: object) -> Request:
        """The request. Raises InvalidParams, which names the field."""

    def task_or_message(self, result: Task | Message, history_length: int | None) -> Mapping[str, Any]:
        """What send answers."""

    def task(self, task: Task, history_length: int | None) -> Mapping[str, Any]: ...

    def event(self, task: Task, event: Event | None, history_length: int | None, *, final: bool) -> Mapping[str, Any]:
        """One stream event; the snapshot where `event` is None. `final`: the stream ends after it."""

    def push(self, config: PushConfig) -> Mapping[str, Any]: ...

    def pushes(self, configs: Sequence[PushConfig]) -> Any: ...

    def deleted(self) -> Any: ...
