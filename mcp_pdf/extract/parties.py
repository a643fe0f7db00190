"""Who trades with whom: the blocks of a page that belong to a party, and the parts that such a block tells.

A role label of the lexicon ("Bill to", "Verkäufer", "Cedente/prestatore") owns the segments behind it and those stacked
below it, up to the next role label or a wide gap. In such a block a line is a key with its value ("Comune: ROMA"), a
postcode with its town, or plain text, of which the first line is the name. A heading over a grid of small labels
("NOME", "MUNICÍPIO") owns the grid.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from mcp_pdf.extract.candidates import Mark, Reader
from mcp_pdf.extract.contacts import find_emails, find_phones, find_postcodes
from mcp_pdf.extract.folding import fold
from mcp_pdf.extract.labels import lexicon, split
from mcp_pdf.extract.layout import Segment
from mcp_pdf.extract.party_stack import Stack
from mcp_pdf.extract.running_text import Passage

ROLES = (
    "seller", "buyer", "ship_to", "shipper", "consignee", "notify_party", "carrier", "payee", "invoicee", "ship_from",
)  # fmt: skip
_KEY_WORDS = {
    "name": r"nazwa|nombre(?: o razon social)?|denominazione|cognome nome|ragione sociale|nom|razon social|navn|nome"
    r"|naam|denumire|nazev|company name|firmenname|firma|nome ?/ ?razao social|nome ?/ ?nome empresarial|unvan|name",
    "street": r"anschrift|address(?: line \d)?|indirizzo|adresse|adres|direccion|domicilio|endereco|street|logradouro"
    r"|strasse(?: ?/ ?hausnummer)?|ulica",
    "city": r"comune|city|ort|ville|ciudad|localita|town|miasto|by|plaats|municipio|poblacion|localidad|sehir",
    "postcode": r"cap|plz|post ?code|zip(?: code)?|postal code|c\.?p\.?|kod pocztowy|codigo postal|cep|postnummer",
    "-": r"nazione|country|land(?:ercode)?|pays|pais|kraj|provincia|provinz|bundesland|uf|estado|tel\w*|fone|fax|faks"
    r"|e-?mail(?:-adresse)?|email|contact|kontakt|attn|city ?/ ?state ?/ ?zip|numero civico",
}
_KEY = re.compile(
    r"(?:^|(?<=[\s\-,;(]))(?:"
    + "|".join(f"(?P<k{i}>{words})" for i, words in enumerate(_KEY_WORDS.values()))
    + r")\s*:"
)
_GRID = {part: re.compile(rf"(?:{words})\W*$") for part, words in _KEY_WORDS.items() if part != "-"}
_OTHER_KEY = re.compile(r"^[^:]{2,60}:\s?(?:\S|$)")
_NOTES = re.compile(
    r"^\W*(?:\([^)]*\)?|(?:complete |full )?name and address|details|information|data|if (?:not|other).*)\W*$"
)
_BLOCK_LINES = 14
_FIELD_TITLE = re.compile(
    r"^(?:nome / razao social|razon social|name|nummer|numero|number|nr|no\.?|id|rfc|nif|cif"
    r"|adres|address|datum|date)\W*$"
    r"|^(?:rfc|nif|cif|nip|vat|ust)\b.*\d"
)
_LAND = re.compile(r",\s*[^\W\d_]+(?: [^\W\d_]+)?\W*")  # a country behind the postcode
_STATE = re.compile(r"\s+-\s+[A-Z]{2}\s*$")  # as in `Curitiba - PR`
_TRANSPORT = ("shipper", "consignee", "notify_party")
# What a role word of transport may be followed by without a colon: a name, and no word of a form.
_OF_PARTY = re.compile(
    r"\s+(?![^a-z]*\b(?:signature|copy|load|certif|referenc|number|no\b|order|name|address|city|street|phone|account|per\b"
    r"|date|party|code|exporter|importer|to\b))(?-i:[A-Z0-9])",
    re.IGNORECASE,
)
_STEUERNUMMER = re.compile(r"\d{2,3}/\d{3}/\d{4,5}")  # a German tax office's number is no VAT number
_TAX_NUMBER = re.compile(r"(?<=[:.\s])[A-ZÑ&]{0,4}\d[\dA-Z./-]{7,}")
_COUNTRY = re.compile(
    r"^(?:[A-Z]{2}|france|deutschland|germany|polska|espana|italia|nederland|norge|turkiye|brasil|mexico|portugal"
    r"|schweiz|united kingdom|belgie|osterreich|sverige|danmark)$",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"(?:[\s&.,]*\b(?:gmbh|co|kg|ag|ltd|llc|inc|corp|limited|s\.?a|s\.?r\.?l|s\.?l|s\.?p\.?a|a\.?s|sti|tic|san|ve|sp"
    r"|z ?o\.?o"
    r"|b\.?v|n\.?v|as|ab|oy|sarl|sas|lda|ltda|s\.?n\.?c|e\.?k|plc|pvt|company|corporation|private)\b)+[.\s]*$"
)
_NAMED = frozenset({"name"})
_LABELLED = 0.93  # a name under its own label, when the label means nothing else


@dataclass(slots=True)
class Party:
    """One party: its role, the parts found (`name street postcode city vat_id email phone`) and its segments."""

    role: str
    parts: dict[str, Passage] = field(default_factory=dict)
    score: float = _LABELLED
    segments: list[Segment] = field(default_factory=list)

    def put(self, part: str, segment: Segment, start: int, end: int, value: str | None = None) -> None:
        """Keeps the first value of a part."""
        printed = segment.text[start:end].strip(" ,;-|")
        if part == "-" or part in self.parts or not any(char.isalnum() for char in printed):
            return
        start = segment.text.index(printed, start)
        words = tuple((segment.page, word) for word in segment.span(start, start + len(printed)))
        self.parts[part] = Passage(value or printed, printed, words, self.score)


def labelled_parties(reader: Reader) -> list[Party]:
    """Parties whose role a label names, the surest of a role first; only those with a name."""
    headings = [
        (mark, rest) for role in ROLES for mark in reader.marks.get(role, ()) if (rest := _rest(reader, mark)) >= 0
    ]
    owned = {mark.segment.index for mark, _ in headings}
    found: list[Party] = []
    for mark, rest in headings:
        party = Party(mark.hit.concept, score=_LABELLED * mark.hit.strength * (0.5 + 0.5 * mark.cover))
        block = Stack(reader, mark.segment, owned).segments()
        party.segments = [mark.segment, *block]
        if rest:
            _read_text(reader, party, mark.segment, rest)
        if _heads_grid(reader, mark.segment, block):
            party.segments = [mark.segment]
            _read_grid(reader, party, owned)
        else:
            _read(reader, party, block)
        if "name" in party.parts:
            found.append(party)
    return sorted(found, key=lambda party: -party.score)


def _rest(reader: Reader, mark: Mark) -> int:
    """Where the party's own text starts behind its label: 0 when the label stands alone, -1 when it is no label."""
    text, end = mark.segment.text, mark.hit.end
    behind = text[end:]
    if mark.cover < 0.8 or len(text.partition("(")[0]) > 90:
        return -1
    folded = fold(behind)
    if not any(char.isalnum() for char in behind) or _NOTES.match(folded):
        return 0
    colon = re.match(r"[\s)]*(?:\([^)]*\))?\s*(?::|\.(?!\w))\s*", behind)
    if colon and len(behind) - colon.end() > 1:
        return end + colon.end()
    if mark.hit.start == 0 and mark.hit.concept in _TRANSPORT and _OF_PARTY.match(behind):
        return end
    return 0 if reader.labelled[mark.segment.index] >= 0.8 or not split(behind) else -1


