"""Typed access to a JSON object that a caller sent: liberal in spelling, exact in naming what is wrong.

Every name is found in camelCase and in snake_case; null and an empty string mean "not given", as in ProtoJSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agent.errors import InvalidParams
from agent.task import EMPTY


def camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), name)


class Fields:
    """One JSON object and the path to it, which an error names."""

    __slots__ = ("json", "path")

    def __init__(self, json: object, path: str = "") -> None:
        if not isinstance(json, dict):
            raise InvalidParams(f"{path or 'params'} must be an object", field=path or "params")
        self.json: dict[str, Any] = json if "_" not in "".join(json) else _in_camel_case(json)
        self.path = path

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def wrong(self, name: str, words: str) -> InvalidParams:
        path = self.at(name)
        return InvalidParams(f"{path} {words}", field=path)

    def has(self, name: str) -> bool:
        return name in self.json

    def get(self, name: str) -> Any:
        return self.json.get(name)

    def text(self, name: str) -> str | None:
        value = self.json.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.wrong(name, "must be a string")
        return value

    def need(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise self.wrong(name, "is required")
        return value

    def integer(self, name: str) -> int | None:
        """A whole number; ProtoJSON and query strings also spell it as text."""
        value = self.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,10}", value):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(name, "must be a whole number")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.get(name)
        if value is None or value == "":
            return None
        if value in ("true", "false"):
            return bool(value == "true")
        if not isinstance(value, bool):
            raise self.wrong(name, "must be true or false")
        return value

    def instant(self, name: str) -> datetime | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            when = datetime.fromisoformat(value)
            return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.wrong(name, "must be an RFC 3339 time such as 2026-01-31T09:30:00Z") from None

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self.get(name)
        if value is None:
            return EMPTY
        if not isinstance(value, dict):
            raise self.wrong(name, "must be an object")
        return value

    def items(self, name: str) -> list[Any]:
        value = self.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(name, "must be an array")
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        value = self.items(name)
        if not all(isinstance(item, str) for item in value):
            raise self.wrong(name, "must be an array of strings")
        return tuple(value)

    def child(self, name: str) -> Fields | None:
        value = self.get(name)
        return None if value is None else Fields(value, self.at(name))

    def need_child(self, name: str) -> Fields:
        child = self.child(name)
        if child is None:
            raise self.wrong(name, "is required")
        return child


def _in_camel_case(json: dict[str, Any]) -> dict[str, Any]:
    """The same members; of two spellings of one name the camelCase one counts, unless it is null."""
    named = {name: value for name, value in json.items() if "_" not in name}
    for name, value in json.items():
        if "_" in name and named.get(camel(name)) is None:
            named[camel(name)] = value
    return named
