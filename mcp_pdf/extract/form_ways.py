"""On which side of its label a form puts each value, judged by all the fields that are asked for together.

Small captions stand below what was filled in on one form and above it on the next, and every value has a label on
either side. A side counts for a field when a segment that is no label stands there, close and aligned. Fields with one
such side decide; the others follow the side that most of those have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.layout import Segment
from mcp_pdf.extract.unknown import heads_of
from mcp_pdf.extract.values import find
from mcp_pdf.extract.wish import Field

LEAST_FIELDS = 3  # fewer tell nothing of a form's habit
_CLOSE = 1.3  # heights between label and value
_ALIGNED = 12.0  # points between their left edges
_RAISED = {"above": 1.6}  # candidates above a label start low, since few documents have them
_ELSEWHERE = 0.5
_UNDECIDED = 0.55
_FORMED = ("date", "email", "iban", "phone")


def ways_of(reader: Reader, fields: Sequence[Field]) -> dict[str, str | None]:
    """The side of each field that has a value close to its label, by name; None where nothing decides."""
    labels = {field.name: heads_of(reader, field) for field in fields}
    taken = {label.index for found in labels.values() for label in found}
    sides = {
        field.name: {way for label in labels[field.name] for way in _sides(reader, field, label, taken)}
        for field in fields
        if labels[field.name]
    }
    votes = Counter(way for ways in sides.values() if len(ways) == 1 for way in ways)
    return {name: _decided(ways, votes) for name, ways in sides.items() if ways}


def weighed(found: Iterable[Candidate], way: str | None) -> list[Candidate]:
    """Candidates by how well their side fits the form; one without a label says nothing beside those that have one."""
    return [one.scaled(_factor(one, way) if one.label else _ELSEWHERE) for one in found]


def _factor(one: Candidate, way: str | None) -> float:
    if way is None:
        return _UNDECIDED
    return _RAISED.get(way, 1.0) if one.direction == way else _ELSEWHERE


def _decided(ways: set[str], votes: Counter[str]) -> str | None:
    if len(ways) == 1:
        return next(iter(ways))
    ranked = sorted(ways, key=lambda way: -votes[way])
    return ranked[0] if len(ranked) > 1 and votes[ranked[0]] > votes[ranked[1]] else None


def _sides(reader: Reader, field: Field, label: Segment, taken: set[int]) -> Iterable[str]:
    layout = reader.layout
    behind = label.text.partition(":")[2].strip()
    if behind:
        yield "same"
        return
    beside = next(iter(layout.right_of(label)), None)
    if (
        beside is not None
        and _is_value(reader, field, beside, taken)
        and beside.box[0] - label.box[2] < 8 * label.height
    ):
        yield "right"
    for way, others in (("below", layout.below(label, lines=2)), ("above", layout.above(label, lines=2))):
        other = next(iter(others), None)
        if other is None or not _is_value(reader, field, other, taken):
            continue
        gap = other.box[1] - label.box[3] if way == "below" else label.box[1] - other.box[3]
        if gap < _CLOSE * label.height and (abs(other.box[0] - label.box[0]) < _ALIGNED or way == "above"):
            yield way


def _is_value(reader: Reader, field: Field, segment: Segment, taken: set[int]) -> bool:
    if segment.index in taken or reader.is_label(segment) or segment.index in reader.fields:
        return False
    return field.type not in _FORMED or bool(find(field.type, segment.text, reader.context))
