"""The checks of a result: what its values say of each other, and what of that does not hold.

A check speaks only when all that it needs was answered; nothing is a failure because it is missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mcp_pdf.extract.checks import adds_up, number
from mcp_pdf.extract.currencies import find_currencies

if TYPE_CHECKING:
    from mcp_pdf.extract.answers import Answer, Reading

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Told:
    """The answers of a result by name, and the reading that they come from."""

    answers: dict[str, Answer]
    reading: Reading

    def amount(self, name: str) -> Decimal | None:
        """An answered amount, None without."""
        answer = self.answers.get(name)
        return number(answer.value) if answer is not None and not isinstance(answer.value, (list, bool)) else None

    def date(self, name: str) -> str | None:
        """An answered date in ISO 8601, None without."""
        value = self.answers[name].value if name in self.answers else None
        return value if isinstance(value, str) else None

    @property
    def rows(self) -> Answer | None:
        """The answered item rows."""
        return next((a for a in self.answers.values() if a.field.type == "items" and a.value), None)

    def pointers(self, *names: str) -> list[str]:
        """JSON Pointers to answered fields."""
        return [self.answers[name].field.pointer for name in names if name in self.answers]


Verdict = tuple[bool, list[str]] | None  # whether it holds, and the fields it speaks of; None: it cannot tell


def report(reading: Reading, answers: Sequence[Answer], names: Sequence[str] | None) -> list[dict[str, Any]]:
    """The checks that the answers allow, as the contract shapes them: those named, all without names."""
    told = Told({answer.field.name: answer for answer in answers}, reading)
    found = []
    for name in CHECKS if names is None else names:
        verdict = CHECKS[name](told)
        if verdict is not None:
            found.append({"name": name, "passed": verdict[0], "fields": verdict[1]})
    return found


def _net_plus_tax(told: Told) -> Verdict:
    net, tax, total = (told.amount(name) for name in ("net_total", "tax_total", "total"))
    if net is None or tax is None or total is None:
        return None
    return adds_up(net, tax, total), told.pointers("net_total", "tax_total", "total")


def _due_amount(told: Told) -> Verdict:
    total, prepaid, due = (told.amount(name) for name in ("total", "prepaid", "amount_due"))
    if total is None or prepaid is None or due is None:
        return None
    return adds_up(due, abs(prepaid), total), told.pointers("total", "prepaid", "amount_due")


def _lines(told: Told) -> Verdict:
    """Item amounts against the net total: the one answered, else the one that proves the document's totals."""
    rows = told.rows
    proven = told.reading.totals.get("net_total")
    net = told.amount("net_total")
    net = number(proven.value) if net is None and proven is not None else net
    amounts = [number(row.get("amount")) for row in rows.value] if rows is not None else []
    if rows is None or net is None or any(one is None for one in amounts):
        return None
    net -= _surcharge(told)
    summed = sum((one for one in amounts if one is not None), Decimal(0))
    slack = max(_CENT, _CENT * len(amounts) / 2)  # each amount is rounded by half a cent at most
    return abs(abs(summed) - abs(net)) <= slack, [rows.field.pointer, *told.pointers("net_total")]


def _surcharge(told: Told) -> Decimal:
    """What the e-invoice adds to the sum of its lines, or takes off (negative)."""
    invoice = told.reading.document.invoice
    charges = number(invoice.charge_total) if invoice is not None else None
    allowances = number(invoice.allowance_total) if invoice is not None else None
    return (charges or Decimal(0)) - (allowances or Decimal(0))


def _tax_by_rate(told: Told) -> Verdict:
    """The tax that the rates of the tax table or of the items give, against the tax total."""
    tax = told.amount("tax_total")
    bases = _bases(told)
    if tax is None or not bases:
        return None
    due = sum((basis * rate / 100 for rate, basis in bases.items()), Decimal(0))
    return abs(abs(due) - abs(tax)) <= _CENT * (1 + len(bases)), told.pointers("tax_total")


