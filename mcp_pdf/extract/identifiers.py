"""Numbers that prove themselves: tax and VAT numbers, IBAN, BIC; and plain identifiers.

A cheap pattern finds the candidate, its country's check digits (python-stdnum) tell whether it is `valid`. Invented
documents carry invented numbers, so an invalid candidate is still a candidate.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module

from mcp_pdf.extract.found import PLAIN, Context, Found

# What follows the country prefix, and the module of python-stdnum that checks the whole.
_VAT = {
    "AT": (r"U\d{8}", "at.uid"),
    "BE": (r"[01]?\d{9}", "be.vat"),
    "BG": (r"\d{9,10}", "bg.vat"),
    "CY": (r"\d{8}[A-Z]", "cy.vat"),
    "CZ": (r"\d{8,10}", "cz.dic"),
    "DE": (r"\d{9}", "de.vat"),
    "DK": (r"\d{8}", "dk.cvr"),
    "EE": (r"\d{9}", "ee.kmkr"),
    "EL": (r"\d{9}", "gr.vat"),
    "ES": (r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]|\d{9}", "es.nif"),
    "FI": (r"\d{8}", "fi.alv"),
    "FR": (r"[A-HJ-NP-Z0-9]{2}\d{9}", "fr.tva"),
    "GB": (r"\d{12}|\d{9}|(?:GD|HA)\d{3}", "gb.vat"),
    "HR": (r"\d{11}", "hr.oib"),
    "HU": (r"\d{8}", "hu.anum"),
    "IE": (r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]", "ie.vat"),
    "IT": (r"\d{11}|[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]", "it.iva"),
    "LT": (r"\d{12}|\d{9}", "lt.pvm"),
    "LU": (r"\d{8}", "lu.tva"),
    "LV": (r"\d{11}", "lv.pvn"),
    "MT": (r"\d{8}", "mt.vat"),
    "NL": (r"\d{9}B\d{2}", "nl.btw"),
    "NO": (r"\d{9}(?:MVA)?", "no.orgnr"),
    "PL": (r"\d{10}", "pl.nip"),
    "PT": (r"\d{9}", "pt.nif"),
    "RO": (r"\d{2,10}", "ro.cf"),
    "SE": (r"\d{12}", "se.vat"),
    "SI": (r"\d{8}", "si.ddv"),
    "SK": (r"\d{10}", "sk.dph"),
    "CHE": (r"\d{9}(?:MWST|TVA|IVA)?", "ch.uid"),
}
_PREFIXED = re.compile(
    r"(?<![A-Z0-9])(?P<country>CHE|"
    + "|".join(code for code in _VAT if code != "CHE")
    + r")[\s\-]?(?P<body>[A-Z0-9](?:[ .\-]?[A-Z0-9*+]){1,17})(?![A-Z0-9])"
)
_SPACING = re.compile(r"[\s.\-/]")

# Numbers without a country prefix; each needs a label, its own shape or valid digits to be believed.
_NATIONAL = (
    ("BR", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}|[A-Z0-9]{2}\.[A-Z0-9]{3}\.[A-Z0-9]{3}/[A-Z0-9]{4}-\d{2}", "br.cnpj"),
    ("BR", r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    ("MX", r"[A-Z&Ñ]{3,4}\d{6}[A-Z0-9]{3}", "mx.rfc"),
    ("NO", r"(?:NO\s?)?\d{3}\s?\d{3}\s?\d{3}\s?MVA", "no.mva"),
    ("PL", r"\d{3}-\d{3}-\d{2}-\d{2}|\d{3}-\d{2}-\d{2}-\d{3}", "pl.nip"),
    ("ES", r"[A-HJNP-SUVW]-?\d{7}[0-9A-J]|[XYZ]-?\d{7}-?[A-Z]|\d{8}-?[A-HJ-NP-TV-Z]", "es.nif"),
    ("IT", r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    ("SE", r"\d{6}-\d{4}", "se.orgnr"),
    ("DE", r"\d{2,3}/\d{3}/\d{4,5}", "de.stnr"),
)
_NATIONAL_PATTERN = re.compile(
    r"(?<![A-Z0-9])(?:"
    + "|".join(f"(?P<n{i}>{pattern})" for i, (_, pattern, _) in enumerate(_NATIONAL))
    + r")(?![A-Z0-9])"
)
_BARE = {
    "BR": r"[A-Z0-9]{12}\d{2}|\d{11}",
    "TR": r"\d{10,11}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "IT": r"\d{11}",
    "NO": r"\d{3}\s?\d{3}\s?\d{3}",
    "DK": r"\d{8}",
    "GB": r"\d{3}\s?\d{4}\s?\d{2}",
    "RO": r"\d{2,10}",
    "CZ": r"\d{8,10}",
    "DE": r"\d{2,3}\s?/?\s?\d{3}\s?/?\s?\d{4,5}",
}
_BARE_CHECKS = {
    "BR": ("br.cnpj", "br.cpf"),
    "TR": ("tr.vkn", "tr.tckimlik"),
    "PL": ("pl.nip",),
    "PT": ("pt.nif",),
    "IT": ("it.iva",),
    "NO": ("no.orgnr",),
    "DK": ("dk.cvr",),
    "GB": ("gb.vat",),
    "RO": ("ro.cf",),
    "CZ": ("cz.dic",),
    "DE": ("de.stnr",),
}

_IBAN_WORDS = (
    "AD:24 AE:23 AT:20 BA:20 BE:16 BG:22 BR:29 CH:21 CY:28 CZ:24 DE:22 DK:18 EE:20 ES:24 FI:18 FR:27 GB:22 GR:27 "
    "HR:21 HU:28 IE:22 IL:23 IS:26 IT:27 LI:21 LT:20 LU:20 LV:21 MC:27 MD:24 ME:22 MK:19 MT:31 NL:18 NO:15 PL:28 "
    "PT:25 RO:24 RS:22 SA:24 SE:24 SI:19 SK:24 SM:27 TN:24 TR:26 UA:29 XK:20"
)
_IBAN_LENGTHS = {word[:2]: int(word[3:]) for word in _IBAN_WORDS.split()}
_IBAN = re.compile(r"(?<![A-Z0-9])([A-Z]{2})\s?(\d{2})((?:[ \u00a0\-.]?[A-Z0-9]){10,30})")
_NRB = re.compile(r"(?<![\dA-Z])(\d{2})((?:\s?\d{4}){6})(?!\d)")
_BIC = re.compile(r"(?<![A-Z0-9])([A-Z]{4})\s?([A-Z]{2})\s?([A-Z0-9]{2})\s?([A-Z0-9]{3})?(?![A-Z0-9])")
_FAR_COUNTRIES = "US CA MX MY SG CN HK JP AU NZ IN TH AR CL CO PE ZA KR"
_BIC_COUNTRIES = frozenset(_IBAN_LENGTHS) | frozenset(_FAR_COUNTRIES.split())
_SIGN = re.compile(r"[Nn][º°ªo]\.?(?=\d)")
_TAX_SHAPE = re.compile(r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}")  # CPF and CNPJ of Brazil
_ID = re.compile(r"(?<![\w])[^\W_](?:[\w./\\#&:+-]*[\w])?")


@cache
def _check(module: str) -> Callable[[str], bool]:
    valid: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return valid


@cache
def _vat_shape(country: str) -> re.Pattern[str]:
    return re.compile(f"(?:{_VAT[country][0]})$")


def find_tax_ids(text: str, context: Context = PLAIN) -> list[Found]:
    """VAT and tax numbers that carry a country prefix or a national shape; the value has no spaces."""
    upper = text.upper()
    found = [one for match in _PREFIXED.finditer(upper) if (one := _prefixed(match, text)) is not None]
    for match in _NATIONAL_PATTERN.finditer(upper):
        if any(match.start() < other.end and other.start < match.end() for other in found):
            continue
        index = int((match.lastgroup or "n0")[1:])
        module = _NATIONAL[index][2]
        value = re.sub(r"\s", "", match[0])
        found.append(Found(value, match.start(), match.end(), _check(module)(value)))
    return found


def _prefixed(match: re.Match[str], text: str) -> Found | None:
    """The longest run behind a country prefix that has the country's shape; words that follow are left off."""
    country, upper = match["country"], match[0]
    if len(country) == 2 and text[match.start() : match.start() + 2].islower():
        return None
    ends = [i + 1 for i, char in enumerate(upper) if char.isalnum() and (i + 1 == len(upper) or upper[i + 1] in " .-")]
    for end in reversed(ends):
        body = _SPACING.sub("", upper[len(country) : end])
        if _vat_shape(country).match(body):
            return Found(country + body, match.start(), match.start() + end, _check(_VAT[country][1])(country + body))
    return None


