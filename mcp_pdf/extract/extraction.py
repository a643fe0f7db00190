"""Extraction of wished values from a document: the three entry points. Pure: no file is opened here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mcp_pdf.extract import schema as schemas
from mcp_pdf.extract.amounts import decimal_mark
from mcp_pdf.extract.answers import Answer, Reading
from mcp_pdf.extract.candidates import Reader
from mcp_pdf.extract.classify import kind_of, language_of
from mcp_pdf.extract.dates import day_first
from mcp_pdf.extract.evidence import judged, refused
from mcp_pdf.extract.fitting import Fitting
from mcp_pdf.extract.found import Context
from mcp_pdf.extract.layout import Layout
from mcp_pdf.extract.locating import locate_answer
from mcp_pdf.extract.report import report
from mcp_pdf.extract.splitting import parts_of
from mcp_pdf.extract.types import TYPES
from mcp_pdf.extract.wish import Field, Wish
from mcp_pdf.pdf.page import Document

_COUNTRIES = {
    "de": "DE", "fr": "FR", "it": "IT", "nl": "NL", "pl": "PL", "no": "NO", "da": "DK",
    "sv": "SE", "tr": "TR", "cs": "CZ", "ro": "RO",
}  # fmt: skip
_IBERIAN = {"pt": ("PT", "BR"), "es": ("ES", "MX")}  # the second when the text names that country's tax register

_AMERICAN = re.compile(r"\$|\bState of [A-Z]|\bDelaware\b")


def extract(document: Document, wish: Wish, tell: Callable[[str], None] | None = None) -> dict[str, Any]:
    """The result of contract shape; the server adds document.id, document.sha256 and the time it took.

    `tell` hears when the values are found and being checked.
    """
    reading, kind = _reading(document, wish)
    parts = parts_of(document, reading.reader)
    if len(parts) > 1:
        return _several(parts, wish, tell)
    answers = reading.answers(_wished(wish, kind))
    if tell is not None:
        tell("checking")
    return _result(document, wish, reading, kind, answers)


def _several(parts: list[Document], wish: Wish, tell: Callable[[str], None] | None) -> dict[str, Any]:
    """The first document's result, and the others' in `more`, each with the pages it was read from."""
    results: list[dict[str, Any]] = []
    for part in parts:
        if tell is not None:
            tell(f"document {len(results) + 1} of {len(parts)}")
        reading, kind = _reading(part, wish)
        first, last = part.pages[0].number, part.pages[-1].number
        pages = {"page_range": f"{first}-{last}" if last > first else str(first)}
        results.append(_result(part, wish, reading, kind, reading.answers(_wished(wish, kind))) | pages)
    return results[0] | {"more": results[1:]}


def locate(document: Document, values: dict[str, Any], wish: Wish) -> dict[str, Any]:
    """Evidence and checks for values found elsewhere, in the result shape; the values stay what they are."""
    reading, kind = _reading(document, wish)
    wished = _wished(wish, kind) if wish.fields or wish.document_type else tuple(Field(name) for name in values)
    answers = [answer for field in wished for answer in locate_answer(reading, field, _at(values, field))]
    return _result(document, wish, reading, kind, answers)


def classify(document: Document) -> dict[str, Any]:
    """The document type, its language, and the words that say so."""
    reading, kind = _reading(document, Wish())
    return {"document_type": kind, "language": reading.reader.context.language, "evidence": reading.titles}


def _at(values: dict[str, Any], field: Field) -> Any:
    node: Any = values
    for part in field.path or (field.name,):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def _reading(document: Document, wish: Wish) -> tuple[Reading, str]:
    layout = Layout.of(document.pages)
    language = language_of(layout)
    text = layout.text
    country = _COUNTRIES.get(language or "")
    if language in ("pt", "es"):
        country = _IBERIAN[language][bool(re.search(r"\b(?:CNPJ|RFC)\b|R\$", text))]
    if language == "en" and _AMERICAN.search(text) and "€" not in text and "£" not in text:
        country = "US"
    context = Context(language, country, day_first(text), decimal_mark(text))
    reader = Reader(layout, context)
    kind, titles = kind_of(reader)
    if document.invoice is not None:
        kind = {"order": "purchase_order"}.get(document.invoice.kind, document.invoice.kind)
    return Reading(document, reader, titles, wish.strictness), wish.document_type or kind


def _wished(wish: Wish, kind: str) -> tuple[Field, ...]:
    return wish.fields or TYPES[kind].fields


def _result(document: Document, wish: Wish, reading: Reading, kind: str, answers: list[Answer]) -> dict[str, Any]:
    evidence: dict[str, Any] = {}
    for answer in answers:
        evidence.update(answer.evidence)
    checks = report(reading, answers, None if wish.fields else TYPES[kind].checks)
    judged(evidence, checks)
    values = schemas.assemble({answer.field.path or (answer.field.name,): answer.value for answer in answers})
    result = {
        "values": values,
        "document": {
            "pages": document.page_count,
            "document_type": kind,
            "language": reading.reader.context.language,
        },
        "evidence": evidence,
        "checks": checks,
        "warnings": list(document.warnings),
        "usage": {
            "pages": len(document.pages),
            "model": None,
            "input_tokens": 0,
            "output_tokens": 0,
            "cost_usd": "0",
        },
    }
    return result | _shaped(wish, answers, result) if wish.schema else result


def _shaped(wish: Wish, answers: list[Answer], result: dict[str, Any]) -> dict[str, Any]:
    """Values in the caller's shape; what its schema does not allow is null, and its evidence says so."""
    fitting = Fitting(wish.schema or {})
    pairs = {answer.field.path: schemas.coerce(answer.field, answer.value) for answer in answers}
    values = schemas.assemble(pairs)
    lost = [answer.field.path for answer in answers if answer.value is not None and pairs[answer.field.path] is None]
    evidence = result["evidence"]
    for path in [*lost, *fitting.fit(values)]:
        evidence = refused(evidence, path)
    told = {"values": values, "evidence": evidence}
    return told | ({"effective_schema": fitting.effective} if wish.effective_schema else {})
