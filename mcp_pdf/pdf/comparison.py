"""Does the page say what the XML says? Each figure of the XML that is not printed becomes a warning. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcp_pdf.pdf.invoice import Invoice
    from mcp_pdf.pdf.page import Page

MAX_WARNINGS: Final = 25
_READABLE: Final = frozenset({"text", "ocr_layer"})
_NUMBER: Final = re.compile(r"\d(?:[\d.,'’  ]*\d)?")
_NOT_WORD: Final = re.compile(r"[\W_]+")


def compare(invoice: Invoice, pages: Sequence[Page]) -> list[dict[str, Any]]:
    """A warning for each value of the XML that the pages do not show; nothing when no page can be read."""
    readable = [page for page in pages if page.grade in _READABLE and page.words]
    if not readable:
        return []
    printed = " ".join(word.text for page in readable for word in page.words)
    squashed = _NOT_WORD.sub("", printed).casefold()
    numbers = set(_amounts(printed)) | {number for page in readable for number in _amounts_of_lines(page)}
    found = []
    for name, value, is_amount in _claims(invoice):
        shown = _plain_amount(value) in numbers if is_amount else _is_printed(name, value, squashed)
        if not shown:
            message = f"The embedded XML says {name} is {value[:80]!r}; the page does not show it."
            found.append({"code": "xml_differs_from_page", "field": name, "message": message})
    return found[:MAX_WARNINGS]


def _claims(invoice: Invoice) -> Iterator[tuple[str, str, bool]]:
    """Name, value and whether it is an amount, of everything a reader of the page would act on."""
    texts = {
        "number": invoice.number,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "seller name": invoice.seller.name,
        "seller vat_id": invoice.seller.vat_id,
        "buyer name": invoice.buyer.name,
        "iban": invoice.payee_iban,
    }
    yield from ((name, value, False) for name, value in texts.items() if value)
    amounts = {
        "net_total": invoice.net_total,
        "tax_total": invoice.tax_total,
        "total": invoice.total,
        "amount_due": invoice.amount_due,
    }
    yield from ((name, value, True) for name, value in amounts.items() if value and _plain_amount(value) != "0")
    for index, line in enumerate(invoice.lines[:200], 1):
        if line.amount and _plain_amount(line.amount) != "0":
            yield f"amount of line {index}", line.amount, True


def _is_printed(name: str, value: str, squashed: str) -> bool:
    if name.endswith("date"):
        return any(spelling in squashed for spelling in _spellings(value))
    return _NOT_WORD.sub("", value).casefold() in squashed


def _spellings(date: str) -> Iterator[str]:
    """Numeric spellings of an ISO date with punctuation gone; a written month counts by its day and year."""
    year, month, day = date.split("-")
    short_month, short_day = month.lstrip("0"), day.lstrip("0")
    for years in (year, year[2:]):
        for months, days in ((month, day), (short_month, short_day), (short_month, day), (month, short_day)):
            yield from (years + months + days, days + months + years, months + days + years)
    yield from (f"{short_day}{name}" for name in _MONTHS[int(month) - 1])
    yield from (f"{name}{short_day}" for name in _MONTHS[int(month) - 1])
    yield from (f"{name}{day}" for name in _MONTHS[int(month) - 1])


_MONTHS: Final = (
    ("jan", "jän", "gen", "ene", "sty", "led", "oca"),
    ("feb", "fév", "fev", "lut", "úno", "şub"),
    ("mar", "mär", "mrt", "maa", "bře"),
    ("apr", "avr", "abr", "kwi", "dub", "nis"),
    ("may", "mai", "mag", "mei", "maj", "kvě"),
    ("jun", "juin", "giu", "cze", "čer", "haz"),
    ("jul", "juil", "lug", "lip", "tem"),
    ("aug", "aoû", "aou", "ago", "sie", "srp", "ağu"),
    ("sep", "set", "wrz", "zář", "eyl"),
    ("oct", "okt", "out", "ott", "paź", "říj", "eki"),
    ("nov", "lis", "kas"),
    ("dec", "dez", "déc", "dic", "gru", "pro", "ara"),
)


def _amounts_of_lines(page: Page) -> Iterator[str]:
    """Single words too: in a table two amounts stand side by side and would read as one."""
    for word in page.words:
        yield from _amounts(word.text)


def _amounts(text: str) -> Iterator[str]:
    for match in _NUMBER.finditer(text[:500_000]):
        yield _plain_amount(match[0])


def _plain_amount(printed: str) -> str:
    """`1.234,50` and `-1234.50` as `1234.5`: the last separator is the decimal one but before three digits."""
    digits = re.sub(r"[^\d.,]", "", printed)
    match = re.fullmatch(r"(.*?)[.,](\d{1,2}|\d{4,})", digits)
    whole, decimals = (match[1], match[2]) if match else (digits, "")
    whole = re.sub(r"\D", "", whole).lstrip("0") or "0"
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole
