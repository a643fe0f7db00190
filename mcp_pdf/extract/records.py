"""Line items that are no table: one block of labels and values an item, as forms and official stylesheets print them.

A block is found by its numbers: a quantity, a unit price and an amount, each beside its own label, whose product
holds (of one piece without a quantity). The labels of proven blocks then name the numbers of the others (a discount
breaks the product), and the description stands before or behind the numbers as it does in the first block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mcp_pdf.extract.folding import fold
from mcp_pdf.extract.found import Context
from mcp_pdf.extract.layout import Layout, Line, Segment
from mcp_pdf.extract.row_bands import numbers
from mcp_pdf.extract.row_proof import proven_triple
from mcp_pdf.extract.titles import find_titles
from mcp_pdf.pdf.page import Word

_COUNTED = ("quantity", "unit_price", "amount")
_ALSO = ("description", "unit", "tax_rate", "discount", "code", "position")
_WORDS = 7  # a label has at most this many
_WITHIN = 6  # pairs between the numbers of one block
_BESIDE = 4  # lines above the last one of a label among which its others and its value stand
_TOUCHING = 0.25  # line heights: what stands farther above a label is no part of it
_COVERED = 0.4  # of a label's words that its title must explain


@dataclass(frozen=True, slots=True)
class Pair:
    """A printed label with the role it names, and the words of its value."""

    role: str
    label: str
    words: tuple[Word, ...]
    line: Line

    @property
    def text(self) -> str:
        """The value as printed."""
        return " ".join(word.text for word in self.words)


@dataclass(slots=True)
class Record:
    """The values of one item by role; `numbers` holds the three read ones, `proven` whether their product holds."""

    pairs: dict[str, Pair] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    proven: bool = False


def find_records(layout: Layout, context: Context) -> list[Record]:
    """Items printed as blocks of labels, in order; empty when no block proves itself."""
    pairs = list(_pairs(layout))
    cores = list(_proven(pairs, context))
    if not cores:
        return []
    labels = {pair.label for core in cores for pair in core.pairs.values()}
    cores = list(_blocks(pairs, labels, context))
    _fill(pairs, cores)
    return cores


def _pairs(layout: Layout) -> Iterator[Pair]:
    for line in layout.lines:
        for at, segment in enumerate(line.segments):
            label, words = _parts(segment, line.segments[at + 1 : at + 2])
            if segment.text.endswith(":") and (not words or _role(label) is None):
                label, words = _wrapped_label(layout, line, segment)
            role = _role(label) if words else None
            if role is not None:
                yield Pair(role, fold(label), (*words, *_wrapped(layout, line, segment, words)), line)


def _parts(segment: Segment, following: Sequence[Segment]) -> tuple[str, tuple[Word, ...]]:
    """Label and value: parted by a colon in one segment, or by the gap to the next one."""
    head, colon, tail = segment.text.partition(":")
    if colon and tail.strip():
        return head, segment.span(len(head) + 2, len(segment.text))
    if following and ":" not in following[0].text:
        return head, following[0].words
    return head, ()


def _wrapped_label(layout: Layout, line: Line, segment: Segment) -> tuple[str, tuple[Word, ...]]:
    """A label of several lines that ends here, and the value that stands beside any of them."""
    block = [segment]
    for above in reversed(layout.lines[max(0, line.index - _BESIDE) : line.index]):
        for one in above.segments:
            gap = (block[0].box[1] - one.box[3]) / segment.height
            if above.page == line.page and abs(one.box[0] - segment.box[0]) < 2 and -0.5 < gap < _TOUCHING:
                block.insert(0, one)
    top, right, bottom = block[0].box[1], max(one.box[2] for one in block), segment.box[3]
    beside = [
        one
        for near in layout.lines[max(0, line.index - _BESIDE) : line.index + 2]
        for one in near.segments
        if near.page == line.page and one.box[0] > right and one.box[1] < bottom - 1 and one.box[3] > top + 1
    ]
    value = min(beside, key=lambda one: one.box[0], default=None)
    label = " ".join(one.text for one in block).rstrip(":")
    return label, value.words if value is not None and ":" not in value.text and ":" not in label else ()


def _role(label: str) -> str | None:
    words = [word for word in label.split() if any(char.isalnum() for char in word)]  # without the bullet
    if not 0 < len(words) <= _WORDS:
        return None
    titles = [t for t in find_titles(words) if t.role in _COUNTED or t.role in _ALSO]
    best = max(titles, key=lambda t: t.end - t.start, default=None)
    if best is None or best.start > 1 or (best.end - best.start) < _COVERED * len(words):
        return None
    return best.role


def _wrapped(layout: Layout, line: Line, segment: Segment, words: Sequence[Word]) -> Iterator[Word]:
    """The words of the lines that the value goes on in: no label in them, and started where the value or label was."""
    edge = line
    for below in layout.lines[line.index + 1 : line.index + 6]:
        first = below.segments[0]
        near = below.page == line.page and below.box[1] - edge.box[3] < 0.6 * segment.height
        aligned = min(abs(first.box[0] - words[0].x0), abs(first.box[0] - segment.box[0])) < 3
        if not near or not aligned or len(below.segments) > 1 or ":" in first.text:
            return
        yield from first.words
        edge = below


def _proven(pairs: Sequence[Pair], context: Context) -> Iterator[Record]:
    for at, pair in enumerate(pairs):
        if pair.role != "unit_price":
            continue
        near = pairs[max(0, at - _WITHIN) : at + _WITHIN + 1]
        counts: list[Pair | None] = [p for p in near if p.role == "quantity"]
        for amount in (p for p in near if p.role == "amount"):
            for quantity in counts or [None]:
                record = _record(quantity, pair, amount, context)
                if record.proven:
                    yield record


def _record(quantity: Pair | None, price: Pair, amount: Pair, context: Context) -> Record:
    """A block; without a quantity the price is the amount, or nothing proves it."""
    three = {"quantity": quantity, "unit_price": price, "amount": amount}
    held = {role: pair for role, pair in three.items() if pair is not None}
    read = {role: numbers(pair.words, context) for role, pair in held.items()}
    triple = None
    if all(read.values()):
        triple = proven_triple(read.get("quantity", ["1"]), read["unit_price"], read["amount"])
    values = dict(zip(_COUNTED, triple, strict=True)) if triple else {role: v[0] for role, v in read.items() if v}
    return Record(held, {role: value for role, value in values.items() if role in held}, triple is not None)


def _blocks(pairs: Sequence[Pair], labels: set[str], context: Context) -> Iterator[Record]:
    """Blocks whose numbers stand under the labels of the proven ones; a label that comes again begins a new one."""
    held: dict[str, Pair] = {}
    named: list[Pair | None] = [pair for pair in pairs if pair.label in labels]
    for pair in [*named, None]:
        if pair is None or pair.role in held:
            if {"unit_price", "amount"} <= held.keys():
                yield _record(held.get("quantity"), held["unit_price"], held["amount"], context)
            held = {}
        if pair is not None:
            held[pair.role] = pair


def _fill(pairs: Sequence[Pair], records: Sequence[Record]) -> None:
    """Description, unit and the rest of each block, from the pairs between its neighbours' numbers."""
    spans = [sorted(pairs.index(pair) for pair in record.pairs.values()) for record in records]
    before = any(pair.role == "description" for pair in pairs[max(0, spans[0][0] - 3) : spans[0][0]])
    for number, (record, span) in enumerate(zip(records, spans, strict=True)):
        start = spans[number - 1][-1] + 1 if number else max(0, span[0] - _WITHIN)
        end = spans[number + 1][0] if number + 1 < len(spans) else span[-1] + 1 + 2 * _WITHIN
        own = pairs[start : span[-1] + 1] if before else pairs[span[0] : end]
        for pair in own:
            if pair.role in _ALSO:
                record.pairs.setdefault(pair.role, pair)