def _heads_grid(reader: Reader, heading: Segment, block: Sequence[Segment]) -> bool:
    """Whether the heading stands alone over a row of small labels."""
    line = reader.layout.lines[block[0].line] if block else None
    if line is None or len(line.segments) < 2 or reader.layout.right_of(heading):
        return False
    return all(reader.is_label(s) or _grid_part(s) for s in line.segments) and _grid_part(line.segments[0]) is not None


def _grid_part(segment: Segment) -> str | None:
    folded = fold(segment.text)
    return next((part for part, pattern in _GRID.items() if pattern.match(folded)), None)


def _read_grid(reader: Reader, party: Party, owned: set[int]) -> None:
    """Rows of labels, each over its value, up to a line that holds a single segment."""
    start = party.segments[0].line + 1
    for line in reader.layout.lines[start : start + _BLOCK_LINES]:
        if len(line.segments) == 1 or line.segments[0].index in owned:
            return
        party.segments += line.segments
        for segment in line.segments:
            part = _grid_part(segment) or ("vat_id" if _is_tax_label(segment.text) else None)
            value = next(reader.layout.below(segment, lines=1), None) if part else None
            row = reader.layout.lines[value.line].segments if value is not None else ()
            if part and value is not None and not all(reader.is_label(s) for s in row):
                party.put(part, value, 0, len(value.text))