def find_bare_tax_ids(text: str, context: Context = PLAIN) -> list[Found]:
    """Numbers of the context's country without any prefix; only for the place beside a tax-number label."""
    shape = _BARE.get(context.country or "")
    if shape is None:
        return []
    found = []
    for match in re.finditer(rf"(?<![A-Z0-9.,])(?:{shape})(?![A-Z0-9]|[.,]\d)", text.upper()):
        value = re.sub(r"\s", "", match[0])
        valid = any(_check(module)(value) for module in _BARE_CHECKS[context.country or ""])
        found.append(Found(value, match.start(), match.end(), valid))
    return found


def find_ibans(text: str, context: Context = PLAIN) -> list[Found]:
    """IBANs cut to their country's length; `valid` is mod 97. Polish account numbers get their prefix."""
    found = []
    for match in _IBAN.finditer(text.upper()):
        length = _IBAN_LENGTHS.get(match[1])
        body, end = "", match.start()
        for end in range(match.start(), match.end()):
            char = match[0][end - match.start()]
            body += char if char.isalnum() else ""
            if length is not None and len(body) == length:
                break
        if length is None or len(body) < min(length, 15):
            continue
        found.append(Found(body, match.start(), end + 1, len(body) == length and _mod97(body)))
    if context.country == "PL" or context.language == "pl":
        for match in _NRB.finditer(text):
            body = "PL" + re.sub(r"\s", "", match[0])
            if _mod97(body) and not any(one.start < match.end() and match.start() < one.end for one in found):
                found.append(Found(body, match.start(), match.end()))
    return found


def _mod97(iban: str) -> bool:
    digits = "".join(str(int(char, 36)) for char in iban[4:] + iban[:4])
    return int(digits) % 97 == 1


def find_bics(text: str, context: Context = PLAIN) -> list[Found]:
    """BICs; `valid` when a digit or a bank's usual ending sets them off from an ordinary word."""
    found = []
    for match in _BIC.finditer(text):
        value = re.sub(r"\s", "", match[0])
        if match[2] in _BIC_COUNTRIES and len(value) in (8, 11):
            found.append(
                Found(value, match.start(), match.end(), any(char.isdigit() for char in value) or len(value) == 11)
            )
    return found


def find_ids(text: str, context: Context = PLAIN) -> list[Found]:
    """Tokens that could be an identifier: they hold a digit, and are no tax number by their shape; `valid` tells those
    of three characters or more. A sign for "number" that is set close to its number is none of it."""
    found = []
    for match in _ID.finditer(text):
        start = match.start() + (len(sign[0]) if (sign := _SIGN.match(match[0])) else 0)
        token = text[start : match.end()]
        if any(char.isdigit() for char in token) and not _TAX_SHAPE.fullmatch(token):
            found.append(Found(token, start, match.end(), len(token) >= 3))
    return found
