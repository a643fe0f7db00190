"""THE table of A2A operations, and the requests they take, without any version's spelling.

Bindings, codecs, the card and `openapi.json` all read this table; a new operation is a new row here,
a reader and a writer in each codec, and a method in `agent/web/calls.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.task import Message, State, empty

V1 = "1.0"
V03 = "0.3"

PAGE_SIZE = 50
MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class PushWish:
    """A webhook as a caller asks for it; `id` may be left to us."""

    url: str
    id: str | None = None
    token: str | None = None
    scheme: str | None = None
    credentials: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """`blocking` None: the version's default."""

    message: Message
    blocking: bool | None = None
    history_length: int | None = None
    push: PushWish | None = None
    metadata: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class Get:
    id: str
    history_length: int | None = None


@dataclass(frozen=True, slots=True)
class List:
    context_id: str | None = None
    state: State | None = None
    page_size: int = PAGE_SIZE
    page_token: str | None = None
    since: datetime | None = None
    history_length: int | None = None
    include_artifacts: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    id: str
    metadata: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str


@dataclass(frozen=True, slots=True)
class PushCreate:
    task_id: str
    push: PushWish


@dataclass(frozen=True, slots=True)
class PushGet:
    """0.3 may leave `id` out: then any one of the task's webhooks is meant."""

    task_id: str
    id: str | None


@dataclass(frozen=True, slots=True)
class PushList:
    task_id: str
    page_size: int = PAGE_SIZE
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class PushDelete:
    task_id: str
    id: str


@dataclass(frozen=True, slots=True)
class ExtendedCard:
    pass


Request = Send | Get | List | Cancel | Subscribe | PushCreate | PushGet | PushList | PushDelete | ExtendedCard


@dataclass(frozen=True, slots=True)
class Route:
    """A REST route below the interface's URL. `{id}` is a task, `{config}` a webhook."""

    verb: str
    path: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`scopes`: any one of them admits the caller; none means that being known is enough."""

    name: str
    summary: str
    v1: str
    v03: str | None
    rest_v1: tuple[Route, ...]
    scopes: frozenset[str]
    streams: bool = False
    own_rest_v03: tuple[Route, ...] | None = None

    @property
    def rest_v03(self) -> tuple[Route, ...]:
        """0.3 has the same paths, below /v1 (A2A 0.3 §3.2.3), but for a few of its own."""
        if self.own_rest_v03 is not None:
            return self.own_rest_v03
        return tuple(Route(route.verb, f"/v1{route.path}") for route in self.rest_v1)


_WORK = frozenset({"extract"})
_LOOK = frozenset({"extract", "read"})
_PUSH = "/tasks/{id}/pushNotificationConfigs"


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "send",
        "Send a message: starts a task, or continues one that waits for input",
        "SendMessage",
        "message/send",
        rest_v1=(Route("POST", "/message:send"),),
        scopes=_WORK,
    ),
    Operation(
        "stream",
        "Send a message and follow the task as a stream of events",
        "SendStreamingMessage",
        "message/stream",
        rest_v1=(Route("POST", "/message:stream"),),
        scopes=_WORK,
        streams=True,
    ),
    Operation(
        "get",
        "The task as it is now",
        "GetTask",
        "tasks/get",
        rest_v1=(Route("GET", "/tasks/{id}"),),
        scopes=_LOOK,
    ),
    Operation(
        "list",
        "The caller's tasks, newest first",
        "ListTasks",
        None,
        rest_v1=(Route("GET", "/tasks"),),
        own_rest_v03=(),  # 0.3 JSON-RPC has no list, and its clients' servers do not offer the REST one either
        scopes=_LOOK,
    ),
    Operation(
        "cancel",
        "End a task that has not ended",
        "CancelTask",
        "tasks/cancel",
        rest_v1=(Route("POST", "/tasks/{id}:cancel"),),
        scopes=_WORK,
    ),
    Operation(
        "subscribe",
        "Follow a task that has not ended",
        "SubscribeToTask",
        "tasks/resubscribe",
        # The proto and the clients say GET, the text of the specification says POST (1.0 §11.3).
        rest_v1=(
            Route("GET", "/tasks/{id}:subscribe"),
            Route("POST", "/tasks/{id}:subscribe"),
        ),
        scopes=_LOOK,
        streams=True,
    ),
    Operation(
        "push_create",
        "Register a webhook for a task",
        "CreateTaskPushNotificationConfig",
        "tasks/pushNotificationConfig/set",
        rest_v1=(Route("POST", _PUSH),),
        scopes=_WORK,
    ),
    Operation(
        "push_get",
        "One webhook of a task",
        "GetTaskPushNotificationConfig",
        "tasks/pushNotificationConfig/get",
        rest_v1=(Route("GET", _PUSH + "/{config}"),),
        scopes=_LOOK,
    ),
    Operation(
        "push_list",
        "The webhooks of a task",
        "ListTaskPushNotificationConfigs",
        "tasks/pushNotificationConfig/list",
        rest_v1=(Route("GET", _PUSH),),
        scopes=_LOOK,
    ),
    Operation(
        "push_delete",
        "Remove a webhook; removing it twice is no error",
        "DeleteTaskPushNotificationConfig",
        "tasks/pushNotificationConfig/delete",
        rest_v1=(Route("DELETE", _PUSH + "/{config}"),),
        scopes=_WORK,
    ),
    Operation(
        "extended_card",
        "The agent card as a known caller sees it",
        "GetExtendedAgentCard",
        "agent/getAuthenticatedExtendedCard",
        rest_v1=(Route("GET", "/extendedAgentCard"),),
        own_rest_v03=(Route("GET", "/v1/card"),),
        scopes=frozenset(),
    ),
)

BY_METHOD: Mapping[str, tuple[Operation, str]] = {
    **{op.v1: (op, V1) for op in OPERATIONS},
    **{op.v03: (op, V03) for op in OPERATIONS if op.v03},
}
