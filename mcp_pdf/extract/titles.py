"""What the columns of an item table are called, in every language that has a file in `labels/`, and what ends one.

In a language's file, `[columns]` lists phrases by role: position code description quantity unit unit_price gross_price
discount tax_rate tax_amount amount gross_amount other; `sum` and `end` are the words that begin a line below the rows.
A phrase is folded words; `*` at its end stands for any ending of the last word, `#` for a number. The longest phrase
wins, so that `total price` is an amount although `price` alone is a unit price.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from mcp_pdf.extract.folding import tokens
from mcp_pdf.extract.labels import language_files

_ROLES = (
    "position", "code", "description", "quantity", "unit", "unit_price", "discount", "tax_rate", "tax_amount", "amount",
    "gross_amount", "gross_price", "other",
)  # fmt: skip


class Title(NamedTuple):
    """A role found in the words of a header: words[start:end] name it."""

    role: str
    start: int
    end: int


Phrase = tuple[str, ...]


def _phrases(role: str) -> Iterator[Phrase]:
    for data in language_files():
        columns = data.get("columns", {})
        yield from (tuple(text.split()) for text in columns.get(role, ()))


def _table() -> dict[Phrase, str]:
    """Roles by phrase; of two languages that disagree the role that comes first in _ROLES counts."""
    table: dict[Phrase, str] = {}
    for role in _ROLES:
        for phrase in _phrases(role):
            table.setdefault(phrase, role)
    return table


_PHRASES = _table()
_LONGEST = max(len(phrase) for phrase in _PHRASES)
_SUMS = frozenset(_phrases("sum"))
_ENDS = _SUMS | frozenset(_phrases("end"))
_STEMS: dict[Phrase, list[tuple[str, str]]] = {}  # first words of a phrase: how its last one starts, role
for _phrase, _meant in _PHRASES.items():
    if _phrase[-1].endswith("*"):
        _STEMS.setdefault(_phrase[:-1], []).append((_phrase[-1][:-1], _meant))


@lru_cache(maxsize=4096)
def _role(words: Phrase) -> str | None:
    role = _PHRASES.get(words) or _PHRASES.get((*words[:-1], words[-1] + "*"))
    if role is None and (len(words) > 1 or len(words[0]) > 5):
        stems = _STEMS.get(words[:-1], ())
        role = next((meant for stem, meant in stems if words[-1].startswith(stem)), None)
    return role


def find_titles(words: Sequence[str]) -> list[Title]:
    """Titles in printed header words, left to right, longest phrase first; words that say nothing are passed over."""
    return list(_titles(tuple(words)))


@lru_cache(maxsize=4096)  # a line is looked at as a header, as a part of one and as a record
def _titles(words: Phrase) -> tuple[Title, ...]:
    spelled: list[tuple[str, int]] = []  # folded token and the printed word that it stands in
    for index, word in enumerate(words):
        parts = tokens(word) or (("%",) if "%" in word else ("#",) if "#" in word else ())
        spelled.extend((part, index) for part in parts)
        if parts and "%" in word and parts != ("%",):
            spelled.append(("%", index))
    found: list[Title] = []
    at = 0
    while at < len(spelled):
        for length in range(min(_LONGEST, len(spelled) - at), 0, -1):
            phrase = tuple(token for token, _ in spelled[at : at + length])
            role = _role(phrase)
            if role and (len(phrase[0]) > 1 or len(phrase) > 1 or len(spelled) == 1):
                found.append(Title(role, spelled[at][1], spelled[at + length - 1][1] + 1))
                at += length
                break
        else:
            at += 1
    return tuple(found)


def is_end(text: str) -> bool:
    """Whether a line that begins like this stands below the rows: sums, taxes, what is to be paid."""
    return _begins(text, _ENDS)


def is_sum(text: str) -> bool:
    """Whether a text begins like the label of a sum."""
    return _begins(text, _SUMS)


@lru_cache(maxsize=4096)
def _begins(text: str, phrases: frozenset[Phrase]) -> bool:
    words = tokens(text)
    return any(
        len(words) >= len(phrase) and all(_fits(word, part) for word, part in zip(words, phrase, strict=False))
        for phrase in phrases
    )


def _fits(word: str, part: str) -> bool:
    if part == "#":
        return word.isdigit()
    return word.startswith(part[:-1]) if part.endswith("*") else word == part
