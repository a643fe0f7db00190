"""Ways to reach somebody: e-mail, telephone, web address, postcode with its town."""

from __future__ import annotations

import re
from typing import NamedTuple

from mcp_pdf.extract.found import PLAIN, Context, Found

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w-])")
_URL = re.compile(r"(?:https?://[^\s<>\"]+|www\.[\w-]+(?:\.[\w-]+)+(?:/[^\s<>\"]*)?)", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?<![\w@.-])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|eu|info|io|de|at|ch|fr|es|it|nl|be|pl|pt|no|dk|se|tr|cz|ro|br|mx|uk|co\.uk"
    r"|com\.br|com\.tr|com\.mx)(?:/[^\s]*)?(?![\w@-])",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.,/-])(?:\+\s?|00\s?)?(?:\(\+?\d{1,5}\)\s?)?\d(?:[\s./()\-–]{0,3}\d){5,14}(?![\w,]|[.-]\d)"
)

# Country, postcode pattern, whether the town stands behind it. First match that fits wins within a country.
_POSTCODES = {
    "GB": r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}",
    "NL": r"\d{4}\s?[A-Z]{2}",
    "PL": r"\d{2}-\d{3}",
    "PT": r"\d{4}-\d{3}",
    "BR": r"\d{5}-?\d{3}|\d{2}\.\d{3}-\d{3}",
    "CA": r"[A-Z]\d[A-Z]\s?\d[A-Z]\d",
    "US": r"\d{5}(?:-\d{4})?",
    "SE": r"\d{3}\s?\d{2}",
    "CZ": r"\d{3}\s?\d{2}",
    "SK": r"\d{3}\s?\d{2}",
    "GR": r"\d{3}\s?\d{2}",
    "RO": r"\d{6}",
    "IN": r"\d{6}|\d{3}\s\d{3}",
    "SG": r"\d{6}",
    "CN": r"\d{6}",
    "IE": r"[A-Z]\d[\dW]\s?[A-Z\d]{4}",
}
_FIVE = ("DE", "FR", "ES", "IT", "TR", "MX", "MY", "FI", "HR", "EE", "UA", "TH", "ID")
_FOUR = ("AT", "CH", "BE", "DK", "NO", "LU", "HU", "BG", "AU", "SI")
_POSTCODES |= dict.fromkeys(_FIVE, r"\d{5}") | dict.fromkeys(_FOUR, r"\d{4}")
_PLATES = {
    "D": "DE",
    "DE": "DE",
    "F": "FR",
    "FR": "FR",
    "A": "AT",
    "AT": "AT",
    "CH": "CH",
    "B": "BE",
    "BE": "BE",
    "NL": "NL",
    "I": "IT",
    "IT": "IT",
    "E": "ES",
    "ES": "ES",
    "L": "LU",
    "LU": "LU",
    "DK": "DK",
    "N": "NO",
    "NO": "NO",
    "S": "SE",
    "SE": "SE",
    "PL": "PL",
    "CZ": "CZ",
    "RO": "RO",
    "TR": "TR",
    "PT": "PT",
    "P": "PT",
}
_ANY = re.compile(
    r"(?<![\w./-])(?:(?P<plate>[A-Z]{1,2})\s?[-–]\s?)?(?P<code>"
    r"\d{5}-\d{3}|\d{2}\.\d{3}-\d{3}|\d{4}-\d{3}|\d{2}-\d{3}|\d{5}-\d{4}|[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}|[A-Z]\d[A-Z]\s\d[A-Z]\d"
    r"|\d{4}\s?[A-Z]{2}(?=[\s,]+[A-Z])|\d{3}\s\d{2}|\d{4,6}|\d{8})(?![\w./-])"
)


class Postcode(NamedTuple):
    """A postcode in a text and where it stands; the country only when a vehicle-plate prefix names it."""

    code: str
    start: int
    end: int
    country: str | None = None


def find_postcodes(text: str, country: str | None = None) -> list[Postcode]:
    """Postcodes of one country, or of any shape when the country is unknown; a prefix such as `D-` is left off."""
    pattern = _ANY
    if country in _POSTCODES:
        pattern = _of_country(country)
    return [
        Postcode(match["code"], match.start("code"), match.end("code"), _PLATES.get(match["plate"] or ""))
        for match in pattern.finditer(text)
    ]


def _of_country(country: str) -> re.Pattern[str]:
    shape = _POSTCODES[country]
    return re.compile(rf"(?<![\w./])(?:(?P<plate>[A-Z]{{1,2}})\s?[-–]\s?)?(?P<code>{shape})(?![\w/]|-\d|[.,]\d)")


def find_emails(text: str, context: Context = PLAIN) -> list[Found]:
    """E-mail addresses."""
    return [Found(match[0], match.start(), match.end()) for match in _EMAIL.finditer(text)]


def find_urls(text: str, context: Context = PLAIN) -> list[Found]:
    """Web addresses: with a scheme, with www, or a bare domain of a common kind (the last not `valid`)."""
    found = [Found(match[0].rstrip(".,;)"), match.start(), match.end()) for match in _URL.finditer(text)]
    for match in _DOMAIN.finditer(text):
        if not any(one.start < match.end() and match.start() < one.end for one in found):
            found.append(Found(match[0], match.start(), match.end(), valid=False))
    return found


def find_phones(text: str, context: Context = PLAIN) -> list[Found]:
    """Telephone numbers as printed; `valid` when a plus, brackets or grouping set them off from other numbers."""
    found = []
    for match in _PHONE.finditer(text):
        printed = match[0].strip()
        digits = sum(char.isdigit() for char in printed)
        if 7 <= digits <= 15 and not re.fullmatch(
            r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{2}[./-]\d{2}", printed
        ):
            sure = printed[0] in "+(" or printed.startswith("0") or bool(re.search(r"[\s./\-–]", printed))
            found.append(Found(printed, match.start(), match.end(), sure))
    return found
