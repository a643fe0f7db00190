"""The limits of a caller's JSON Schema, checked before it goes anywhere: size, depth, properties, references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from agent.errors import InvalidSchema

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_PROPERTIES = 500


def check_schema(schema: Any, where: str) -> None:
    """Raises InvalidSchema. Only references below `#` are allowed: nothing is ever fetched for a schema."""
    if not isinstance(schema, dict):
        raise InvalidSchema("the schema must be an object", field=where)
    if len(orjson.dumps(schema)) > MAX_BYTES:
        raise InvalidSchema(f"the schema is larger than {MAX_BYTES // 1024} KB", field=where)
    properties = 0
    for node, depth in _nodes(schema):
        if depth > MAX_DEPTH:
            raise InvalidSchema(f"the schema is nested deeper than {MAX_DEPTH}", field=where)
        for key in ("$ref", "$dynamicRef", "$recursiveRef"):
            if isinstance(node.get(key), str) and not node[key].startswith("#"):
                raise InvalidSchema(f"{key} {node[key][:80]!r}: only local references (#...) are followed", field=where)
        if isinstance(node.get("properties"), dict):
            properties += len(node["properties"])
    if properties > MAX_PROPERTIES:
        raise InvalidSchema(f"the schema has more than {MAX_PROPERTIES} properties", field=where)
    _compile(schema, where)


def _nodes(schema: Any) -> Iterator[tuple[dict[str, Any], int]]:
    """Every object of the schema with its depth, without recursion."""
    left: list[tuple[Any, int]] = [(schema, 1)]
    while left:
        node, depth = left.pop()
        if isinstance(node, dict):
            yield node, depth
            left += [(child, depth + 1) for child in node.values()]
        elif isinstance(node, list):
            left += [(child, depth + 1) for child in node]


def _compile(schema: dict[str, Any], where: str) -> None:
    import jsonschema_rs

    try:
        jsonschema_rs.validator_for(schema, retriever=_refuse)
    except (ValueError, jsonschema_rs.ValidationError) as exc:
        raise InvalidSchema(f"the schema is no JSON Schema: {str(exc)[:200]}", field=where) from exc


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched")
