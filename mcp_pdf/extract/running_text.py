"""The words of a document as one running text, with the way back from a span to its words."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mcp_pdf.extract.found import PLAIN, Context
from mcp_pdf.pdf.page import Page, Word


@dataclass(frozen=True, slots=True)
class Passage:
    """A value read from a span of text, with its words by page; `score` orders candidates, 1 is the best."""

    value: Any
    text: str
    words: tuple[tuple[int, Word], ...]  # page number and word
    score: float = 1.0


class RunningText:
    """All words in reading order, one space between; a hyphen that ends a printed line is kept."""

    def __init__(self, pages: Sequence[Page], context: Context = PLAIN) -> None:
        self.context = context
        self._words = [(page.number, word) for page in pages for word in page.words]
        self._starts: list[int] = []
        at = 0
        for _, word in self._words:
            self._starts.append(at)
            at += len(word.text) + 1
        self.text = " ".join(word.text for _, word in self._words).translate(_QUOTES)

    def passage(self, value: Any, start: int, end: int, score: float = 1.0) -> Passage:
        """The value with the words that text[start:end] touches."""
        first = max(0, bisect.bisect_right(self._starts, start) - 1)
        last = bisect.bisect_left(self._starts, max(end, start + 1))
        return Passage(value, self.text[start:end], tuple(self._words[first:last]), score)


_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "\u00a0": " "})
