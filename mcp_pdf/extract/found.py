"""What a search for values in a text gives back, and what it may know about the document beforehand."""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple


class Found(NamedTuple):
    """One value in a text: normalised, where it stands, and whether it proves itself (check digits)."""

    value: Any
    start: int
    end: int
    valid: bool = True


class Context(NamedTuple):
    """What the document as a whole has told; every part may be unknown."""

    language: str | None = None  # ISO 639-1
    country: str | None = None  # ISO 3166-1 alpha-2
    day_first: bool | None = None  # None: no date of the document decided it
    decimal: str | None = None  # "," or "."


PLAIN = Context()


class _Flat(dict[int, str]):
    """Translation table filled as characters occur: lower case, no accents, always one character for one."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        base = unicodedata.normalize("NFKD", char)[0].lower()[:1]
        self[code] = base or char
        return self[code]


_FLAT = _Flat({ord("ł"): "l", ord("Ł"): "l", ord("ø"): "o", ord("Ø"): "o", ord("ı"): "i", ord("đ"): "d", ord("ß"): "s"})


def flat(text: str) -> str:
    """Lower case without accents; positions stay the same."""
    return text.translate(_FLAT)
