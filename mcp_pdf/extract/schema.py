"""A caller's JSON Schema: to fields, and values back into its shape. Only local references are followed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import orjson

from mcp_pdf.errors import PdfError
from mcp_pdf.extract.concepts import concept_of
from mcp_pdf.extract.fitting import Fitting
from mcp_pdf.extract.folding import fold, squash, tokens
from mcp_pdf.extract.labels import lexicon
from mcp_pdf.extract.wish import TYPES, Field, guess_type

_MAX_BYTES = 64 * 1024
_MAX_DEPTH = 32
_MAX_PROPERTIES = 500
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_YES = "yes y true x 1 ja oui si sim tak evet ano da on checked"
_NO = "no n false 0 nein non nao nie hayir ne nu nee nei nej off"
_YES_NO = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)
_FORMATS = {"date": "date", "date-time": "date", "email": "email", "uri": "url", "phone": "phone", "iban": "iban"}


def fields_of(schema: Any) -> tuple[Field, ...]:
    """The leaves of an object schema. Raises PdfError(invalid_schema)."""
    if not isinstance(schema, dict):
        raise _invalid("A schema is a JSON object.")
    try:
        size = len(orjson.dumps(schema))
    except TypeError:
        raise _invalid("The schema holds a value that is no JSON.") from None
    if size > _MAX_BYTES:
        raise _invalid(f"A schema may have {_MAX_BYTES} bytes.")
    _check_references(schema, 0)
    found = _leaves(_resolved(schema, schema), schema, ())
    if not found:
        raise _invalid("The schema names no properties.")
    empty = assemble({field.path: None for field in found})
    if not Fitting(schema).holds(empty):
        raise _invalid("The schema allows no result in which values are missing.")
    return tuple(found)


def _check_references(node: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _invalid(f"A schema may be {_MAX_DEPTH} levels deep.")
    if isinstance(node, dict):
        for key in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = node.get(key)
            if isinstance(reference, str) and not reference.startswith("#"):
                raise _invalid(f"Only local references are followed, not {reference[:100]!r}.")
        for value in node.values():
            _check_references(value, depth + 1)
    elif isinstance(node, list):
        for value in node:
            _check_references(value, depth + 1)


def _resolved(node: Any, root: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """A schema with its reference followed, and the properties of its composed parts taken in."""
    for _ in range(_MAX_DEPTH):
        if not isinstance(node, dict):
            return {}
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return _composed(node, root, depth)
        node = {key: value for key, value in node.items() if key != "$ref"} | _target(reference, root)
    raise _invalid("The schema's references run in a circle.")


def _target(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    target: Any = root
    for part in unquote(reference).lstrip("#").strip("/").split("/") if reference.strip("#/") else ():
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and key.isdecimal() and int(key) < len(target):
            target = target[int(key)]
        else:
            target = target.get(key) if isinstance(target, dict) else None
    return target if isinstance(target, dict) else {}


def _composed(node: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    """All parts of an allOf count, of an anyOf or oneOf the first that is more than null."""
    if depth > _MAX_DEPTH:
        raise _invalid("The schema's references run in a circle.")
    parts = [part for part in _list(node.get("allOf")) if isinstance(part, dict)]
    for key in ("anyOf", "oneOf"):
        parts += [o for o in _list(node.get(key)) if isinstance(o, dict) and o.get("type") != "null"][:1]
    for part in parts:
        inner = _resolved(part, root, depth + 1)
        properties = {**_dict(inner.get("properties")), **_dict(node.get("properties"))}
        node = inner | node | ({"properties": properties} if properties else {})
    return node


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _leaves(node: dict[str, Any], root: dict[str, Any], path: tuple[str, ...], depth: int = 0) -> list[Field]:
    if depth > _MAX_DEPTH:
        raise _invalid("The schema's references run in a circle.")
    found: list[Field] = []
    for name, raw in _dict(node.get("properties")).items():
        child = _resolved(raw, root)
        description = str((raw if isinstance(raw, dict) else {}).get("description") or child.get("description") or "")
        here = (*path, name)
        kind = _json_type(child)
        if child.get("properties") and kind in ("object", None):
            found += _leaves(child, root, here, depth + 1)
        elif kind == "array":
            found.append(_array(name, child, root, here, description, depth))
        else:
            found.append(_leaf(name, child, here, description))
        if len(found) > _MAX_PROPERTIES:
            raise _invalid(f"A schema may have {_MAX_PROPERTIES} properties.")
    return found


def _array(
    name: str, child: dict[str, Any], root: dict[str, Any], path: tuple[str, ...], description: str, depth: int
) -> Field:
    items = _resolved(child.get("items"), root)
    if items.get("properties"):
        columns = tuple(_leaves(items, root, (), depth + 1))
        return Field(name, "items", description, path, columns=columns, json_type="array")
    one = _leaf(name, items, path, description)
    return Field(name, "namelist", description, path, columns=(one,), json_type="array")


def _leaf(name: str, child: dict[str, Any], path: tuple[str, ...], description: str) -> Field:
    json_type = _json_type(child)
    name = _whole_name(path) or name
    choices = [*_list(child.get("enum")), *([child["const"]] if "const" in child else [])]
    named = child.get("x-type")
    kind = named if isinstance(named, str) and named in TYPES else _FORMATS.get(str(child.get("format")))
    return Field(
        name,
        kind or _kind(name, json_type),
        description,
        path,
        tuple(choice for choice in choices if choice is not None),
        json_type=json_type,
        format=str(child.get("format") or ""),
    )


def _whole_name(path: tuple[str, ...]) -> str | None:
    """`seller_name` for the name of a seller, vendor or supplier; None when the object adds nothing known to it."""
    if len(path) < 2:
        return None
    parents = [entry.concept for entry in lexicon().exactly(_spaced(path[-2]))]
    for parent in (_spaced(path[-2]).replace(" ", "_"), *parents):
        whole = f"{parent}_{_spaced(path[-1]).replace(' ', '_')}"
        if concept_of(Field(whole)) == whole:
            return whole
    return None


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]", " ", name).lower()


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


def coerce(field: Field, value: Any) -> Any:
    """A value in the JSON type that the caller's schema demands; None when it cannot be that type."""
    if value is None or isinstance(value, list):
        return value
    if field.choices:
        return _chosen(field.choices, value)
    try:
        if field.json_type == "number":
            return float(value)
        if field.json_type == "integer":
            number = float(value)
            return int(number) if number == int(number) else None
    except (TypeError, ValueError, OverflowError):
        return None
    if field.json_type == "boolean":
        return value if isinstance(value, bool) else _YES_NO.get(fold(str(value)))
    if field.json_type == "string":
        text = value if isinstance(value, str) else str(value)
        return f"{text}T00:00:00Z" if field.format == "date-time" and _DAY.fullmatch(text) else text
    return value


def _chosen(choices: Sequence[Any], value: Any) -> Any:
    """The choice that a printed value names: spelled alike, else the only one it mentions."""
    wanted = squash(str(value))
    for choice in choices:
        if squash(str(choice)) == wanted:
            return choice
    said = set(tokens(str(value)))
    mentioned = [choice for choice in choices if said and set(tokens(str(choice))) <= said]
    return mentioned[0] if len(mentioned) == 1 else None


def assemble(pairs: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Values by path into nested objects."""
    out: dict[str, Any] = {}
    for path, value in pairs.items():
        node = out
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = value
    return out


def _invalid(message: str) -> PdfError:
    return PdfError("invalid_schema", message, "Correct the schema and send it again.")
