"""One door to every kind of value: find them in a text, or read one that is already cut out."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from mcp_pdf.extract.amounts import as_number, find_amounts, find_percents, quantity_of
from mcp_pdf.extract.contacts import find_emails, find_phones, find_urls
from mcp_pdf.extract.currencies import currency_of, find_currencies
from mcp_pdf.extract.dates import find_dates
from mcp_pdf.extract.found import PLAIN, Context, Found, flat
from mcp_pdf.extract.identifiers import find_bics, find_ibans, find_ids, find_tax_ids

_YES_WORDS = "yes y true x on checked ja oui si sim sí tak evet ano da ☒ ☑ ✓ ✔ 1 wahr vrai"
_NO_WORDS = "no n false off unchecked nein non nao não nie hayir ne nu ☐ 0 falsch faux nej nei"
_ARTICLES = frozenset(["the", "a", "an", "der", "die", "das", "le", "la", "les", "il", "el", "los"])
_YES, _NO = frozenset(_YES_WORDS.split()), frozenset(_NO_WORDS.split())


def find_numbers(text: str, context: Context = PLAIN) -> list[Found]:
    """Every number of a text as a JSON number."""
    return [one._replace(value=as_number(one.value)) for one in find_amounts(text, context)]


def find_integers(text: str, context: Context = PLAIN) -> list[Found]:
    """Whole numbers of a text."""
    return [one for one in find_numbers(text, context) if isinstance(one.value, int)]


def find_booleans(text: str, context: Context = PLAIN) -> list[Found]:
    """A yes or no that is the whole text."""
    word = flat(text.strip().strip("[]() "))
    if word in _YES or word in _NO:
        return [Found(word in _YES, 0, len(text))]
    return []


FINDERS: dict[str, Callable[[str, Context], list[Found]]] = {
    "date": find_dates,
    "amount": find_amounts,
    "number": find_numbers,
    "integer": find_integers,
    "percent": find_percents,
    "currency": find_currencies,
    "boolean": find_booleans,
    "email": find_emails,
    "phone": find_phones,
    "url": find_urls,
    "iban": find_ibans,
    "bic": find_bics,
    "tax_id": find_tax_ids,
    "id": find_ids,
}


def find(kind: str, text: str, context: Context = PLAIN) -> list[Found]:
    """The values of one kind in a text, in order. Kinds without a pattern (name, address, string) find nothing."""
    finder = FINDERS.get(kind)
    return finder(text, context) if finder else []


def normalise(kind: str, text: str, context: Context = PLAIN) -> Any:
    """A printed value in the form of its type, None when the text is no such value."""
    printed = re.sub(r"\s+", " ", text).strip()
    if not printed:
        return None
    if kind in ("string", "name", "address"):
        return None if printed.casefold() in _ARTICLES else printed  # alone they name nothing
    if kind == "id":
        return printed.strip(" .,:;#") or None
    if kind == "percent":
        found = find_percents(printed, context) or find_amounts(printed, context)
        return found[0].value if found else None
    if kind == "currency":
        return currency_of(printed, context)
    if kind in ("number", "integer"):
        return _number(kind, printed, context)
    found = find(kind, printed, context)
    return found[0].value if found else None


def _number(kind: str, printed: str, context: Context) -> int | float | None:
    quantity = quantity_of(printed, context)
    if quantity is None:
        found = find_amounts(printed, context)
        if not found:
            return None
        value = str(found[0].value)
    else:
        value = quantity.number
    if kind == "integer" and Decimal(value) != Decimal(value).to_integral_value():
        return None
    return as_number(value)
