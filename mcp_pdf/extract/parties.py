"""Who trades with whom: address blocks and the roles that their labels give them.

A role label ("Bill to", "Verkäufer", "Cedente/prestatore") owns the segments behind it and those stacked below it, up
to the next label or a wide gap. In such a block a line is a key with its value ("Comune: ROMA"), a postcode with its
town, or plain text, of which the first line is the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mcp_pdf.extract.contacts import find_emails, find_phones, find_postcodes
from mcp_pdf.extract.folding import fold
from mcp_pdf.extract.found import PLAIN, Context
from mcp_pdf.extract.identifiers import find_tax_ids
from mcp_pdf.extract.layout import Layout, Line, Segment
from mcp_pdf.extract.running_text import Passage

_ROLE_WORDS = {
    "seller": "seller|vendor|supplier|sold by|from|issued by|verkaufer|lieferant|rechnungssteller"
    "|leistungserbringer|vendeur|fournisseur"
    "|emetteur|emisor|vendedor|proveedor|cedente/prestatore(?: \\(fornitore\\))?|cedente"
    "|fornitore|venditore|verkoper|leverancier"
    "|sprzedawca|wystawca|emitente|prestador|selger|leverandor|saljare|saelger|satici"
    "|dodavatel|furnizor|biller|afsender",
    "buyer": "buyer|bill(?:ed)? to|sold to|invoice(?:d)? to|customer|client"
    "|kaufer(?:/leistungsempfanger)?|rechnungsempfanger|kunde"
    "|leistungsempfanger|rechnung an|acheteur|facture a|adresse de facturation|receptor"
    "|cliente|comprador|destinatario"
    "|cessionario/committente(?: \\(cliente\\))?|cessionario|koper|klant|afnemer"
    "|factuuradres|nabywca|destinatario / remetente|tomador"
    "|kjoper|kopare|kober|alici|sayin|odberatel|cumparator|billing address|fakturaadresse|kund",
    "ship_to": "ship(?:ped)? to|deliver(?:y)? (?:to|address)|lieferadresse"
    "|(?:abweichender )?warenempfanger|adresse de livraison|livre a"
    "|direccion de entrega|afleveradres|adres dostawy|leveringsadresse|luogo di destinazione",
    "payee": "(?:abweichender )?zahlungsempfanger|payee|remit to|beneficiary",
    "shipper": "shipper(?:/exporter)?|exporter|consignor|ship from|absender",
    "consignee": "consignee(?: \\(.*\\))?",
    "notify_party": "notify(?: party)?(?: address)?|also notify",
    "carrier": "carrier(?: name)?|carrying company|frachtfuhrer",
}
_ROLES = {
    role: re.compile(rf"^\W*(?:{words})(?: name)?\s*(?:[:.]\s*(?P<rest>.*)|$)") for role, words in _ROLE_WORDS.items()
}
_KEYS = {
    "name": "name|nazwa|nombre|denominazione|cognome nome|ragione sociale|nom|razon social|navn"
    "|nome|naam|denumire|nazev|company name",
    "street": "anschrift|address|indirizzo|adresse|adres|direccion|domicilio|endereco|street|strasse|ulica",
    "city": "comune|city|ort|ville|ciudad|localita|town|miasto|by|plaats|municipio|poblacion",
    "postcode": "cap|plz|postcode|zip|postal code|c\\.?p\\.?|kod pocztowy|codigo postal|cep",
    "country": "nazione|country|land|pays|pais|kraj",
}
_KEY = {part: re.compile(rf"^(?:{words})\s*:\s*(?P<rest>\S.*)") for part, words in _KEYS.items()}
_INLINE = re.compile(r"\s+(?=(?:Provincia|Nazione|Country|Provinz)\s*:)")
_OTHER_KEY = re.compile(r"^[^:]{2,60}:\s?(?:\S|$)")
_BLOCK_LINES = 14
_FIELD_TITLE = re.compile(
    r"^(?:nome / razao social|razon social|name|nummer|numero|number|nr|no\.?|id|rfc|nif"
    r"|cif|adres|address|datum|date)\W*$"
    r"|^(?:rfc|nif|cif|nip|vat|ust)\b.*\d"
)
_TAX_LABEL = re.compile(
    r"^(?:nip|rfc|nif|cif|p\.? ?iva|partita iva|vkn|tckn|vat|ust|btw|tva|cnpj|cvr|org|orgnr)\b[^:]{0,40}[:.]"
)
_STEUERNUMMER = re.compile(r"\d{2,3}/\d{3}/\d{4,5}")  # a German tax office's number is no VAT number
_TAX_NUMBER = re.compile(r"(?<=[:.\s])[A-Z&]{0,4}\d[\dA-Z./-]{7,}")
_COUNTRIES = re.compile(
    r"^(?:[A-Z]{2}|france|deutschland|germany|polska|espana|italia|nederland|norge|turkiye"
    r"|brasil|mexico|portugal|schweiz"
    r"|united kingdom|belgie|osterreich|sverige|danmark)$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Party:
    """One party: its role and the parts found (`name street postcode city country vat_id email phone`)."""

    role: str
    parts: dict[str, Passage] = field(default_factory=dict)
    score: float = 0.8  # how sure the role is


def find_parties(layout: Layout, context: Context = PLAIN) -> list[Party]:
    """Parties whose role a label names, in order of their labels; the first of a role is the likeliest."""
    labels = [(segment, role, rest) for segment in layout.segments for role, rest in _label(segment)]
    owned = {segment.index for segment, _, _ in labels}
    found: list[Party] = []
    for segment, role, rest in labels:
        party = Party(role)
        if rest and _is_name(rest):
            start = len(segment.text) - len(rest)
            _put(party, "name", segment, start, len(segment.text))
        _read(party, list(_block(layout, segment, owned)), context)
        if "name" in party.parts:
            found.append(party)
    return found


def _label(segment: Segment) -> Iterator[tuple[str, str]]:
    folded = fold(segment.text)
    if len(folded) > 90:
        return
    for role, pattern in _ROLES.items():
        match = pattern.match(folded)
        if match:
            yield role, (match["rest"] or "").strip()
            return


def _block(layout: Layout, label: Segment, owned: set[int]) -> Iterator[Segment]:
    """What a label owns: the next segment on its line unless that is a label, then the stack below either."""
    right = [s for s in layout.right_of(label)[:1] if s.index not in owned and s.box[0] - label.box[2] < 260]
    below = list(layout.below(label, lines=1))
    beneath = any(abs(s.box[0] - label.box[0]) <= 3 and not s.text.rstrip().endswith(":") for s in below)
    follows = right[0] if right and label.text.rstrip().endswith(":") and not beneath else None
    if follows is not None:
        yield follows
    bottom, taken, values_x = label, 0, -1.0
    x0 = (follows or label).box[0]
    for line in layout.lines[label.line + 1 :]:
        if line.page != label.page or taken >= _BLOCK_LINES or line.box[1] - bottom.box[3] > 2.6 * label.height:
            return
        here = _beneath(line, label, x0, values_x)
        if here is None:
            continue
        if here.index in owned:
            return
        after = layout.right_of(here)[:1]
        bottom, taken = here, taken + 1
        if after and after[0].text.startswith(":"):
            continue
        yield here
        if after and here.text.rstrip().endswith(":"):
            values_x = after[0].box[0]
            yield after[0]


def _beneath(line: Line, label: Segment, x0: float, values_x: float) -> Segment | None:
    """The segment of a line that goes on with a block: on its left edge, centred, or a value's next line."""
    for segment in line.segments:
        if -12 <= segment.box[0] - x0 <= 45:
            return segment
    for segment in line.segments:
        if x0 == label.box[0] and segment.box[0] < label.box[2] and segment.box[2] > label.box[0]:
            return segment
    return line.segments[0] if abs(line.segments[0].box[0] - values_x) <= 3 else None


