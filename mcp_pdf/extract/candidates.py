"""Where a value may stand: beside, below, above or behind its label; and how well it fits there.

Every label found on the page is tried in four directions. A first pass over labels whose values can be recognised
(dates, amounts, numbers) counts in which direction this document puts its values; the vote then weighs every candidate.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from mcp_pdf.extract import values
from mcp_pdf.extract.found import Context, Found
from mcp_pdf.extract.identifiers import find_bare_tax_ids
from mcp_pdf.extract.labels import Hit, Token, lexicon, split
from mcp_pdf.extract.layout import Layout, Segment
from mcp_pdf.extract.word_index import WordIndex
from mcp_pdf.extract.wrapped_labels import wrapped_labels
from mcp_pdf.pdf.page import Word

_TYPED = ("date", "amount", "iban", "number", "integer", "percent", "email", "phone", "url", "id", "bic", "tax_id")
_PRIOR = {"same": 1.0, "right": 0.95, "below": 0.85, "above": 0.55}
# A number behind its series, as in `FPR 12/24`; not behind a word for "number".
_SERIES = re.compile(r"[\s:#.]*((?!(?:NR|NO|N|REF|ID|PO|VAT|DT)\b)[A-Z]{1,4} \d[\w/.-]*)\s*")
_PROVEN = 0.85  # the least a label counts, in a longer text too, beside a value that proves itself
_JOINED = re.compile(r"[\W_]*(?:(?:and|und|et|y|e|i|og|och|ve|a|en)\b)?[\W_]*", re.IGNORECASE)
_OWN_NUMBERS = frozenset(
    ("invoice_number", "packing_list_number", "bol_number", "awb_number", "mrn", "contract_number")
)
_DATED = re.compile(r"\b(?:dt|dtd|dated|date|vom|del|du|z dnia|dnia|de fecha|av den)\W*$", re.IGNORECASE)
_NOTE = re.compile(r"\((?:[^()]*\)?$|see\b)")  # nothing but a remark in brackets
_ANOTHERS = 0.3  # what the date beside another document's number counts for this one
_SMALL = 0.8  # of the value's height: a label in smaller print
_CAPTIONED = 0.75  # what stands beside such a label counts against what stands below it
_NEAR = 3.2  # line heights a value may stand below its label


@dataclass(frozen=True)
class Mark:
    """A label at its place on the page."""

    segment: Segment
    hit: Hit
    until: int  # where the text behind the label ends: the next label or the end of the segment
    later: bool = False  # whether another label with its value stands before it in the segment
    joined: str = ""  # the concept of the label before it when both share a value: `Packing List No. & Date`

    @property
    def behind(self) -> str:
        """What follows the label in its own segment."""
        return self.segment.text[self.hit.end : self.until]

    @cached_property
    def cover(self) -> float:
        """How much of the text up to the label's end is the label: 1 when nothing but other fields stands before it."""
        if self.joined:
            return 1.0 if self.joined in _OWN_NUMBERS else _ANOTHERS
        if self.later and self.behind.lstrip().startswith(":"):
            return 1.0
        before = sum(char.isalnum() for char in self.segment.text[: self.hit.start])
        own = sum(char.isalnum() for char in self.segment.text[self.hit.start : self.hit.end])
        return own / (own + before) if own else 0.0


@dataclass(frozen=True)
class Candidate:
    """A value with its place and its score; 1 is a strong label with a well-formed value right beside it."""

    value: Any
    text: str
    words: tuple[Word, ...]
    page: int
    score: float
    direction: str
    proven: bool = False  # check digits or the like
    label: str = ""

    def scaled(self, factor: float) -> Candidate:
        """The same candidate, believed more or less."""
        return replace(self, score=self.score * factor)


def inside_number(text: str, hit: Hit) -> bool:
    """Whether the words are a part of a number, as in PO-90155 or 24-081/B: they belong to the value then."""
    after = text[hit.end : hit.end + 1] in ("-", "/") and text[hit.end + 1 : hit.end + 2].isdigit()
    return after or (text[max(0, hit.start - 1) : hit.start] in ("-", "/") and text[max(0, hit.start - 2)].isdigit())


