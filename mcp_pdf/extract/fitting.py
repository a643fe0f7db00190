"""The effective schema, which a result satisfies: the caller's with every leaf made nullable.

A value that is not in the document is null; nothing else of the caller's schema changes. A leaf is what is no object
with properties of its own: numbers, strings, lists, free objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jsonschema_rs

from mcp_pdf.errors import PdfError

_NULL = {"type": "null"}
_TABLES = ("$defs", "definitions")
_COMPOSED = ("allOf", "anyOf", "oneOf")
_ROUNDS = 20  # each takes back at least one value; what is not right by then becomes all null


class Fitting:
    """A caller's schema made ready to judge results. Raises PdfError(invalid_schema) when it is none."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.effective = effective(schema)
        try:
            jsonschema_rs.validator_for(schema, retriever=_refuse)
            self._validator = jsonschema_rs.validator_for(self.effective, retriever=_refuse, validate_formats=True)
        except (ValueError, jsonschema_rs.ReferencingError) as exc:
            reason = str(exc).splitlines()[0][:300]
            message = f"The schema is not valid: {reason}"
            raise PdfError("invalid_schema", message, "Correct the schema and send it again.") from None

    def holds(self, values: Any) -> bool:
        """Whether values satisfy the effective schema."""
        return bool(self._validator.is_valid(values))

    def fit(self, values: dict[str, Any]) -> list[tuple[str | int, ...]]:
        """Nulls the leaves that break the schema, in place, and tells their paths; the result satisfies it.

        A rule about an object as a whole (`dependentRequired`, `if`, `not`) that no single leaf breaks takes back
        all leaves of that object.
        """
        taken: list[tuple[str | int, ...]] = []
        for round_ in range(_ROUNDS):
            paths = [tuple(error.instance_path) for error in self._validator.iter_errors(values)]
            if not paths:
                return taken
            for path in paths if round_ < _ROUNDS - 1 else [()]:
                taken += _taken_back(values, path)
        return taken


def _taken_back(values: dict[str, Any], path: Sequence[str | int]) -> list[tuple[str | int, ...]]:
    """Nulls what stands at a path; an object there stays, with null leaves. Of a null in a list, the list."""
    parent: Any = None
    node: Any = values
    for at, part in enumerate(path):
        if isinstance(node, dict) and part not in node:  # a rule about a property that is not there
            return _taken_back(values, path[:at])
        parent, node = node, node[part]
        if node is None:
            places = [place for place, one in enumerate(path) if isinstance(one, int)]
            return _taken_back(values, path[: places[-1]]) if places else []
    if isinstance(node, dict) and node:
        return [found for key in node for found in _taken_back(values, (*path, key))]
    if parent is None:
        return []
    parent[path[-1]] = None
    return [tuple(path)]


def _refuse(uri: str) -> Any:
    raise ValueError(f"references to other documents are not followed: {uri}")


def effective(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that the result satisfies."""
    return _object(schema)


def _object(node: dict[str, Any]) -> dict[str, Any]:
    """An object schema, or the shape of one, with its leaves made nullable."""
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties" and isinstance(value, dict):
            out[key] = {name: _child(child) for name, child in value.items()}
        elif key in _TABLES and isinstance(value, dict):
            out[key] = {name: _shared(child) for name, child in value.items()}
        elif key in _COMPOSED and isinstance(value, list):
            out[key] = [_object(part) if isinstance(part, dict) else part for part in value]
        elif key == "items" and isinstance(value, dict):
            out[key] = _child(value) if _is_object(value) else value
        else:
            out[key] = value
    return out


def _shared(node: Any) -> Any:
    """A definition: leaves below it become nullable here, the definition itself where it is referred to."""
    return _object(node) if isinstance(node, dict) else node


def _child(node: Any) -> Any:
    if node is True:
        return node
    if not isinstance(node, dict):
        return {"anyOf": [node, _NULL]}
    if _is_object(node):
        return _object(node)
    if "$ref" in node:
        return {"anyOf": [node, _NULL]}
    return _or_null(_object(node))


def _is_object(node: dict[str, Any]) -> bool:
    return bool(node.get("properties")) and node.get("type", "object") == "object"


def _or_null(node: dict[str, Any]) -> dict[str, Any]:
    if not node.keys().isdisjoint({"const", "not", "if", "$dynamicRef", "$recursiveRef", *_COMPOSED}):
        return {"anyOf": [node, _NULL]}
    kind = node.get("type")
    if isinstance(kind, str) and kind != "null":
        node = {**node, "type": [kind, "null"]}
    elif isinstance(kind, list) and "null" not in kind:
        node = {**node, "type": [*kind, "null"]}
    if isinstance(node.get("enum"), list) and None not in node["enum"]:
        node = {**node, "enum": [*node["enum"], None]}
    return node
