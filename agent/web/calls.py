"""The one core behind every version and binding: a request of the operations table becomes a call of the task engine.

What a version spells differently stays in its codec; what a binding carries differently stays in `jsonrpc` and `rest`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from agent.a2a import card, v03
from agent.a2a import operations as ops
from agent.a2a.card import CardFacts
from agent.a2a.codec import Codec
from agent.a2a.outgoing import upload_url
from agent.a2a.v1 import V1
from agent.caller import Caller
from agent.errors import ContentTypeNotSupported, Forbidden, InvalidParams, UnsupportedOperation
from agent.task import Message, Part
from agent.tasks.engine import TaskEngine
from agent.tasks.fetch import Fetcher
from agent.tasks.store import ListQuery, PushConfig
from agent.tasks.subscription import Update
from agent.tasks.uploads import Uploads
from agent.web.answers import A2A_JSON, JSON, dump

audit = logging.getLogger("agent.audit")

GRACE_S = 1.0  # 0.3 leaves `blocking` undefined: unset waits this long, then answers the running task
MAX_FILES = 20
PDF_TYPES = frozenset({"application/pdf", "application/x-pdf", "application/octet-stream", ""})


@dataclass(frozen=True, slots=True)
class Call:
    """Everything one call may need."""

    engine: TaskEngine
    uploads: Uploads
    fetcher: Fetcher
    facts: CardFacts
    wait_s: float
    caller: Caller
    codec: Codec
    idempotency_key: str | None = None


async def perform(call: Call, operation: ops.Operation, params: object) -> Any:
    """The JSON result of an operation that does not stream. Raises AgentError."""
    admit(call.caller, operation)
    return await ANSWERS[operation.name](call, call.codec.read(operation.name, params))


def admit(caller: Caller, operation: ops.Operation) -> None:
    if operation.scopes and not operation.scopes & caller.scopes:
        raise Forbidden(f"This needs the scope {' or '.join(sorted(operation.scopes))}.")


async def _send(call: Call, request: Any) -> Any:
    message, push = await _taken(call, request), _push(call, request.push)
    result = await call.engine.send(
        call.caller, message, push=push, idempotency_key=call.idempotency_key, metadata=request.metadata
    )
    if not isinstance(result, Message) and request.blocking is not False:
        wait_s = call.wait_s if request.blocking else min(GRACE_S, call.wait_s)
        result = await call.engine.wait(call.caller, result.id, wait_s)
    return call.codec.task_or_message(result, request.history_length)


async def _get(call: Call, request: Any) -> Any:
    return call.codec.task(await call.engine.get(call.caller, request.id), request.history_length)


async def _list(call: Call, request: Any) -> Any:
    query = ListQuery(
        request.context_id,
        request.state,
        request.page_size,
        request.page_token,
        request.since,
        request.include_artifacts,
    )
    page = await call.engine.list(call.caller, query)
    assert isinstance(call.codec, V1)  # noqa: S101  # only 1.0 has the operation
    return call.codec.tasks(page.tasks, request, next_page_token=page.next_page_token, total=page.total)


async def _cancel(call: Call, request: Any) -> Any:
    task = await call.engine.cancel(call.caller, request.id, request.metadata)
    audit.info("task.cancel", extra={"by": call.caller.id, "task": task.id})
    return call.codec.task(task, None)


async def _push_create(call: Call, request: Any) -> Any:
    config = _push(call, request.push)
    assert config is not None  # noqa: S101  # the reader demands one
    made = await call.engine.create_push(call.caller, replace(config, task_id=request.task_id, caller=call.caller.id))
    return call.codec.push(made)


async def _push_get(call: Call, request: Any) -> Any:
    return call.codec.push(await call.engine.get_push(call.caller, request.task_id, request.id))


async def _push_list(call: Call, request: Any) -> Any:
    return call.codec.pushes(await call.engine.list_push(call.caller, request.task_id))


async def _push_delete(call: Call, request: Any) -> Any:
    await call.engine.delete_push(call.caller, request.task_id, request.id)
    audit.info("webhook.remove", extra={"by": call.caller.id, "task": request.task_id, "config": request.id})
    return call.codec.deleted()


async def _extended_card(call: Call, request: Any) -> Any:
    del request
    return card.seen_by_v1(call.facts) if call.codec.version == ops.V1 else card.union_card(call.facts)


ANSWERS: Mapping[str, Callable[[Call, Any], Awaitable[Any]]] = {
    "send": _send,
    "get": _get,
    "list": _list,
    "cancel": _cancel,
    "push_create": _push_create,
    "push_get": _push_get,
    "push_list": _push_list,
    "push_delete": _push_delete,
    "extended_card": _extended_card,
}


@asynccontextmanager
async def follow(
    call: Call, operation: ops.Operation, params: object, after: int | None
) -> AsyncIterator[tuple[AsyncIterator[Update] | Message, int | None]]:
    """The updates of a streaming operation (or a direct answer) with the history length. Raises before the first."""
    admit(call.caller, operation)
    request = call.codec.read(operation.name, params)
    if isinstance(request, ops.Subscribe):
        task = await call.engine.get(call.caller, request.id)
        if task.state.terminal and after is None:
            raise UnsupportedOperation(f"task {task.id} has ended: get it instead")
        async with call.engine.subscribe(call.caller, request.id, after=after) as updates:
            yield updates, None
        return
    assert isinstance(request, ops.Send)  # noqa: S101  # the table has no other stream
    message, push = await _taken(call, request), _push(call, request.push)
    async with call.engine.stream(
        call.caller, message, push=push, idempotency_key=call.idempotency_key, metadata=request.metadata
    ) as found:
        yield found, request.history_length


async def _taken(call: Call, request: ops.Send) -> Message:
    """The message with its files moved into the caller's spool: stored tasks hold no bytes."""
    if all(part.raw is None and part.url is None for part in request.message.parts):
        return request.message
    parts = [await _part(call, part, at) for at, part in enumerate(request.message.parts)]
    if sum(part.upload is not None for part in parts) > MAX_FILES:
        raise InvalidParams(f"a message has at most {MAX_FILES} files", field="message.parts")
    return replace(request.message, parts=tuple(parts))