def _ends_value(text: str, hit: Hit) -> bool:
    """Whether the words are the last ones of a value behind a colon: `Advertiser: Jon Francis Campaign`."""
    before = text[: hit.start].rpartition(":")
    return bool(before[0].strip() and before[2].strip()) and hit.end == len(text.rstrip())


def _joined(text: str, hit: Hit, hits: Sequence[Hit]) -> str:
    """The concept of the number's label that a date's label goes on from; empty without."""
    if hit.concept != "issue_date":
        return ""
    before = [one for one in hits if one.end <= hit.start and _JOINED.fullmatch(text, one.end, hit.start)]
    concepts = {one.concept for one in before}
    return next((one for one in concepts if one in _OWN_NUMBERS), next(iter(sorted(concepts)), ""))


class Reader:
    """One document while it is being read: its marks, its context and the vote on directions."""

    def __init__(self, layout: Layout, context: Context) -> None:
        self.layout = layout
        self.context = context
        self.marks: dict[str, list[Mark]] = {}
        self.labelled: dict[int, float] = {}  # segment index: share of it that is label
        self.fields: set[int] = set()  # segments that hold a label with its own value: nobody else's value
        self._typed_places: dict[str, dict[Any, tuple[Found, Segment]]] = {}
        self._mark()
        self.vote = self._vote()

    def _mark(self) -> None:
        words = lexicon()
        for segment in self.layout.segments:
            hits = [hit for hit in words.hits(segment.text) if not inside_number(segment.text, hit)]
            hits = [hit for hit in hits if not _ends_value(segment.text, hit)]
            starts = sorted({hit.start for hit in hits})
            covered = sum(end - start for start, end in {(hit.start, hit.end) for hit in hits})
            self.labelled[segment.index] = covered / max(1, len(segment.text.rstrip(": ")))
            for hit in hits:
                following = next((s for s in starts if s > hit.start), len(segment.text))
                joined = _joined(segment.text, hit, hits)
                mark = Mark(segment, hit, following, ":" in segment.text[starts[0] : hit.start], joined)
                self.marks.setdefault(hit.concept, []).append(mark)
                if hit.start < 2 and segment.text[hit.end : hit.end + 2].lstrip().startswith(":"):
                    self.fields.add(segment.index)
        self._mark_wrapped()

    def _mark_wrapped(self) -> None:
        """Labels over two lines, in place of what either line alone seemed to name."""
        wrapped = list(wrapped_labels(self.layout, lexicon()))
        lines = {one.index for upper, lower, _ in wrapped for one in (upper, lower)}
        self.labelled.update(dict.fromkeys(lines, 1.0))
        for concept, marks in self.marks.items() if lines else ():
            self.marks[concept] = [mark for mark in marks if mark.segment.index not in lines]
        for upper, lower, hit in wrapped:
            self.marks.setdefault(hit.concept, []).extend(Mark(one, hit, len(one.text)) for one in (upper, lower))

    def is_label(self, segment: Segment) -> bool:
        """Whether a segment is a label and not a value."""
        text = segment.text.rstrip()
        return self.labelled[segment.index] >= 0.6 or (text.endswith(":") and len(text) > 1)

    def _vote(self) -> dict[str, float]:
        counts: Counter[str] = Counter()
        for kind, concepts in (("date", ("issue_date", "due_date")), ("amount", ("total", "net_total", "tax_total"))):
            for concept in concepts:
                for mark in self.marks.get(concept, ()):
                    first = next(iter(self._typed(mark, kind, None)), None)
                    if first is not None:
                        counts[first.direction] += 1
        most = max(counts.values(), default=0)
        return {way: 0.85 + 0.15 * (counts[way] / most if most else 1.0) for way in _PRIOR}

    @cached_property
    def index(self) -> WordIndex:
        """The words, to be searched for known values."""
        return WordIndex(self.layout)

    @cached_property
    def words(self) -> tuple[Counter[str], list[tuple[Segment, Sequence[Token], set[str]]]]:
        """How often each compared word is printed, and the segments with the first words of what may be a label."""
        seen = Counter(t.word for s in self.layout.segments for t in split(s.text))
        heads = ((segment, split(segment.text.split(":")[0])[:12]) for segment in self.layout.segments)
        return seen, [(segment, tokens, {t.word for t in tokens}) for segment, tokens in heads if tokens]

    def typed(self, kind: str) -> dict[Any, tuple[Found, Segment]]:
        """Every date (as ISO text) or amount (as Decimal) that is printed, with its first place."""
        if kind not in self._typed_places:
            found: dict[Any, tuple[Found, Segment]] = {}
            for segment in self.layout.segments:
                for one in self.read(kind, segment.text) if any(map(str.isdigit, segment.text)) else ():
                    found.setdefault(one.value if kind == "date" else Decimal(one.value), (one, segment))
            self._typed_places[kind] = found
        return self._typed_places[kind]

    def find(self, concept: str, kind: str, spec: str | None = None) -> list[Candidate]:
        """All candidates of a concept, best first. `spec` names a finer kind: tax_id, bic."""
        found: list[Candidate] = []
        for mark in self.marks.get(concept, ()):
            found += self.at(mark, kind, spec)
        return sorted(found, key=lambda one: -one.score)

    def at(self, mark: Mark, kind: str, spec: str | None = None) -> list[Candidate]:
        """Candidates around one label."""
        if kind == "amount" and "%" in mark.segment.text and not any(map(str.isdigit, mark.segment.text)):
            return []
        source = self._typed(mark, spec or kind, spec) if (spec or kind) in _TYPED else self._printed(mark, kind)
        weight = mark.hit.strength * (1 + 0.03 * min(mark.hit.words, 4))
        cover = 0.4 + 0.6 * mark.cover
        return [
            one.scaled(
                weight * self.vote[one.direction] * (max(cover, _PROVEN) if one.proven or spec == "bic" else cover)
            )
            for one in source
        ]

    def column(self, mark: Mark) -> Candidate | None:
        """The sum of the amounts in the column under a title; None for less than two."""
        edge = self._cell(mark.segment)
        found: list[tuple[Found, Segment]] = []
        bottom = mark.segment
        for other in self.layout.below(mark.segment, lines=12, right=edge):
            amounts = self.read("amount", other.text)
            if other.box[1] - bottom.box[3] > _NEAR * bottom.height or self.is_label(other) or len(amounts) != 1:
                break
            found.append((amounts[0], other))
            bottom = other
        if len(found) < 2:
            return None
        words = tuple(word for _, segment in found for word in segment.words)
        total = sum((Decimal(one.value) for one, _ in found), Decimal(0))
        # Above its own rows: a printed total that all of them explain is the better one.
        score = 1.2 * mark.hit.strength * (0.4 + 0.6 * mark.cover)
        return Candidate(str(total), str(total), words, mark.segment.page, score, "column")

    def places(self, mark: Mark) -> Iterator[tuple[str, Segment, int, int, float]]:
        """Direction, segment, start and end in it, and how near it is (1 is nearest)."""
        segment = mark.segment
        if any(char.isalnum() for char in mark.behind):
            yield "same", segment, mark.hit.end, mark.until, 1.0
        beside = _CAPTIONED if self._is_caption(segment) else 1.0
        for steps, other in enumerate(self.layout.right_of(segment)[:3]):
            if self.is_label(other) or other.index in self.fields:
                break
            yield "right", other, 0, len(other.text), beside - 0.06 * steps
        edge = self._cell(segment)
        below = self.layout.below(segment, right=edge)
        noted = mark.behind.count("(") > mark.behind.count(")")  # a note in brackets goes on below the label
        for way, others in (("below", below), ("above", self.layout.above(segment, lines=2))):
            for steps, other in enumerate(others):
                if noted and way == "below":
                    noted = ")" not in other.text
                    continue
                gap = other.box[1] - segment.box[3] if way == "below" else segment.box[1] - other.box[3]
                if gap > _NEAR * segment.height or self.is_label(other) or steps > 2 or other.index in self.fields:
                    break
                shift = min(abs(other.box[0] - segment.box[0]), abs(other.box[2] - segment.box[2]))
                near = 1.0 - 0.1 * steps - min(0.25, 0.01 * shift)
                yield way, other, 0, len(other.text), near

    def _is_caption(self, segment: Segment) -> bool:
        """Whether a label is the small print of a box, close over its value."""
        under = next(self.layout.below(segment, lines=2), None)
        if under is None or self.is_label(under) or abs(under.box[0] - segment.box[0]) > 3:
            return False
        return segment.height < _SMALL * under.height and under.box[1] - segment.box[3] < 0.5 * segment.height

    def _cell(self, segment: Segment) -> float | None:
        """Where the cell of the last label in a row of labels ends: at the margin, since nothing bounds it."""
        row = self.layout.lines[segment.line].segments
        if segment.column < len(row) - 1 or len(row) < 2:
            return None
        labels = sum(self.labelled[s.index] >= 0.5 for s in row)
        plain = not any(char.isdigit() for s in row for char in s.text)
        return self.layout.sizes[segment.page][0] if plain and 2 * labels > len(row) else None

    def _typed(self, mark: Mark, kind: str, spec: str | None) -> Iterator[Candidate]:
        for way, segment, start, end, near in self.places(mark):
            text = segment.text[start:end]
            found = self.read(kind, text)
            if not found:
                continue
            one = found[-1] if kind == "amount" and way == "right" and len(found) > 1 else found[0]
            dated = kind == "date" and (mark.joined or _DATED.search(text[: one.start]))
            lead = 0 if dated else sum(char.isalnum() for char in text[: one.start])
            fit = max(0.5, 1.0 - 0.03 * lead)
            if kind == "id" and lead > 12:
                continue
            if kind in ("id", "amount") and not one.valid:
                fit *= 0.8
            yield self.candidate(
                one, segment, start, way, _PRIOR[way] * near * fit, mark, proven=self._proves(kind, one)
            )

    def _proves(self, kind: str, found: Found) -> bool:
        return kind in ("iban", "tax_id") and found.valid

    def read(self, kind: str, text: str) -> list[Found]:
        """Values of a kind in a text; tax numbers may go without their country beside a label."""
        found = values.find(kind, text, self.context)
        if kind == "id" and (spaced := _SERIES.fullmatch(text)):
            found = [Found(spaced[1], spaced.start(1), spaced.end(1))]
        if kind == "tax_id" and not found:
            found = find_bare_tax_ids(text, self.context)
            if not found:
                found = [one for one in values.find("id", text, self.context) if sum(map(str.isdigit, one.value)) >= 6]
        if kind == "amount":
            around = ((text[max(0, one.start - 1) : one.start], text[one.end : one.end + 2]) for one in found)
            found = [one for one, (left, right) in zip(found, around, strict=True) if "%" not in left + right]
            dates = values.find("date", text, self.context) if len(found) > 0 else []
            found = [one for one in found if not any(d.start < one.end and one.start < d.end for d in dates)]
        return found

    def _printed(self, mark: Mark, kind: str) -> Iterator[Candidate]:
        for way, segment, start, end, near in self.places(mark):
            text = segment.text[start:end]
            clean = text.strip(" :;#-–|.,_")
            if len(clean) < 2 or (way == "same" and not _opens(text)) or _NOTE.match(clean):
                continue
            at = start + text.index(clean)
            found = Found(values.normalise(kind, clean, self.context), at, at + len(clean))
            if found.value is None or (kind == "name" and not any(char.isalpha() for char in clean)):
                continue
            yield self.candidate(found, segment, 0, way, _PRIOR[way] * near, mark)

    def candidate(
        self,
        found: Found,
        segment: Segment,
        shift: int,
        way: str,
        score: float,
        mark: Mark | None,
        *,
        proven: bool = False,
    ) -> Candidate:
        """A candidate from something found in a segment's text."""
        start, end = found.start + shift, found.end + shift
        label = mark.segment.text[mark.hit.start : mark.hit.end] if mark else ""
        words = segment.span(start, end)
        return Candidate(found.value, segment.text[start:end], words, segment.page, score, way, proven, label)


def _opens(text: str) -> bool:
    """Whether the text behind a label starts like a value and does not go on as a sentence."""
    return text.lstrip()[:1] in (":", "#", "-", "–", "|", ".") or (
        text[:1].isspace() and not text.strip()[:1].islower()
    )