def _read(reader: Reader, party: Party, block: Sequence[Segment]) -> None:
    pending: str | None = None
    keys = {_key_of(segment.text) for segment in block}
    for at, segment in enumerate(block):
        after = block[at + 1] if at + 1 < len(block) else None
        key = segment.text.rstrip().endswith(":")
        if pending is not None and not key:
            _facts(reader, party, segment, tax=pending == "vat_id")
            _put_value(reader, party, pending, segment)
            pending = None
            continue
        pending = _key_of(segment.text) if key else None
        if key:
            continue
        if after is not None and _wrapped(reader, segment, after):
            value = reader.layout.right_of(segment)[0]
            _put_value(reader, party, _key_of(f"{segment.text} {after.text}"), value)
            continue
        _read_text(reader, party, segment, 0, keys)


def _wrapped(reader: Reader, segment: Segment, after: Segment) -> bool:
    """Whether a key runs over two lines, with its value beside the first."""
    if ":" in segment.text or not after.text.rstrip().endswith(":") or abs(after.box[0] - segment.box[0]) > 2:
        return False
    return bool(reader.layout.right_of(segment)) and _key_of(f"{segment.text} {after.text}") != "-"


def _put_value(reader: Reader, party: Party, part: str, segment: Segment) -> None:
    """The value beside a key, with the line it goes on in when the cell was too narrow."""
    if part == "street":
        _plain(reader, party, segment, 0, len(segment.text), _NAMED)
    elif part == "name":
        put_name(party, segment, 0, list(reader.layout.continued(segment)))
    elif part != "vat_id":
        party.put(part, segment, 0, len(segment.text))


def put_name(party: Party, segment: Segment, start: int, more: Sequence[Segment]) -> None:
    """Keeps a name with the lines it goes on in."""
    if "name" in party.parts:
        return
    party.put("name", segment, start, start + len(name_alone(segment.text[start:])))
    own = party.parts.get("name")
    if own is not None and more:
        value = " ".join([str(own.value), *(s.text for s in more)]).strip(" ,;")
        words = own.words + tuple((s.page, word) for s in more for word in s.words)
        party.parts["name"] = Passage(value, value, words, party.score)


def _going_on(reader: Reader, segment: Segment, start: int) -> list[Segment]:
    """The lines a keyed name goes on in, under its own start."""
    behind = segment.text[start:]
    first = segment.span(start + len(behind) - len(behind.lstrip()), len(segment.text))[0]
    return list(reader.layout.continued(segment, first.x0)) or form_below(reader, segment)


def form_below(reader: Reader, segment: Segment) -> list[Segment]:
    """The next line of a name when it is only the legal form, or ends in it and found no room on the first line."""
    for under in reader.layout.below(segment, lines=2):
        near = under.box[1] - segment.box[3] < 0.5 * segment.height and abs(under.box[0] - segment.box[0]) <= 3
        if near and (_FORM.match(fold(under.text)) or _broken(reader, segment, under)):
            return [under]
    return []


def _broken(reader: Reader, segment: Segment, under: Segment) -> bool:
    """Whether a name breaks between two lines: the first word of the second had no room, and a legal form ends it."""
    plain = not any(char.isdigit() or char == ":" for char in under.text)
    if not plain or _FORM.search(fold(segment.text)) or not _FORM.search(fold(under.text)):
        return False
    stack = [one for one in reader.layout.below(segment) if abs(one.box[0] - segment.box[0]) <= 3]
    room = max(one.box[2] for one in (segment, *stack)) - segment.box[2]
    return under.words[0].x1 - under.words[0].x0 > room


def ends_in_form(text: str) -> bool:
    """Whether a text is a firm's name by the legal form at its end."""
    found = _FORM.search(fold(text))
    return found is not None and found.start() >= 3


def name_alone(text: str) -> str:
    """A name without the address that goes on behind its comma; a legal form behind a comma is part of it."""
    first, *more = text.split(",")
    if not any(map(str.isdigit, "".join(more))):
        return text
    for piece in more:
        if not _FORM.match(fold(piece.strip())):
            break
        first += f",{piece}"
    return first


