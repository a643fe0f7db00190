"""A generation of the server that is ready for calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.pdf_client.connection import Connection

if TYPE_CHECKING:
    from mcp import Client


@dataclass(frozen=True, slots=True)
class ToolInfo:
    name: str
    description: str
    input_schema: Mapping[str, Any]


@dataclass(eq=False, slots=True)
class Link:
    client: Client
    connection: Connection
    generation: int
    tools: tuple[ToolInfo, ...]
