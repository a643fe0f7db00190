"""What was paid tells the sum: totals that other lines of the document explain.

Three proofs, the surest first: money given less change is the total; the lines from the subtotal down add up to it
(charges, taxes, discounts, rounding); a sum and its rounding are the sum printed after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.checks import number
from mcp_pdf.extract.layout import Segment

_LINES = 7  # from a subtotal to the total that it leads to
_SCORE = 0.9
_LEAST = 0.5  # of a payment or rounding, to be reckoned with
_LABELLED = 0.75  # of a sum that its own label names
_MOST_ROUNDED = Decimal(1)
_AFTER = ("amount_due", "cash", "change", "prepaid", "tax_summary")  # what stands below a total, and is no part of it


class Proof(NamedTuple):
    """A total and the name of the check that it passed."""

    total: Candidate
    check: str


def settled(reader: Reader, sums: Sequence[Candidate]) -> Proof | None:
    """The total that the settlement proves, None without; `sums` are the candidates of net and total, best first."""
    sums = [one for one in sums if one.score >= _LABELLED]
    for check, found in (
        ("given_less_change_is_total", _given(reader, sums)),
        ("lines_below_subtotal_are_total", _summed_up(reader)),
        ("rounding_is_right", _rounded(reader, sums)),
    ):
        total = next(found, None)
        if total is not None:
            return Proof(total.scaled(max(1.0, _SCORE / total.score)), check)
    return None


def _given(reader: Reader, sums: Sequence[Candidate]) -> Iterator[Candidate]:
    """Sums that are a payment less its change, those under a label first."""
    changes = _likely(reader, "change")
    for given in _likely(reader, "cash"):
        for change in changes:
            due = abs(_value(given)) - abs(_value(change))
            beside = {word for one in (given, change) for word in one.words}
            printed = (one for one in sums if _value(one) == due)
            yield from (one for one in printed if due > 0 and not any(word in beside for word in one.words))


def _rounded(reader: Reader, sums: Sequence[Candidate]) -> Iterator[Candidate]:
    """Sums that are another sum of the document and the rounding printed with it."""
    for rounding in _likely(reader, "rounding"):
        by = _value(rounding)
        if by == 0 or abs(by) >= _MOST_ROUNDED:
            continue
        before = {_value(one) + by for one in sums}
        yield from (one for one in sums if _value(one) in before)


def _summed_up(reader: Reader) -> Iterator[Candidate]:
    """The last amount below a subtotal that is the sum of the lines before it."""
    for mark in reader.marks.get("net_total", ()):
        first = next((one for one in reader.at(mark, "amount") if one.direction in ("same", "right")), None)
        if first is None:
            continue
        running, added, last = _value(first), 0, None
        for one, value in _amounts_below(reader, mark.segment):
            if added and value == running:
                last = one
            else:
                running += value
                added += value != 0
        if last is not None:
            yield last


def _amounts_below(reader: Reader, start: Segment) -> Iterator[tuple[Candidate, Decimal]]:
    """The last amount of each line under a label, negative where its label takes something off."""
    after = {mark.segment.line for name in _AFTER for mark in reader.marks.get(name, ())}
    off = {mark.segment.line for mark in reader.marks.get("discount", ())}
    for line in reader.layout.lines[start.line + 1 : start.line + 1 + _LINES]:
        if line.page != start.page or line.index in after:
            return
        segment = line.segments[-1]
        found = [one for one in reader.read("amount", segment.text) if one.valid]
        if found and segment.box[0] >= start.box[0]:
            one = reader.candidate(found[-1], segment, 0, "right", _SCORE, None)
            value = _value(one)
            yield one, -abs(value) if line.index in off else value


def _likely(reader: Reader, concept: str) -> list[Candidate]:
    found = [one for one in reader.find(concept, "amount") if one.score >= _LEAST and one.direction != "above"]
    return [one for one in found if number(one.value) is not None]


def _value(one: Candidate) -> Decimal:
    return number(one.value) or Decimal(0)
