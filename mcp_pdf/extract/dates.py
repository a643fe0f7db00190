"""Dates as documents print them, read to ISO 8601.

Numeric dates are ambiguous one by one; a document as a whole seldom is. `day_first` reads the order from every
numeric date of a text, and the caller passes the answer back in the context.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from mcp_pdf.extract.found import PLAIN, Context, Found, flat

_NAMES = """
january jan januar janvier janv enero ene gennaio gen januari janeiro stycznia styczen ocak oca leden ledna
 ianuarie ian jaenner
february feb februar fevrier fevr fev febrero febbraio februari fevereiro lutego luty subat sub unor unora
 februarie
march mar marz maerz mrz mars marzo maart mrt marco marca marzec mart brezen brezna martie
april apr avril avr abril abr aprile kwietnia kwiecien nisan nis duben dubna aprilie
may mai mayo maggio mag mei maio maja maj mayis kveten kvetna
june jun juni juin junio giugno giu junho czerwca czerwiec haziran haz cerven cervna iunie iun
july jul juli juillet juil julio luglio lug julho lipca lipiec temmuz tem cervenec cervence iulie iul
august aug aout agosto ago augustus sierpnia sierpien agustos agu srpen srpna augusti
september sep sept septembre septiembre settembre set setembro wrzesnia wrzesien eylul eyl zari septembrie
 setiembre
october oct oktober okt octobre octubre ottobre ott outubro out pazdziernika pazdziernik ekim eki rijen rijna
 octombrie
november nov novembre noviembre novembro listopada listopad kasim kas listopadu noiembrie noi
december dec dezember dez decembre diciembre dic dicembre dezembro grudnia grudzien aralik ara prosinec
 prosince decembrie desember des
"""
_LINES = _NAMES.strip().replace("\n ", " ").splitlines()  # one month a line, a wrapped line goes on indented
MONTHS = {flat(name): number for number, names in enumerate(_LINES, 1) for name in names.split()}

_ISO = re.compile(r"(?<![\d.,/-])(\d{4})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{1,2})(?![\d/-]|[.,]\d)")
_NUMERIC = re.compile(
    r"(?<![\d.,/-])(\d{1,2})\s?([-/.]|\s)\s?(\d{1,2})\s?([-/.]|\s)\s?(\d{4}(?=\d\d?:\d\d)|(?:\d{4}|'?\d{2})(?![\d/-]|[.,]\d|\s?%))"
)
_DAY_MONTH = re.compile(
    r"(?<!\d)(\d{1,2})\s?(?:st|nd|rd|th|er|\.|º|°|ª|o(?=\s))?[\s\-/]*(?:de\s|of\s|day\sof\s|di\s)?\s*"
    r"([a-z]{3,12})\.?[\s,\-/']*(?:de\s|del\s|of\s|r\.\s)?(\d{4}|\d{2})(?!\d)"
)
_MONTH_DAY = re.compile(r"(?<![a-z])([a-z]{3,12})\.?[\s\-/]*(\d{1,2})\s?(?:st|nd|rd|th)?[\s,\-/.']+(\d{4}|\d{2})(?!\d)")
_YEAR_MONTH = re.compile(r"(?<!\d)(\d{4})[\s\-/.,]+([a-z]{3,12})[\s\-/.,]+(\d{1,2})(?!\d)")
# Each pattern with the groups of year, month and day.
_NAMED = ((_DAY_MONTH, (3, 2, 1)), (_MONTH_DAY, (3, 1, 2)), (_YEAR_MONTH, (1, 2, 3)))
_COMPACT = re.compile(r"(?<![\d.,])((?:19|20)\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])(?![\d.,]\d|\d)")


def iso(year: str, month: int | str, day: int | str) -> str | None:
    """A calendar day as ISO 8601, None when there is no such day; two-digit years are of 1970 to 2069."""
    number = int(year.lstrip("'"))
    if len(year.lstrip("'")) < 4:
        number += 2000 if number < 70 else 1900
    if not 1900 <= number <= 2100:
        return None
    try:
        return date(number, int(month), int(day)).isoformat()
    except ValueError:
        return None


def day_first(text: str) -> bool | None:
    """Whether the numeric dates of a text put the day first; None when none of them tells, or they disagree."""
    days = months = 0
    for match in _NUMERIC.finditer(text):
        if match[2] != match[4]:
            continue
        first, second = int(match[1]), int(match[3])
        days += 12 < first <= 31 and second <= 12
        months += 12 < second <= 31 and first <= 12
    if days and months:
        return days > months * 3 or (False if months > days * 3 else None)
    return True if days else False if months else None


def _numeric(first: str, second: str, year: str, context: Context) -> str | None:
    order = context.day_first
    if order is None:
        order = context.country not in ("US", "PH")
    days = iso(year, second, first)
    months = iso(year, first, second)
    return (days or months) if order else (months or days)


def find_dates(text: str, context: Context = PLAIN) -> list[Found]:
    """Every date of a text in the order of its appearance; of overlapping readings the first pattern wins."""
    if not any(char.isdigit() for char in text):
        return []
    found: list[Found] = []
    for value, start, end in _readings(flat(text), context):
        if value and all(end <= other.start or start >= other.end for other in found):
            found.append(Found(value, start, end))
    found.sort(key=lambda one: one.start)
    return found


def _readings(plain: str, context: Context) -> Iterator[tuple[str | None, int, int]]:
    """Every reading of folded text with its place, the surest patterns first."""
    for match in _ISO.finditer(plain):
        yield iso(match[1], match[2], match[3]), *match.span()
    for pattern, (year, month, day) in _NAMED:
        for match in pattern.finditer(plain):
            if match[month] in MONTHS:
                yield iso(match[year], MONTHS[match[month]], match[day]), *match.span()
    for match in _NUMERIC.finditer(plain):
        if match[2] == match[4] and (match[2] != " " or len(match[5]) == 4):
            yield _numeric(match[1], match[3], match[5], context), *match.span()
    for match in _COMPACT.finditer(plain):
        yield iso(match[1], match[2], match[3]), *match.span()