def _key_of(text: str) -> str:
    match = next(iter(_KEY.finditer(fold(text))), None)
    if match is not None and match.lastgroup:
        return list(_KEY_WORDS)[int(match.lastgroup[1:])]
    return "vat_id" if _is_tax_label(text) else "-"


def _read_text(
    reader: Reader, party: Party, segment: Segment, start: int, keys: AbstractSet[str] = frozenset()
) -> None:
    """One line of a block: the facts in it, and its keys with their values or its plain text."""
    text = segment.text[start:]
    _facts(reader, party, segment, tax=_is_tax_label(text), start=start)
    folded = fold(text)
    matches = list(_KEY.finditer(folded)) if len(folded) == len(text) else []
    if not matches:
        if not _OTHER_KEY.match(text) or start:
            _plain(reader, party, segment, start, len(segment.text), keys)
        return
    for key, following in zip(matches, [*matches[1:], None], strict=True):
        end = start + (following.start() if following else len(text))
        part = list(_KEY_WORDS)[int((key.lastgroup or "k0")[1:])]
        if part == "street":
            _plain(reader, party, segment, start + key.end(), end, _NAMED)
        elif part == "name" and following is None:
            put_name(party, segment, start + key.end(), _going_on(reader, segment, start + key.end()))
        else:
            party.put(part, segment, start + key.end(), end)


def _is_tax_label(text: str) -> bool:
    return any(hit.concept in ("seller_vat_id", "buyer_vat_id") for hit in lexicon().hits(text))


def _facts(reader: Reader, party: Party, segment: Segment, *, tax: bool, start: int = 0) -> None:
    """Numbers and addresses that prove themselves wherever they stand, tax numbers beside their label."""
    text = segment.text[start:]
    for one in find_emails(text)[:1]:
        party.put("email", segment, start + one.start, start + one.end)
    if re.search(r"\b(?:tel|phone|fon|tlf)", fold(text)):
        for one in find_phones(text)[:1]:
            party.put("phone", segment, start + one.start, start + one.end, str(one.value))
    found = [one for one in reader.read("tax_id", text) if not _STEUERNUMMER.fullmatch(str(one.value))] if tax else []
    bare = _TAX_NUMBER.search(" " + text) if tax else None
    if found:
        one = max(found, key=lambda found: found.valid)
        if str(one.value)[:1].isalpha() and str(party.parts.get("vat_id", Passage("A", "", ())).value).isdigit():
            del party.parts["vat_id"]  # a number with its country says more than the bare one
        party.put("vat_id", segment, start + one.start, start + one.end, str(one.value))
    elif bare:
        party.put("vat_id", segment, start + bare.start() - 1, start + bare.end() - 1)


def _plain(reader: Reader, party: Party, segment: Segment, start: int, end: int, keys: AbstractSet[str]) -> None:
    """A line without a key: the name first, then town or street; not what a key of the block tells (`keys`)."""
    text = segment.text[start:end]
    if "name" not in party.parts and "name" not in keys:
        if is_name(text):
            put_name(party, segment, start, form_below(reader, segment))
        return
    if _COUNTRY.match(fold(text.strip())):
        return
    town = split_town(text)
    if town is not None:
        (code_start, code_end), (town_start, town_end) = town
        party.put("postcode", segment, start + code_start, start + code_end)
        if town_end > town_start:
            party.put("city", segment, start + town_start, start + town_end)
    elif "postcode" not in party.parts and "street" not in keys:
        party.put("street", segment, start, end)


def is_name(text: str) -> bool:
    """Whether a line can be a name: letters, and not the title of a field."""
    return sum(char.isalpha() for char in text) >= 2 and not _FIELD_TITLE.match(fold(text))


def split_town(text: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Where postcode and town stand in a line such as `GB SW1B 3BN London` or `Ring 1, 80333 München`."""
    for code in find_postcodes(text):
        after = re.match(r"[\s,]*([^\W\d_][^\d,;|()/]*)", text[code.end :])
        ahead = text[: code.start].rstrip()
        if after and (len(ahead.strip(" -,")) <= 3 or ahead.endswith(",")):
            start = code.end + after.start(1)
            return (code.start, code.end), (start, start + len(_STATE.sub("", after[1]).rstrip(" -")))
        before = text[: code.start].rstrip(" ,-")
        bare = len(code.code) == 4 and code.code.isdigit()
        last = code.end >= len(text) - 1 or _LAND.fullmatch(text, code.end)
        if before and not bare and not re.search(r"\d|:", before) and last:
            return (code.start, code.end), (0, len(before))
    return None
