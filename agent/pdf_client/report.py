"""What operators see of the PDF server."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from mcp_types import CallToolResult


class Phase(enum.Enum):
    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing_off"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Report:
    phase: str
    generation: int
    pid: int | None
    rss_bytes: int | None
    last_seen_age_s: float | None
    restarts: Mapping[str, int]  # by reason
    start_error: Mapping[str, Any] | None  # code, message, stderr
    server: Mapping[str, Any] | None  # the last answer of `server_status`


def read_status(result: CallToolResult) -> dict[str, Any] | None:
    """The JSON of a `server_status` answer; another server may have no such tool, which is an answer, too."""
    if result.is_error:
        return None
    try:
        status = orjson.loads("".join(block.text for block in result.content if block.type == "text"))
    except orjson.JSONDecodeError:
        return None
    return status if isinstance(status, dict) else None
