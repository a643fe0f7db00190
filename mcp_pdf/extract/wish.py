"""What a caller wants from a document: typed fields, however they were asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from mcp_pdf.errors import PdfError

_TYPE_NAMES = (
    "string id name namelist address date amount number integer currency percent boolean email phone url iban items"
)
TYPES = frozenset(_TYPE_NAMES.split())
STRICTNESS = ("precise", "balanced", "eager")
_MAX_FIELDS = 500


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf (or table) of the answer. `path` leads to it through the caller's schema."""

    name: str
    type: str = "string"
    description: str = ""
    path: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()
    columns: tuple[Field, ...] = ()
    json_type: str | None = None  # what the caller's schema demands: string, number, integer, boolean, array
    format: str = ""  # the caller's schema's, such as date-time

    @property
    def pointer(self) -> str:
        """JSON Pointer to the value."""
        parts = self.path or (self.name,)
        return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


COLUMNS = (
    Field("description", "string"),
    Field("quantity", "number"),
    Field("unit_price", "amount"),
    Field("amount", "amount"),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A parsed request for values. Without fields the document type decides what is looked for."""

    fields: tuple[Field, ...] = ()
    schema: dict[str, Any] | None = field(default=None, hash=False)
    document_type: str | None = None
    strictness: str = "balanced"
    effective_schema: bool = False  # whether the result tells the schema that it satisfies

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Wish:
        """The wish in a request's JSON. Raises PdfError(invalid_schema) that names what is wrong."""
        from mcp_pdf.extract import schema as schemas  # schema needs Field

        strictness = data.get("strictness") or "balanced"
        if strictness not in STRICTNESS:
            raise _invalid(f"strictness is one of {', '.join(STRICTNESS)}, not {strictness!r}.")
        document_type = data.get("document_type")
        if document_type is not None:
            from mcp_pdf.extract.types import TYPES as KNOWN

            if document_type not in KNOWN:
                raise _invalid(f"document_type is one of {', '.join(sorted(KNOWN))}, not {document_type!r}.")
        schema = data.get("schema")
        if schema is not None:
            told = bool(data.get("effective_schema"))
            return cls(schemas.fields_of(schema), schema, document_type, strictness, told)
        return cls(_fields(data.get("fields") or []), None, document_type, strictness)


def _fields(given: Any) -> tuple[Field, ...]:
    if not isinstance(given, list) or len(given) > _MAX_FIELDS:
        raise _invalid(f"fields is a list of at most {_MAX_FIELDS} fields.")
    found = [_field(one) for one in given]
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _invalid(f"the field {twice!r} is asked for twice.")
    return tuple(found)


def _field(one: Any) -> Field:
    if isinstance(one, str):
        one = {"name": one}
    if not isinstance(one, dict) or not isinstance(one.get("name"), str) or not one["name"].strip():
        raise _invalid("every field needs a name.")
    name = one["name"]
    kind = one.get("type") or guess_type(name)
    if kind not in TYPES:
        raise _invalid(f"type of {name!r} is one of {', '.join(sorted(TYPES))}, not {kind!r}.")
    return Field(name, kind, str(one.get("description") or ""), columns=COLUMNS if kind == "items" else ())


_GUESSES = (
    (r"line_?items?|items|positions", "items"),
    (r"date|_on$|_until$", "date"),
    (r"iban", "iban"),
    (r"e_?mail", "email"),
    (r"phone|mobile|fax", "phone"),
    (r"currency", "currency"),
    (r"url|website", "url"),
    (r"percent|rate$", "percent"),
    (r"address", "address"),
    (r"total|amount|price|balance|subtotal|prepaid|discount", "amount"),
    (r"weight|count|quantity|volume", "number"),
    (r"number|_id$|^id$|code|reference|_no$|bic|postcode|zip", "id"),
    (r"parties", "namelist"),
    (r"name|city|country|vessel|port|seller|buyer|vendor|customer", "name"),
)


def guess_type(name: str) -> str:
    """The type that a bare field name suggests."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return next((kind for pattern, kind in _GUESSES if re.search(pattern, plain)), "string")


def _invalid(message: str) -> PdfError:
    return PdfError("invalid_schema", message[0].upper() + message[1:], "Correct the request and send it again.")
