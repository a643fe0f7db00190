"""What a document type is: the fields it offers and the labels that speak for it."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_pdf.extract.wish import COLUMNS, Field

# What papers with item rows and sums have to satisfy.
SUM_CHECKS = (
    "net_plus_tax_is_total",
    "lines_add_up_to_net",
    "tax_by_rate_is_tax_total",
    "currency_agrees",
    "carried_total_is_brought_forward",
)


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A kind of document. `cues` are concepts of the lexicon that rarely stand on other kinds, `checks` names of
    `report.CHECKS` that its fields allow."""

    name: str
    fields: tuple[Field, ...]
    cues: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


def fields(text: str) -> tuple[Field, ...]:
    """Fields from lines of `name type description`."""
    found = []
    for line in text.strip().splitlines():
        name, kind, description = line.strip().split(" ", 2)
        found.append(Field(name, kind, description, columns=COLUMNS if kind == "items" else ()))
    return tuple(found)
