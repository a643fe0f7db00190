"""What is wanted of a document, name by name, and the JSON Schema a model has to answer by.

The unit is a top-level name of the values: one field of a list, one property of a caller's schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.planning.values import TYPES, leaves, pointer
from agent.planning.wording import type_of

# Of JSON Schema, what the Gemini API takes in `responseJsonSchema`.
_SPOKEN = frozenset(
    {"$defs", "$ref", "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems"}
    | {"minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required"}
)
_HINTS = {
    "date": "YYYY-MM-DD",
    "amount": "decimal string with a point",
    "percent": "decimal string with a point, without the percent sign",
    "currency": "ISO 4217 code",
    "address": "one line",
    "id": "all characters as printed",
    "iban": "all characters as printed",
}
_COLUMNS = {"description": "string", "quantity": "number", "unit_price": "amount", "amount": "amount"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One value, list or object that is wanted. `schema` is what a model may answer for it: always null too."""

    name: str
    type: str
    description: str
    schema: Mapping[str, Any]

    @property
    def rows(self) -> bool:
        """Whether the answer is a list of objects."""
        return self.type == "items"

    def field(self) -> dict[str, str]:
        """As `locate_values` takes it."""
        return {"name": self.name, "type": self.type, "description": self.description}


def wanted_of(wish: Mapping[str, Any], values: Mapping[str, Any]) -> list[Wanted]:
    """What the wish wants; without fields or schema, what the document's type gave as `values`."""
    if (schema := wish.get("schema")) is not None:
        return [
            Wanted(name, _schema_type(name, part), str(part.get("description", "")), _nullable(part))
            for name, part in (schema.get("properties") or {}).items()
            if isinstance(part, dict)
        ]
    fields = [{"name": one} if isinstance(one, str) else one for one in wish.get("fields") or ()]
    return [_wanted(one) for one in fields or ({"name": name} for name in values)]


def _wanted(one: Mapping[str, Any]) -> Wanted:
    name = str(one["name"])
    kind = str(one.get("type") or type_of(name))
    kind = kind if kind in TYPES else "string"
    description = str(one.get("description") or "")
    return Wanted(name, kind, description, _leaf(kind, description or name.replace("_", " ")))


def _leaf(kind: str, description: str) -> dict[str, Any]:
    if kind == "items":
        row = {name: _leaf(column, "") for name, column in _COLUMNS.items()}
        rows = {"type": "object", "properties": row, "required": list(row)}
        return {"type": ["array", "null"], "items": rows, "description": description}
    if kind == "namelist":
        return {"type": ["array", "null"], "items": {"type": "string"}, "description": description}
    words = "; ".join(filter(None, (description, _HINTS.get(kind))))
    json_type = kind if kind in ("number", "integer", "boolean") else "string"
    return {"type": [json_type, "null"]} | ({"description": words} if words else {})


def _schema_type(name: str, part: Mapping[str, Any]) -> str:
    """The contract's type nearest to a property: its own JSON type and format, else what its name suggests."""
    kind = part.get("type")
    kinds = {kind} if isinstance(kind, str) else set(kind or ())
    for own in ("boolean", "integer", "number"):
        if own in kinds:
            return own
    if "array" in kinds:
        inner = part.get("items")
        return "namelist" if isinstance(inner, dict) and inner.get("type") == "string" else "items"
    if part.get("format") == "date":
        return "date"
    guess = type_of(name)
    return guess if kinds <= {"string", "null"} and guess not in ("items", "namelist") else "string"


def _nullable(node: Any) -> dict[str, Any]:
    """A schema of which every part may be null, in the keywords that the API takes."""
    found = {key: value for key, value in node.items() if key in _SPOKEN} if isinstance(node, Mapping) else {}
    for key in ("properties", "$defs"):
        if isinstance(found.get(key), Mapping):
            found[key] = {name: _nullable(child) for name, child in found[key].items()}
    if isinstance(found.get("items"), Mapping):
        found["items"] = _nullable(found["items"])
    for key in ("anyOf", "oneOf", "prefixItems"):
        if isinstance(found.get(key), list):
            found[key] = [_nullable(child) for child in found[key]]
    if isinstance(found.get("enum"), list):
        found["enum"] = [*found["enum"], None] if None not in found["enum"] else found["enum"]
    kind = found.get("type")
    if isinstance(kind, str) and kind != "null":
        found["type"] = [kind, "null"]
    elif isinstance(kind, list) and "null" not in kind:
        found["type"] = [*kind, "null"]
    return found


def answer_schema(wanted: Sequence[Wanted], wish: Mapping[str, Any]) -> dict[str, Any]:
    """The object a model answers with: every wanted name required, every part of it nullable."""
    names = {one.name: dict(one.schema) for one in wanted}
    found: dict[str, Any] = {"type": "object", "properties": names, "required": list(names)}
    definitions = (wish.get("schema") or {}).get("$defs")
    if definitions and "$ref" in str(names):
        found["$defs"] = {name: _nullable(part) for name, part in definitions.items()}
    return found


def unsure(wanted: Sequence[Wanted], result: Mapping[str, Any]) -> list[Wanted]:
    """What the embedded engine left null or is doubtful of: low confidence, or part of a check that failed.

    Where an e-invoice speaks, what it leaves out is absent. A cell that a printed row leaves empty is no doubt.
    """
    evidence: Mapping[str, Any] = result["evidence"]
    stated = any(proof.get("source") == "xml" for proof in evidence.values())
    broken = {at for check in result["checks"] if not check["passed"] for at in check["fields"]}

    def weak(one: Wanted) -> bool:
        top = pointer(one.name)
        for at, value in leaves(result["values"].get(one.name), top):
            proof = evidence.get(at) or evidence.get(top) or {}
            if value is None or value == []:
                absent = stated and proof.get("reason", "not_found") == "not_found"
                if not absent and (at == top or not one.rows):
                    return True
            elif proof.get("confidence", "low") == "low" or at in broken:
                return True
        return False

    return [one for one in wanted if weak(one)]
