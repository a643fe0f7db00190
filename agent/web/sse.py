"""Server-sent events as bytes. Pure."""

from __future__ import annotations

import re

PING = b": ping\n\n"
GOODBYE = b"retry: 1000\n: the stream ends before its task; continue after the last event id\n\n"

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy that collects events delivers none
}


def encode(data: bytes, *, sequence: int | None = None, event: str | None = None) -> bytes:
    """One event. `data` is JSON on one line; `sequence` is what `Last-Event-ID` gives back."""
    name = b"event: %b\n" % event.encode() if event else b""
    mark = b"id: %d\n" % sequence if sequence is not None else b""
    return b"%b%bdata: %b\n\n" % (name, mark, data)


def resumed_after(last_event_id: str | None) -> int | None:
    """The sequence a reconnecting client has seen; what is no number of ours is ignored."""
    if last_event_id is None or not re.fullmatch(r"[0-9]{1,18}", last_event_id.strip()):
        return None
    return int(last_event_id)
