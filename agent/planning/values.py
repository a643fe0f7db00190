"""Values of a model as the contract spells them, and whether two values are the same: numbers as numbers, dates as
dates, words without regard to case, spaces and marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

PRINTED = frozenset({"id", "date", "amount", "number", "integer", "percent", "email", "phone", "url", "iban", "items"})
TYPES = frozenset({*PRINTED, "string", "name", "namelist", "address", "currency", "boolean"})

_DECORATION = re.compile(r"[^\d.,+-]")


class Invalid(ValueError):
    """What the model gave is no value of the type."""


def typed(kind: str, value: Any) -> Any:
    """The value as the contract spells it; None stays None. Raises Invalid."""
    if value is None or value == "":
        return None
    spell: Callable[[Any], Any] = _TYPED.get(kind, _text)
    return spell(value)


def _text(value: Any) -> str:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise Invalid(f"{value!r} is no text")
    return " ".join(str(value).split())


def _names(value: Any) -> list[str]:
    return [_text(one) for one in value] if isinstance(value, list) else [_text(value)]


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{value!r} is neither true nor false")
    return value


def _number(value: Any) -> int | float:
    number = _decimal(value)
    return int(number) if number == number.to_integral_value() else float(number)


def _integer(value: Any) -> int:
    number = _number(value)
    if not isinstance(number, int):
        raise Invalid(f"{value!r} is no whole number")
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise Invalid("a truth value is no number")
    try:
        found = Decimal(str(value).strip() if not isinstance(value, str) else _DECORATION.sub("", value))
    except InvalidOperation:
        raise Invalid(f"{value!r} is no number with a decimal point") from None
    if not found.is_finite():
        raise Invalid(f"{value!r} is no number")
    return found


def _date(value: Any) -> str:
    try:
        return date.fromisoformat(str(value).strip()).isoformat()
    except ValueError:
        raise Invalid(f"{value!r} is no date of the form YYYY-MM-DD") from None


_TYPED: Mapping[str, Callable[[Any], Any]] = {
    "amount": lambda value: f"{_decimal(value):f}",
    "percent": lambda value: f"{_decimal(value):f}",
    "number": _number,
    "integer": _integer,
    "date": _date,
    "boolean": _boolean,
    "namelist": _names,
    "currency": lambda value: _text(value).upper(),
}


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(key), other.get(key)) for key in one.keys() | other.keys())
    if one is None or other is None or isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if (a := _plain(one)) is not None and (b := _plain(other)) is not None:
        return a == b
    return squash(one) == squash(other)


def _plain(value: Any) -> Decimal | None:
    """The number a value is; a string with a leading zero is a code."""
    text = str(value)
    if not re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", text):
        return None
    return Decimal(text)


def squash(value: Any) -> str:
    """Letters and digits alone, in one case and one form."""
    return "".join(c for c in unicodedata.normalize("NFKC", str(value)).casefold() if c.isalnum())


def pointer(*path: str | int) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """(pointer, value) of every leaf; an empty list or object is a leaf."""
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from leaves(child, at + pointer(key))
    elif isinstance(value, list) and value:
        for number, child in enumerate(value):
            yield from leaves(child, at + pointer(number))
    else:
        yield at, value
