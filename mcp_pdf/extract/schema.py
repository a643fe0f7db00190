"""A caller's JSON Schema: to fields, and values back into its shape.

Only local references are followed. The effective schema is the caller's with every leaf made nullable, for a value
that is not in the document is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import orjson

from mcp_pdf.errors import PdfError
from mcp_pdf.extract.wish import TYPES, Field, guess_type

_MAX_BYTES = 64 * 1024
_MAX_DEPTH = 32
_MAX_PROPERTIES = 500
_FORMATS = {"date": "date", "date-time": "date", "email": "email", "uri": "url", "phone": "phone", "iban": "iban"}


def fields_of(schema: Any) -> tuple[Field, ...]:
    """The leaves of an object schema. Raises PdfError(invalid_schema)."""
    if not isinstance(schema, dict):
        raise _invalid("A schema is a JSON object.")
    if len(orjson.dumps(schema)) > _MAX_BYTES:
        raise _invalid(f"A schema may have {_MAX_BYTES} bytes.")
    _check_references(schema, 0)
    try:
        jsonschema_rs.validator_for(schema, retriever=_refuse)
    except (ValueError, jsonschema_rs.ReferencingError) as exc:
        raise _invalid(f"The schema is not valid: {str(exc).splitlines()[0]}") from None
    found = _leaves(_resolved(schema, schema), schema, ())
    if not found:
        raise _invalid("The schema names no properties.")
    if len(found) > _MAX_PROPERTIES:
        raise _invalid(f"A schema may have {_MAX_PROPERTIES} properties.")
    return tuple(found)


def _refuse(uri: str) -> Any:
    raise ValueError(f"references to other documents are not followed: {uri}")


def _check_references(node: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _invalid(f"A schema may be {_MAX_DEPTH} levels deep.")
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            raise _invalid(f"Only local references are followed, not {reference[:100]!r}.")
        for value in node.values():
            _check_references(value, depth + 1)
    elif isinstance(node, list):
        for value in node:
            _check_references(value, depth + 1)


def _resolved(node: Any, root: dict[str, Any]) -> dict[str, Any]:
    for _ in range(_MAX_DEPTH):
        if not isinstance(node, dict):
            return {}
        reference = node.get("$ref")
        if not isinstance(reference, str):
            options = node.get("anyOf") or node.get("oneOf") or node.get("allOf")
            if options and "type" not in node and "properties" not in node:
                node = next((o for o in options if isinstance(o, dict) and o.get("type") != "null"), {})
                continue
            return node
        target: Any = root
        for part in reference.lstrip("#").strip("/").split("/") if reference.strip("#/") else ():
            target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
        node = target
    raise _invalid("The schema's references run in a circle.")


def _leaves(node: dict[str, Any], root: dict[str, Any], path: tuple[str, ...]) -> list[Field]:
    if len(path) > _MAX_DEPTH:
        raise _invalid("The schema's references run in a circle.")
    found: list[Field] = []
    for name, raw in (node.get("properties") or {}).items():
        child = _resolved(raw, root)
        description = str((raw if isinstance(raw, dict) else {}).get("description") or child.get("description") or "")
        here = (*path, name)
        kind = _json_type(child)
        if kind == "object" or "properties" in child:
            found += _leaves(child, root, here)
        elif kind == "array":
            found.append(_array(name, child, root, here, description))
        else:
            found.append(_leaf(name, child, here, description))
        if len(found) > _MAX_PROPERTIES:
            raise _invalid(f"A schema may have {_MAX_PROPERTIES} properties.")
    return found


def _array(name: str, child: dict[str, Any], root: dict[str, Any], path: tuple[str, ...], description: str) -> Field:
    items = _resolved(child.get("items") or {}, root)
    if "properties" in items:
        return Field(name, "items", description, path, columns=tuple(_leaves(items, root, ())), json_type="array")
    return Field(name, "namelist", description, path, json_type="array")


def _leaf(name: str, child: dict[str, Any], path: tuple[str, ...], description: str) -> Field:
    json_type = _json_type(child)
    choices = tuple(value for value in child.get("enum") or () if value is not None)
    named = child.get("x-type") or _FORMATS.get(str(child.get("format")))
    kind = named if named in TYPES else _kind(name, json_type)
    return Field(name, kind, description, path, choices, json_type=json_type)


def _kind(name: str, json_type: str | None) -> str:
    guessed = guess_type(name)
    if json_type in ("boolean", "integer"):
        return json_type
    if json_type == "number":
        return "amount" if guessed in ("amount", "percent") else "number"
    return "name" if guessed in ("items", "namelist") else guessed


def _json_type(node: dict[str, Any]) -> str | None:
    kind = node.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    return kind if isinstance(kind, str) else None


def effective(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that the result satisfies: every leaf may be null, nothing else changes."""
    found: dict[str, Any] = _nullable(schema)
    return found


def _nullable(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "$defs", "definitions", "patternProperties") and isinstance(value, dict):
            out[key] = {name: _nullable(child) for name, child in value.items()}
        elif key in ("items", "additionalProperties"):
            out[key] = _nullable(value)
        elif key in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
            out[key] = [_nullable(child) for child in value]
        else:
            out[key] = value
    return _or_null(out)


def _or_null(node: dict[str, Any]) -> dict[str, Any]:
    kind = node.get("type")
    if kind in ("object", "array") or "properties" in node or "$ref" in node:
        return node
    if isinstance(kind, str) and kind != "null":
        node = {**node, "type": [kind, "null"]}
    elif isinstance(kind, list) and "null" not in kind:
        node = {**node, "type": [*kind, "null"]}
    if "enum" in node and None not in node["enum"]:
        node = {**node, "enum": [*node["enum"], None]}
    if "const" in node:
        node = {"anyOf": [node, {"type": "null"}]}
    return node


def coerce(field: Field, value: Any) -> Any:
    """A value in the JSON type that the caller's schema demands; None when it cannot be that type."""
    if value is None:
        return None
    if field.choices:
        folded = {str(choice).casefold(): choice for choice in field.choices}
        return folded.get(str(value).casefold())
    try:
        if field.json_type == "number":
            return float(value)
        if field.json_type == "integer":
            number = float(value)
            return int(number) if number == int(number) else None
    except (TypeError, ValueError, OverflowError):
        return None
    if field.json_type == "boolean":
        return value if isinstance(value, bool) else None
    if field.json_type == "string":
        return value if isinstance(value, str) else str(value)
    return value


def assemble(pairs: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Values by path into nested objects."""
    out: dict[str, Any] = {}
    for path, value in pairs.items():
        node = out
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = value
    return out


def valid(schema: dict[str, Any], values: dict[str, Any]) -> bool:
    """Whether values satisfy the effective schema."""
    return bool(jsonschema_rs.validator_for(effective(schema), retriever=_refuse).is_valid(values))


def _invalid(message: str) -> PdfError:
    return PdfError("invalid_schema", message, "Correct the schema and send it again.")