def _bases(told: Told) -> dict[Decimal, Decimal]:
    """Taxed amounts by rate; empty when a row does not tell its rate."""
    found: dict[Decimal, Decimal] = defaultdict(Decimal)
    invoice = told.reading.document.invoice
    if invoice is not None:
        pairs = [(number(tax.rate), number(tax.basis)) for tax in invoice.taxes]
    else:
        cells = [item.cells for item in told.reading.items if "amount" in item.cells]
        pairs = [
            (_rate(told, row["tax_rate"].text) if "tax_rate" in row else None, number(row["amount"].value))
            for row in cells
        ]
    for rate, basis in pairs:
        if rate is None or basis is None:
            return {}
        found[rate] += basis
    return dict(found)


def _rate(told: Told, text: str) -> Decimal | None:
    found = told.reading.reader.read("percent", text if "%" in text else f"{text} %")
    return number(found[0].value) if found else None


def _due_date(told: Told) -> Verdict:
    issued, due = told.date("issue_date"), told.date("due_date")
    return None if issued is None or due is None else (due >= issued, told.pointers("issue_date", "due_date"))


def _period(told: Told) -> Verdict:
    first, last = told.date("period_from"), told.date("period_to")
    return None if first is None or last is None else (first <= last, told.pointers("period_from", "period_to"))


def _weights(told: Told) -> Verdict:
    gross, net = told.amount("gross_weight"), told.amount("net_weight")
    return None if gross is None or net is None else (gross >= net, told.pointers("gross_weight", "net_weight"))


def _currency(told: Told) -> Verdict:
    """Amounts whose own print names another currency than the one answered."""
    answer = told.answers.get("currency")
    if answer is None or not isinstance(answer.value, str):
        return None
    named = {}
    for one in told.answers.values():
        proof = one.evidence.get(one.field.pointer, {}) if one.field.type == "amount" else {}
        printed = {found.value for found in find_currencies(_beside(told, proof), told.reading.reader.context)}
        if printed:
            named[one.field.pointer] = printed
    if not named:
        return None
    return all(answer.value in printed for printed in named.values()), [answer.field.pointer, *named]


def _beside(told: Told, proof: dict[str, Any]) -> str:
    """The printed run of words that a value stands in."""
    for x0, y0, x1, y1 in proof.get("boxes", ())[:1]:
        for segment in told.reading.reader.layout.by_page[proof["page"]]:
            left, top, right, bottom = segment.box
            if left <= x0 + 1 and x1 - 1 <= right and top <= (y0 + y1) / 2 <= bottom:
                return segment.text
    return ""


def _carried(told: Told) -> Verdict:
    """Sums carried to the next page are the ones brought forward there."""
    reader = told.reading.reader
    sums: dict[int, list[Decimal]] = defaultdict(list)
    for mark in reader.marks.get("carried_forward", ()):
        best = max(reader.at(mark, "amount"), key=lambda one: one.score, default=None)
        value = number(best.value) if best is not None else None
        if value is not None:
            sums[mark.segment.page].append(value)
    pairs = [(sums[page][-1], sums[page + 1][0]) for page in sorted(sums) if page + 1 in sums]
    rows = told.rows
    if not pairs:
        return None
    return all(left == right for left, right in pairs), [rows.field.pointer] if rows is not None else []


CHECKS: dict[str, Callable[[Told], Verdict]] = {
    "net_plus_tax_is_total": _net_plus_tax,
    "lines_add_up_to_net": _lines,
    "tax_by_rate_is_tax_total": _tax_by_rate,
    "prepaid_plus_due_is_total": _due_amount,
    "due_not_before_issue": _due_date,
    "currency_agrees": _currency,
    "carried_total_is_brought_forward": _carried,
    "period_in_order": _period,
    "gross_not_below_net": _weights,
}
