"""Numbers as documents print them: amounts with any separators, percentages, quantities with units.

Values stay as printed but for their separators: "1.190,00" is "1190.00", never 1190.0.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

from mcp_pdf.extract.found import PLAIN, Context, Found, flat

_NUMBER = re.compile(
    r"(?<![\w.,])"
    r"(?P<open>\()?\s?(?P<sign>[-−–+](?=[\d\s$€£R]))?\s?"
    r"(?P<before>(?:R|US)?[$€£₹₺¥]\s?|[A-Z]{3}\s(?=\d)|RM\s?|Rs\.?\s?)?(?P<inner>[-−](?=\d))?"
    r"(?P<body>\d{1,3}(?:[\s\u00a0\u202f]\d{3})+(?:[.,]\d+)?(?!\d)"
    r"|\d{1,3}(?:['’´`]\d{3})+(?:[.,]\d+)?"
    r"|\d+(?:[.,]\d+)*|[.,]\d+)"
    r"(?P<dash>[.,](?:-+|–|—)(?!\d))?"
    r"(?P<close>\))?(?P<after>\s?[-−](?=\s*$|\s[^\d]))?"
    r"(?![.,]?\d)"
)
_SPACES = re.compile(r"[\s\u00a0\u202f'’´`]")
_PERCENT = re.compile(
    r"(?<![\w.,])(-?\d{1,3}(?:[.,]\d+)?)\s?(?:%|percent\b|prozent\b|procent\b|por ciento\b|por cento\b)"
)


def read_number(printed: str, context: Context = PLAIN) -> str | None:
    """The digits of one printed number as a decimal string with a point; a lone separator is judged by the document."""
    body = _SPACES.sub("", printed).strip("+")
    last_comma, last_point = body.rfind(","), body.rfind(".")
    if last_comma >= 0 and last_point >= 0:
        mark = "," if last_comma > last_point else "."
        body = body.replace("." if mark == "," else ",", "")
        if body.count(mark) > 1:
            return None
        body = body.replace(",", ".")
    elif last_comma >= 0 or last_point >= 0:
        body = _lone_mark(body, "," if last_comma >= 0 else ".", context)
    body = f"0{body}" if body.startswith(".") else body
    try:
        Decimal(body)
    except InvalidOperation:
        return None
    return body


def _lone_mark(body: str, mark: str, context: Context) -> str:
    """One kind of separator only: thousands when it repeats or groups three digits where the document says so."""
    head, _, tail = body.rpartition(mark)
    if body.count(mark) > 1:
        groups = body.split(mark)
        thousands = all(len(group) == 3 for group in groups[1:-1]) and len(tail) == 3
        return body.replace(mark, "") if thousands else head.replace(mark, "") + "." + tail
    if len(tail) == 3 and 1 <= len(head) <= 3 and head != "0" and mark != (context.decimal or "."):
        return head + tail
    return f"{head}.{tail}"


def decimal_mark(text: str) -> str | None:
    """The decimal separator that a document's own numbers vote for: two digits behind it at the end of a number."""
    commas = len(re.findall(r"\d,\d{2}(?![\d.,]\d|\d)", text))
    points = len(re.findall(r"\d\.\d{2}(?![\d.,]\d|\d)(?!\.)", text))
    if commas == points:
        return None
    return "," if commas > points else "."


def find_amounts(text: str, context: Context = PLAIN) -> list[Found]:
    """Every number of a text as a signed decimal string; `valid` tells whether it looks like money (two decimals)."""
    return list(_amounts(text, context))


@lru_cache(maxsize=4096)  # each label of a document looks at the same few texts around it
def _amounts(text: str, context: Context) -> tuple[Found, ...]:
    found: list[Found] = []
    for match in _NUMBER.finditer(text):
        dash = match["dash"]
        value = read_number(match["body"], context._replace(decimal=dash[0]) if dash else context)
        if value is None:
            continue
        bracketed = bool(match["open"] and match["close"])
        negative = bracketed or (match["sign"] or "") in ("-", "−", "–") or match["inner"] or match["after"]
        start = match.start() if bracketed or match["sign"] else match.start("body")
        start += len(match[0]) - len(match[0].lstrip()) if start == match.start() else 0
        end = match.end() if bracketed or match["after"] else match.end("body")
        signed = f"-{value}" if negative and Decimal(value) else value
        found.append(Found(signed, start, end, bool(re.search(r"\.\d\d$", value)) or bool(dash)))
    return tuple(found)


def find_percents(text: str, context: Context = PLAIN) -> list[Found]:
    """Percentages of a text, without the sign."""
    found = []
    for match in _PERCENT.finditer(text):
        sign, body = ("-", match[1][1:]) if match[1].startswith("-") else ("", match[1])
        value = read_number(body, context._replace(decimal=body[-4:-3] or None)) if "," in body or "." in body else body
        if value is not None:
            found.append(Found(sign + value, match.start(), match.end()))
    return found


class Quantity(NamedTuple):
    """A number and the unit printed with it."""

    number: str
    unit: str | None


_UNIT_WORDS = (
    "pcs pc pce pieces piece ea each unit units set sets pair pairs box boxes carton cartons ctn ctns pallet "
    "pallets bag bags roll rolls pack packs packages pkgs kg kgs g gr mg t to lb lbs oz l lt ltr litre litres liter "
    "ml cl m m2 m3 qm cbm mtr mt cm mm km sqm ft yd gal h hr hrs hour hours min day days month months week weeks "
    "year years kwh mwh wh stk stck stuck stueck st std stunde stunden tag tage monat monate psch pauschal pschl "
    "paar pkg pck pak satz liter meter piece pieces pce pces heure heures jour jours mois forfait boite u un ud uds "
    "unidad unidades pz pza pieza piezas servicio hora horas dia dias mes meses caja cajas pezzo pezzi nr num conf "
    "ore ora giorni giorno mese mesi cad stuks stuk uur uren dag dagen maand maanden doos szt sztuka sztuk usl "
    "usluga godz kpl opak mb mies peca pecas pc unid hr mes cx timer time maned par kasse stycken styck timmar "
    "dagar manad pkt adet ad saat gun ay kutu paket ks kus kusy hod hodin mesic sada buc bucata bucati ore luna set "
    "c62 h87 hur ltr mtr mtk kgm e48 e51 act xpp zp nmp cmq mq mc dz doz dozen lot ls"
)
UNITS = frozenset(_UNIT_WORDS.split())
_QUANTITY = re.compile(r"^\s*(?P<sign>-?)(?P<number>\d[\d.,' \u00a0]*)\s*[xX×]?\s*(?P<unit>[^\W\d_][\w²³/.]*\.?)?\s*$")


def quantity_of(text: str, context: Context = PLAIN) -> Quantity | None:
    """A quantity cell such as `3 Stk`, `1,500 kg` or `10`; None when something else than a unit stands beside."""
    match = _QUANTITY.match(text)
    if not match:
        return None
    number = read_number(match["number"].strip(), context)
    unit = match["unit"]
    if number is None or (unit and not is_unit(unit)):
        return None
    return Quantity(match["sign"] + number, unit)


def is_unit(text: str) -> bool:
    """Whether a word is a unit of quantity in one of the known languages or a UN/ECE code."""
    word = flat(text).rstrip(".").replace("²", "2").replace("³", "3")
    return word in UNITS or word.rstrip("s") in UNITS


def as_number(value: str) -> int | float:
    """A decimal string as a JSON number; whole numbers become integers."""
    number = Decimal(value)
    return int(number) if number == number.to_integral_value() else float(number)
