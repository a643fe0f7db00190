"""Checks as code: arithmetic between amounts chooses among candidates and reports what does not fit."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import combinations, product
from typing import Any

from mcp_pdf.extract.candidates import Candidate

_TOLERANCE = Decimal("0.03")
_TRIED = 8
_LIKELY = 0.8
_PART = 0.5  # the least score of what may be a part of a sum
_SUMMED = 1.15


def number(value: Any) -> Decimal | None:
    """A value as a decimal, None when it is no number."""
    try:
        return Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None


def adds_up(net: Decimal, tax: Decimal, total: Decimal) -> bool:
    """Whether net + tax = total within rounding."""
    return abs(net + tax - total) <= _TOLERANCE


def choose_totals(found: dict[str, list[Candidate]]) -> dict[str, Candidate]:
    """The best triple of net, tax and total whose sum is right; empty when no triple fits."""
    best: tuple[float, dict[str, Candidate]] | None = None
    tried = [_distinct(found.get(name, []))[:_TRIED] for name in ("net_total", "tax_total", "total")]
    likeliest = max((one.score for one in tried[2]), default=0.0)
    for net, tax, total in product(*tried):
        a, b, c = number(net.value), number(tax.value), number(total.value)
        if a is None or b is None or c is None or c == 0 or not adds_up(a, b, c):
            continue
        if b == 0 and a == c and tax.score < 0.6:
            continue
        if total.score < _LIKELY * likeliest:  # the sum of one tax rate, when a better total is printed
            continue
        score = net.score + tax.score + total.score + (0.2 if b != 0 else 0)
        if best is None or score > best[0]:
            best = (score, {"net_total": net, "tax_total": tax, "total": total})
    return best[1] if best else {}


def preferring_sums(found: list[Candidate]) -> list[Candidate]:
    """Candidates of one sum, those raised that are the sum of two or three others: the total of several rates."""
    tried = [(one, value) for one in found[:_TRIED] if (value := number(one.value)) and one.score >= _PART]
    parts = {value for _, value in tried}
    sums = {sum(some) for count in (2, 3) for some in combinations(sorted(parts), count)}
    raised = {id(one) for one, value in tried if value in sums}
    return [one.scaled(_SUMMED) if id(one) in raised else one for one in found]


def _distinct(candidates: list[Candidate]) -> list[Candidate]:
    seen: dict[Any, Candidate] = {}
    for one in candidates:
        seen.setdefault(number(one.value), one)
    return list(seen.values())
