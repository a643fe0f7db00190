"""What kind of document it is and in which language, with the words that say so."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from mcp_pdf.extract.candidates import Reader
from mcp_pdf.extract.evidence import boxes
from mcp_pdf.extract.folding import tokens
from mcp_pdf.extract.labels import lexicon
from mcp_pdf.extract.layout import Layout
from mcp_pdf.extract.types import TYPES

_HEAD = 40  # lines of the first page in which a title may stand


def language_of(layout: Layout) -> str | None:
    """The language most of whose betraying words occur; None without any."""
    common = lexicon().common
    counts: dict[str, float] = defaultdict(float)
    for word, times in Counter(tokens(layout.text)).items():
        for language in common.get(word, ()):
            counts[language] += min(times, 5) / len(common[word])
    for segment in layout.segments[:400]:
        for hit in lexicon().hits(segment.text):
            spoken = {entry.language for entry in lexicon().exactly(segment.text[hit.start : hit.end])}
            for language in spoken:  # a phrase that several languages share says little for one of them
                counts[language] += 0.5 / len(spoken)
    best = max(counts, key=lambda language: counts[language], default=None)
    return best if best and counts[best] >= 1 else None


def kind_of(reader: Reader) -> tuple[str, list[dict[str, Any]]]:
    """The document type and its evidence: titles near the top, and labels that other types do not have."""
    layout = reader.layout
    scores: dict[str, float] = defaultdict(float)
    evidence: dict[str, list[dict[str, Any]]] = {}
    tallest = max((s.height for s in layout.segments[:200]), default=1.0)
    for segment in layout.segments:
        if segment.line > _HEAD:
            break
        for hit in lexicon().title_hits(segment.text):
            share = (hit.end - hit.start) / max(1, len(segment.text))
            score = (0.3 + share) * (0.5 + segment.height / tallest) * (1.3 if hit.words > 1 else 1.0)
            scores[hit.concept] += score
            words = segment.span(hit.start, hit.end)
            entry = {"text": segment.text[hit.start : hit.end], "page": segment.page, "boxes": boxes(words)}
            evidence.setdefault(hit.concept, []).append(entry)
    for name, kind in TYPES.items():
        scores[name] += sum(0.35 for cue in kind.cues if reader.marks.get(cue))
    best, score = max(scores.items(), key=lambda pair: pair[1], default=("generic_form", 0.0))
    if score < 0.5 or best not in TYPES:
        return "generic_form", []
    return best, evidence.get(best, [])[:3]
