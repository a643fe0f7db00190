"""Fields no lexicon knows: their own name and description against the labels printed on the page.

Rare words count more than frequent ones; the label must share most of its weight with the field.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from mcp_pdf.extract.candidates import Candidate, Mark, Reader
from mcp_pdf.extract.labels import Hit, Token, split
from mcp_pdf.extract.layout import Segment
from mcp_pdf.extract.wish import Field

_LEAST = 0.6


def find_unknown(reader: Reader, field: Field) -> list[Candidate]:
    """Candidates beside every segment that reads like the field."""
    found: list[Candidate] = []
    for segment, tokens, score in _alike(reader, field):
        hit = Hit("?", tokens[0].start, tokens[-1].end, 1.0, "", len(tokens))
        found += [one.scaled(score) for one in reader.at(Mark(segment, hit, len(segment.text)), field.type)]
    return found


def heads_of(reader: Reader, field: Field) -> list[Segment]:
    """The segments that read like the field."""
    return [segment for segment, _, _ in _alike(reader, field)]


def _alike(reader: Reader, field: Field) -> Iterator[tuple[Segment, Sequence[Token], float]]:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_|-", " ", field.name)
    wanted = [{t.word for t in split(text)} for text in (name, field.description) if text]
    seen, heads = reader.words
    for segment, tokens, own in heads:
        score = max((_shared(words, own, seen) for words in wanted if words & own), default=0.0)
        if score >= _LEAST:
            yield segment, tokens, score


def _shared(words: set[str], own: set[str], seen: Counter[str]) -> float:
    common = sum(_weight(w, seen) for w in words & own)
    whole = sum(_weight(w, seen) for w in words | own)
    return common / whole


def _weight(word: str, seen: Counter[str]) -> float:
    return 1.0 / (1.0 + math.log1p(seen[word]))
