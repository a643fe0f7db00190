"""From a field's name to the concepts of the lexicon that can answer it."""

from __future__ import annotations

import re
from functools import lru_cache

from mcp_pdf.extract.labels import lexicon
from mcp_pdf.extract.wish import Field

_ROLES = frozenset({"seller", "buyer", "ship_to", "shipper", "consignee", "notify_party", "carrier"})
_SPECS = {"bic": "bic", "iban": "iban", "email": "email", "phone": "phone"}


@lru_cache(maxsize=4096)
def concept_of(field: Field) -> str | None:
    """The concept that a field asks for: by its name, by a label of that wording, or by its description."""
    concept = _named(field)
    # Who is asked for by the role alone is asked for by name.
    return f"{concept}_name" if concept in _ROLES and field.type in ("name", "string") else concept


def _named(field: Field) -> str | None:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field.name).lower().replace("-", "_").replace(" ", "_")
    known = lexicon().concepts
    if name in known or re.fullmatch(
        r"(seller|buyer|ship_to|shipper|consignee|notify_party|carrier|merchant)_\w+", name
    ):
        return name
    for text in (name.replace("_", " "), field.description):
        entries = lexicon().exactly(text) if text else []
        if entries:
            return entries[0].concept
    return None


def spec_of(concept: str) -> str | None:
    """The finer kind of a concept's values."""
    if concept.endswith(("_vat_id", "_tax_number", "_tax_id")):
        return "tax_id"
    return _SPECS.get(concept)
