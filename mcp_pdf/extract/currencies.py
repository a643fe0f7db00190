"""Currency symbols, codes and words, read to ISO 4217."""

from __future__ import annotations

import re

from mcp_pdf.extract.found import PLAIN, Context, Found, flat

_CODE_WORDS = (
    "AED ARS AUD BAM BDT BGN BHD BRL CAD CHF CLP CNY COP CRC CZK DKK DOP DZD EGP EUR GBP GEL GTQ HKD HNL HUF IDR "
    "ILS INR ISK JOD JPY KES KRW KWD KZT LBP LKR MAD MDL MKD MUR MXN MYR NGN NOK NZD OMR PAB PEN PHP PKR PLN PYG "
    "QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD UYU VES VND XAF XOF ZAR"
)
CODES = frozenset(_CODE_WORDS.split())
_SYMBOLS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₺": "TRY",
    "¥": "JPY",
    "₽": "RUB",
    "₪": "ILS",
    "₩": "KRW",
    "฿": "THB",
    "₫": "VND",
    "₱": "PHP",
    "₴": "UAH",
    "r$": "BRL",
    "us$": "USD",
    "a$": "AUD",
    "au$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "hk$": "HKD",
    "s$": "SGD",
    "nz$": "NZD",
    "mx$": "MXN",
    "$": "USD",
    "zł": "PLN",
    "zl": "PLN",
    "kč": "CZK",
    "kc": "CZK",
    "lei": "RON",
    "ft": "HUF",
    "tl": "TRY",
    "rm": "MYR",
    "rs": "INR",
    "rs.": "INR",
    "sfr": "CHF",
    "fr.": "CHF",
    "kr": "SEK",
    "kr.": "DKK",
}
_WORDS = {
    "euro": "EUR",
    "euros": "EUR",
    "dollar": "USD",
    "dollars": "USD",
    "pounds": "GBP",
    "sterling": "GBP",
    "zloty": "PLN",
    "zlotych": "PLN",
    "zlote": "PLN",
    "franken": "CHF",
    "kronor": "SEK",
    "kroner": "NOK",
    "reais": "BRL",
    "real": "BRL",
    "pesos": "MXN",
    "lira": "TRY",
    "lirasi": "TRY",
    "ringgit": "MYR",
    "rupees": "INR",
    "rupee": "INR",
    "yen": "JPY",
    "yuan": "CNY",
    "korun": "CZK",
}
_LOCAL = {"$": {"MX": "MXN", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "CO": "COP", "CL": "CLP"}}
# Short words that mean money only where they are at home.
_AT_HOME = {"TR": {"tl": "TRY"}, "RO": {"lei": "RON"}, "HU": {"ft": "HUF"}, "CZ": {"kc": "CZK"}, "MY": {"rm": "MYR"}}
_KRONE = {"NO": "NOK", "DK": "DKK", "SE": "SEK", "IS": "ISK", "no": "NOK", "nb": "NOK", "da": "DKK", "sv": "SEK"}

_PATTERN = re.compile(
    r"(?<![^\W\d_])(?:(?P<symbol>(?:US|AU?|CA?|HK|S|NZ|MX|R)\$|[$€£₹₺¥₽₪₩฿₫₱₴]|zł|Zł|ZŁ|Kč|kč)"
    r"|(?P<code>[A-Z]{3})(?![^\W\d_])"
    r"|(?P<word>[A-Za-z]{2,9}\.?)(?![^\W\d_]))"
)


def _meaning(match: re.Match[str], context: Context) -> str | None:
    code = match["code"]
    if code:
        return code if code in CODES else _WORDS.get(flat(code))
    printed = (match["symbol"] or match["word"]).lower()
    if printed.startswith("kr") and printed.rstrip(".") == "kr":
        return _KRONE.get(context.country or "") or _KRONE.get(context.language or "") or "SEK"
    if match["symbol"]:
        return _LOCAL.get(printed, {}).get(context.country or "") or _SYMBOLS.get(printed)
    home = _AT_HOME.get(context.country or "", {}).get(flat(printed))
    return home or _WORDS.get(flat(printed)) or (printed.upper() if printed.upper() in CODES else None)


def find_currencies(text: str, context: Context = PLAIN) -> list[Found]:
    """Currencies that a text names by code, symbol or word."""
    found = []
    for match in _PATTERN.finditer(text):
        value = _meaning(match, context)
        if value:
            found.append(Found(value, match.start(), match.end()))
    return found


def currency_of(text: str, context: Context = PLAIN) -> str | None:
    """The currency that a short text (a cell, a value) means, abbreviations such as `Rs` and `TL` included."""
    found = find_currencies(text, context)
    if found:
        return str(found[0].value)
    for word in re.findall(r"[^\W\d_]+\.?", text.lower()):
        if word in _SYMBOLS:
            return _SYMBOLS[word]
    return None
