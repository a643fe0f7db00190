"""Fields no lexicon knows: their own name and description against the labels printed on the page.

Rare words count more than frequent ones; the label must share most of its weight with the field.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from mcp_pdf.extract.candidates import Candidate, Mark, Reader
from mcp_pdf.extract.labels import Hit, split
from mcp_pdf.extract.layout import Segment
from mcp_pdf.extract.wish import Field

_LEAST = 0.6


def find_unknown(reader: Reader, field: Field) -> list[Candidate]:
    """Candidates beside every segment that reads like the field."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_|-", " ", field.name)
    wanted = [{t.word for t in split(text)} for text in (name, field.description) if text]
    seen = Counter(t.word for s in reader.layout.segments for t in split(s.text))
    found: list[Candidate] = []
    for segment in reader.layout.segments:
        mark, score = _labelled(segment, wanted, seen)
        if mark is not None and score >= _LEAST:
            found += [one.scaled(score) for one in reader.at(mark, field.type)]
    return found


def _labelled(segment: Segment, wanted: list[set[str]], seen: Counter[str]) -> tuple[Mark | None, float]:
    tokens = split(segment.text.split(":")[0])[:12]
    own = {t.word for t in tokens}
    best = 0.0
    for words in wanted:
        common = sum(_weight(w, seen) for w in words & own)
        whole = sum(_weight(w, seen) for w in words | own)
        best = max(best, common / whole if whole else 0.0)
    if not tokens or best < _LEAST:
        return None, 0.0
    hit = Hit("?", tokens[0].start, tokens[-1].end, 1.0, "", len(tokens))
    return Mark(segment, hit, len(segment.text)), best


def _weight(word: str, seen: Counter[str]) -> float:
    return 1.0 / (1.0 + math.log1p(seen[word]))