def _read(party: Party, block: Sequence[Segment], context: Context) -> None:
    pending: str | None = None
    for segment in block:
        if pending is not None:
            _facts(party, segment, context)
            _put(party, pending, segment, 0, len(segment.text))
            pending = None
            continue
        key = next((part for part, pattern in _KEY.items() if pattern.match(fold(segment.text) + " -")), None)
        if segment.text.rstrip().endswith(":"):
            pending = key or "-"
            continue
        _facts(party, segment, context)
        if key is not None:
            _keyed(party, key, segment)
        elif not _OTHER_KEY.match(segment.text):
            _plain(party, segment)


def _facts(party: Party, segment: Segment, context: Context) -> None:
    """Numbers and addresses that prove themselves wherever they stand."""
    for part, finder in (("vat_id", find_tax_ids), ("email", find_emails), ("phone", find_phones)):
        found = [one for one in finder(segment.text, context) if not _STEUERNUMMER.fullmatch(str(one.value))]
        if found and (part != "phone" or re.search(r"\b(?:tel|phone|fon|tlf)", fold(segment.text))):
            _put(party, part, segment, found[0].start, found[0].end, str(found[0].value))
    bare = _TAX_NUMBER.search(segment.text) if _TAX_LABEL.match(fold(segment.text)) else None
    if bare:
        _put(party, "vat_id", segment, bare.start(), bare.end())


def _keyed(party: Party, key: str, segment: Segment) -> None:
    start = segment.text.index(":") + 1
    inline = _INLINE.search(segment.text, start)
    _put(party, key, segment, start, inline.start() if inline else len(segment.text))


def _plain(party: Party, segment: Segment) -> None:
    text = segment.text
    if "name" not in party.parts:
        if _is_name(text):
            _put(party, "name", segment, 0, len(text))
        return
    if _COUNTRIES.match(text.strip()):
        _put(party, "country", segment, 0, len(text))
        return
    town = split_town(text)
    if town is not None:
        (code_start, code_end), (start, end) = town
        _put(party, "postcode", segment, code_start, code_end)
        if end > start:
            _put(party, "city", segment, start, end)
    elif "postcode" not in party.parts:
        _put(party, "street", segment, 0, len(text))


def _is_name(text: str) -> bool:
    return sum(char.isalpha() for char in text) >= 2 and not _FIELD_TITLE.match(fold(text))


def split_town(text: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Where postcode and town stand in a line such as `GB SW1B 3BN London` or `São Paulo - SP 01311-000`."""
    for code in find_postcodes(text):
        after = re.match(r"[\s,]+([^\W\d_][^\d,;|()]*)", text[code.end :])
        if after and len(text[: code.start].strip(" -,")) <= 3:
            start = code.end + after.start(1)
            return (code.start, code.end), (start, start + len(after[1].rstrip(" -")))
        before = text[: code.start].rstrip(" ,-")
        if before and not re.search(r"\d", before) and code.end >= len(text) - 1:
            return (code.start, code.end), (0, len(before))
    return None


def _put(party: Party, part: str, segment: Segment, start: int, end: int, value: str | None = None) -> None:
    """Keeps the first value of a part."""
    printed = segment.text[start:end].strip(" ,;")
    if part == "-" or part in party.parts or not printed:
        return
    start += len(segment.text[start:end]) - len(segment.text[start:end].lstrip())
    words = tuple((segment.page, word) for word in segment.span(start, end))
    party.parts[part] = Passage(value or printed, printed, words, party.score)
