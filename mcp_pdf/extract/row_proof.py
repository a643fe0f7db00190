"""Which numbers of a row belong together: quantity times unit price is the amount."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from itertools import product

from mcp_pdf.extract.amounts import find_amounts, quantity_of, read_number
from mcp_pdf.extract.found import PLAIN, Context
from mcp_pdf.extract.layout import Layout


def readings(text: str, context: Context = PLAIN) -> list[str]:
    """Decimal strings that a printed number can mean, the likeliest first; a lone separator has two meanings."""
    found = find_amounts(text, context)
    values = [str(found[0].value)] if len(found) == 1 else []
    quantity = quantity_of(text, context)
    if not values and quantity is not None:
        values = [quantity.number]
    if not values and found:
        values = [str(found[0].value)]
    if values:
        start, end = (found[0].start, found[0].end) if found else (0, len(text))
        for mark in (",", "."):
            other = read_number(text[start:end].strip("-−+() "), context._replace(decimal=mark))
            if other is not None and other not in values and values[0].lstrip("-") != other:
                values.append(other)
    return values


def proves(quantity: str, unit_price: str, amount: str) -> bool:
    """Whether quantity times unit price rounds to the amount as printed."""
    try:
        q, u, a = Decimal(quantity), Decimal(unit_price), Decimal(amount)
    except InvalidOperation:
        return False
    if not q or not a:
        return False
    # A unit price is printed rounded: half of its last digit, times the quantity, is lost at most.
    exponent = u.as_tuple().exponent
    slack = abs(q) * Decimal(5).scaleb(int(exponent) - 1) if isinstance(exponent, int) and exponent < -1 else Decimal(0)
    return abs(abs(q * u) - abs(a)) <= max(Decimal("0.011"), min(slack, abs(a) / 200))


def proven_triple(
    quantities: Sequence[str], prices: Sequence[str], amounts: Sequence[str]
) -> tuple[str, str, str] | None:
    """The first readings of the three numbers whose product holds."""
    return next(_triples(quantities, prices, amounts), None)


def _triples(
    quantities: Sequence[str], prices: Sequence[str], amounts: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    return (triple for triple in product(quantities, prices, amounts) if proves(*triple))


def printed_amounts(layout: Layout, context: Context = PLAIN) -> Counter[Decimal]:
    """How often each amount with two decimals is printed in the document, signs aside."""
    return Counter(
        abs(Decimal(one.value))
        for segment in layout.segments
        if any(char.isdigit() for char in segment.text)
        for one in find_amounts(segment.text, context)
        if one.valid
    )
