"""What every version's writer needs: times, base64, history cut to length, and which events are seen as which."""

from __future__ import annotations

import binascii
from datetime import datetime
from typing import Any

from agent.task import ArtifactChanged, AttemptStarted, Event, Message, MessageReceived, Part, State, StatusChanged

Json = dict[str, Any]


def timestamp(when: datetime) -> str:
    """`YYYY-MM-DDTHH:mm:ss.sssZ` (A2A 1.0 §5.6.1)."""
    return when.isoformat(timespec="milliseconds")[:23] + "Z"


def base64(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()


def recent(history: tuple[Message, ...], length: int | None) -> tuple[Message, ...]:
    """The last `length` messages; None is all of them, 0 none (A2A 1.0 §3.2.4)."""
    if length is None:
        return history
    return history[-length:] if length else ()


def told_as(event: Event) -> StatusChanged | ArtifactChanged:
    """What a stream tells of an event; a follow-up and a new attempt are told as the status they lead to."""
    match event:
        case MessageReceived():
            return StatusChanged(State.SUBMITTED, event.timestamp)
        case AttemptStarted():
            return StatusChanged(State.WORKING, event.timestamp)
        case _:
            return event


def upload_url(base_url: str, sha256: str) -> str:
    """Where the owner reads bytes that were moved into the spool: a document id is one segment."""
    return f"{base_url}/documents/upload%2F{sha256}"


def link(part: Part, base_url: str) -> str | None:
    """The address of a part that is told as one."""
    return part.url if part.upload is None else upload_url(base_url, part.upload)