async def _part(call: Call, part: Part, at: int) -> Part:
    where = f"message.parts[{at}]"
    if part.raw is None and part.url is None:
        return part
    if (part.media_type or "").partition(";")[0].strip().casefold() not in PDF_TYPES:
        words = f"Incompatible content types: {(part.media_type or '')[:80]} is not supported."
        raise ContentTypeNotSupported(words, hint="Send a PDF.", field=where)
    own = upload_url(call.facts.public_url, "")
    if part.url is not None and part.url.startswith(own):  # our own address of an upload, handed back
        upload = await call.uploads.get(call.caller, part.url.removeprefix(own))
    elif part.url is not None:
        upload = await call.fetcher.fetch(call.caller, part.url, filename=part.filename)
    else:
        upload = await call.uploads.put(call.caller, part.raw or b"", filename=part.filename)
    return replace(part, raw=None, url=None, upload=upload.sha256, filename=part.filename or upload.filename)


def _push(call: Call, wish: ops.PushWish | None) -> PushConfig | None:
    if wish is None:
        return None
    return PushConfig(
        wish.id or uuid4().hex,
        "",
        call.caller.id,
        wish.url,
        protocol=call.codec.version,
        token=wish.token,
        scheme=wish.scheme,
        credentials=wish.credentials,
    )


def push_payload(protocol: str, update: Update) -> tuple[bytes, str] | None:
    """The body of a webhook in the version that registered it: 1.0 gets the event, 0.3 the bare task (A2A §4.3)."""
    if protocol == ops.V03:
        return dump(v03.V03("").task(update.task)), JSON
    return dump(V1("").event(update.task, update.event, None, final=False)), A2A_JSON
