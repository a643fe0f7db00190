"""How deep a caller's JSON may be nested. Pure.

The parser takes 1,024 levels, the writer 254: what lies between could be stored and never be told again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.errors import InvalidRequest

MAX_LEVELS = 100  # answers put some ten around it


def check_nesting(body: bytes, value: object) -> None:
    """Raises InvalidRequest for a body that is nested deeper. `value` is what `body` says."""
    if body.count(b"[") + body.count(b"{") <= MAX_LEVELS:
        return  # nearly every request: nothing has to be walked
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_LEVELS):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return
    raise InvalidRequest(f"The body is nested deeper than {MAX_LEVELS} levels.")


def _within(outer: dict[str, Any] | list[Any]) -> Iterator[dict[str, Any] | list[Any]]:
    for inner in outer.values() if isinstance(outer, dict) else outer:
        if isinstance(inner, dict | list):
            yield inner
