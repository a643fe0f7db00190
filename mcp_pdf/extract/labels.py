"""The lexicon: which printed labels name which concept, in every language that has a file in `labels/`.

A language is one TOML file: `language`, `common` (words that betray the language), `[titles]` (what documents of a
type call themselves), `[labels]` (concept = phrases) and `[columns]` (of item tables; see `titles.py`). A label that
starts with `~` is weak: it counts less because it also names other things. Labels are compared as folded words: the
many spellings of "number" are one, articles and prepositions do not count, German compounds with -nummer are taken
apart.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

from mcp_pdf.extract.folding import fold

STRONG = 1.0
WEAK = 0.72

_TOKEN = re.compile(r"[^\W_]+|#")
_NUMBER_WORDS = "no nr n num nro number nummer numero numer numara numarasi cislo c numarul nos nrs"
_NUMBER = frozenset(_NUMBER_WORDS.split())
_SMALL_WORDS = (
    "of the de la le les du des der die das den dem di del della dell dello do da dos das van het el los las d l"
    " al au aux et and und y e og och ve"
)
_SKIPPED = frozenset(_SMALL_WORDS.split())
_COMPOUND = re.compile(r"(.{3,}?)s?(nummer|numer|nr)$")


class Token(NamedTuple):
    """A word of a text as compared, and where it stands."""

    word: str
    start: int
    end: int


class Hit(NamedTuple):
    """A label found in a text."""

    concept: str
    start: int
    end: int
    strength: float
    language: str
    words: int


class Entry(NamedTuple):
    """What a phrase of the lexicon means."""

    concept: str
    strength: float
    language: str


class Node:
    """One step of the trie of phrases."""

    __slots__ = ("entries", "next")

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.entries: list[Entry] = []


@lru_cache(maxsize=65536)
def compared(word: str) -> tuple[str, ...]:
    """A folded word as the lexicon compares it: none, one or two words."""
    if word in _SKIPPED:
        return ()
    if word in _NUMBER:
        return ("#",)
    match = _COMPOUND.match(word)
    return (match[1], "#") if match else (word,)


@lru_cache(maxsize=4096)  # a document is asked for labels, titles and whole phrases: the same texts each time
def split(text: str) -> tuple[Token, ...]:
    """The compared words of a text with their places."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        found += [Token(word, match.start(), match.end()) for word in compared(fold(match[0]))]
    return tuple(found)


class Lexicon:
    """All phrases of some languages in one trie."""

    def __init__(self, languages: Iterable[dict[str, object]]) -> None:
        self.labels = Node()
        self.titles = Node()
        self.common: dict[str, list[str]] = {}
        self.concepts: set[str] = set()
        for data in languages:
            self._add(data)

    def _add(self, data: dict[str, object]) -> None:
        language = str(data["language"])
        for word in str(data.get("common", "")).split():
            self.common.setdefault(fold(word), []).append(language)
        for table, root in (("labels", self.labels), ("titles", self.titles)):
            phrases = data.get(table, {})
            if not isinstance(phrases, dict):
                raise TypeError(f"{language}.toml: [{table}] is a table of phrases")
            for concept, texts in phrases.items():
                self.concepts.add(concept)
                for text in texts:
                    strength = WEAK if text.startswith("~") else STRONG
                    node = root
                    for token in split(text.removeprefix("~")):
                        node = node.next.setdefault(token.word, Node())
                    node.entries.append(Entry(concept, strength, language))

    def hits(self, text: str) -> list[Hit]:
        """Labels in a text: the longest phrase at each place, left to right, not overlapping."""
        return list(_walk(self.labels, split(text)))

    def title_hits(self, text: str) -> list[Hit]:
        """Names of document types in a text."""
        return list(_walk(self.titles, split(text)))

    def exactly(self, text: str) -> list[Entry]:
        """The concepts that a phrase names as a whole."""
        node: Node | None = self.labels
        for token in split(text):
            node = node.next.get(token.word) if node else None
        return list(node.entries) if node else []


def _walk(root: Node, tokens: Sequence[Token]) -> Iterator[Hit]:
    at = 0
    while at < len(tokens):
        node, best, ahead = root, None, at
        while ahead < len(tokens) and (step := node.next.get(tokens[ahead].word)) is not None:
            node = step
            ahead += 1
            if node.entries:
                best = (ahead, node.entries)
        if best is None:
            at += 1
            continue
        end, entries = best
        seen = set()
        for entry in entries:
            if entry.concept not in seen:
                seen.add(entry.concept)
                start, stop = tokens[at].start, tokens[end - 1].end
                yield Hit(entry.concept, start, stop, entry.strength, entry.language, end - at)
        at = end


@cache
def language_files() -> tuple[dict[str, Any], ...]:
    """What each file in `labels/` says, in the order of their names."""
    folder = resources.files("mcp_pdf.extract") / "labels"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda e: e.name)
    return tuple(tomllib.loads(file.read_text(encoding="utf-8")) for file in files)


@cache
def lexicon() -> Lexicon:
    """The lexicon of all languages, read once."""
    return Lexicon(language_files())
