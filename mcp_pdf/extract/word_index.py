"""Where a text stands in a document, found without reading the document again for every value.

All segments are joined to one text, and all words, folded to letters and digits, to two: in the order of blocks (a
value may go on in the next line of its cell) and in the order of lines (or in the next cell). A search is then a
search of a string; breaks between segments, blocks and pages are line feeds, which no folded value contains.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import groupby

from mcp_pdf.extract.folding import squash, tokens
from mcp_pdf.extract.layout import Layout, Segment
from mcp_pdf.pdf.page import Word

LEAST = 3  # letters and digits of a value that is looked for by them alone
LEAST_FUZZY = 8
ALIKE = 0.85  # of two texts' characters: twice those they share in order, by those of both (Ratcliff and Obershelp)
TRIED = 100  # places of a rare word that are compared at most


@dataclass(frozen=True, slots=True)
class Run:
    """Words that follow each other, on one page."""

    page: int
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class _Order:
    """Words in one order, and their folded letters and digits as one text."""

    def __init__(self, groups: Iterable[Iterable[Segment]]) -> None:
        self._words: list[tuple[int, Word]] = []
        self._starts: list[int] = []
        parts: list[str] = []
        at = 0
        for group in groups:
            for segment in group:
                for word in segment.words:
                    folded = squash(word.text)
                    self._words.append((segment.page, word))
                    self._starts.append(at)
                    parts.append(folded)
                    at += len(folded)
            parts.append("\n")
            at += 1
        self._starts.append(at)
        self._text = "".join(parts)

    def find(self, wanted: str) -> Run | None:
        """The first whole words that make up `wanted`."""
        at = self._text.find(wanted)
        while at >= 0:
            first = bisect.bisect_right(self._starts, at) - 1
            last = bisect.bisect_left(self._starts, at + len(wanted))
            ends = self._text[at + len(wanted)] == "\n" or self._starts[last] == at + len(wanted)
            if self._starts[first] == at and ends:
                return self._run(first, last)
            at = self._text.find(wanted, at + 1)
        return None

    def nearest(self, text: str) -> Run | None:
        """The words most like `text`, with the same digits; looked for around its rarest words."""
        wanted = tokens(text)
        digits = [c for c in squash(text) if c.isdigit()]
        best, found = ALIKE, None
        likeness = SequenceMatcher(None, b="".join(wanted), autojunk=False)
        for first, last in self._windows(wanted):
            run = self._text[self._starts[first] : self._starts[last]].rstrip("\n")
            likeness.set_seq1(run)
            if [c for c in run if c.isdigit()] != digits or likeness.quick_ratio() < best:
                continue
            if (alike := likeness.ratio()) >= best:
                best, found = alike, self._run(first, last)
        return found

    def _windows(self, wanted: Sequence[str]) -> Iterator[tuple[int, int]]:
        """As many words as are wanted, placed so that one of the rarer words stands where it should."""
        known = sorted((len(self._at[word]), n, word) for n, word in enumerate(wanted) if word in self._at)
        for _, behind, word in known[:2]:
            for at in self._at[word][:TRIED]:
                first, last = max(0, at - behind), at - behind + len(wanted)
                if last <= len(self._words) and self._text.find("\n", self._starts[first], self._starts[last] - 1) < 0:
                    yield first, last

    @cached_property
    def _at(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, (_, word) in enumerate(self._words):
            for token in tokens(word.text):
                if len(token) >= LEAST and not token.isdigit():
                    found.setdefault(token, []).append(number)
        return found

    def _run(self, first: int, last: int) -> Run:
        return Run(self._words[first][0], tuple(word for _, word in self._words[first:last]))


class WordIndex:
    """The words of a document, made to be searched often. What is not asked for is not made."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @cached_property
    def _printed(self) -> str:
        return "\n".join(segment.text for segment in self._layout.segments)

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for segment in self._layout.segments:
            starts.append(at)
            at += len(segment.text) + 1
        return starts

    @cached_property
    def _orders(self) -> tuple[_Order, _Order]:
        lines = groupby(self._layout.segments, key=lambda segment: segment.page)
        return _Order(block.segments for block in self._layout.blocks), _Order(on_page for _, on_page in lines)

    def exact(self, text: str) -> tuple[Segment, int] | None:
        """The first segment that holds the same characters as whole words, and where in it."""
        if not text or "\n" in text:
            return None
        at = self._printed.find(text)
        while at >= 0:
            number = bisect.bisect_right(self._starts, at) - 1
            segment, start = self._layout.segments[number], at - self._starts[number]
            if _whole(segment.text, start, start + len(text)):
                return segment, start
            at = self._printed.find(text, at + 1)
        return None

    def folded(self, text: str) -> Run | None:
        """The first whole words with the same letters and digits."""
        wanted = squash(text)
        if len(wanted) < LEAST:
            return None
        return next((run for order in self._orders if (run := order.find(wanted)) is not None), None)

    def nearest(self, text: str) -> Run | None:
        """Words that are nearly the same, as after a misread letter; digits must be the same."""
        if len(squash(text)) < LEAST_FUZZY:
            return None
        return next((run for order in self._orders if (run := order.nearest(text)) is not None), None)


def _whole(text: str, start: int, end: int) -> bool:
    """Whether it is no part of a longer word or number."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    goes_on = before in (".", ",", "-") and text[start - 2 : start - 1].isdigit()
    return not (before.isalnum() or after.isalnum() or goes_on)
