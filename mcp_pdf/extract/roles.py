"""Who is who: the parties of a document by the headings that stand over their blocks, or by where they stand."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_pdf.extract.candidates import Candidate, Mark, Reader
from mcp_pdf.extract.contacts import find_emails, find_phones, find_postcodes
from mcp_pdf.extract.found import Found
from mcp_pdf.extract.layout import Block, Segment

ROLES = (
    "seller",
    "buyer",
    "ship_to",
    "shipper",
    "consignee",
    "notify_party",
    "carrier",
    "payee",
    "invoicee",
    "ship_from",
)
_LINES = 14


@dataclass(frozen=True)
class Party:
    """A block that belongs to a role: the segments under its heading, the heading's own rest first."""

    role: str
    lines: tuple[tuple[Segment, int], ...]  # segment and where in it the text starts
    score: float


def find_parties(reader: Reader) -> dict[str, Party]:
    """The best block of each role; without headings the first address is the seller, the next the buyer."""
    found: dict[str, Party] = {}
    for role in ROLES:
        for mark in reader.marks.get(role, ()):
            party = _under(reader, role, mark)
            if party is not None and (role not in found or party.score > found[role].score):
                found[role] = party
    _unheaded(reader, found)
    return found


def _under(reader: Reader, role: str, mark: Mark) -> Party | None:
    segment, hit = mark.segment, mark.hit
    behind = segment.text[hit.end :].strip()
    colon = behind.startswith((":", "-"))
    if mark.cover < 0.8 or (behind.strip(" :-()/.,") and not colon and reader.labelled[segment.index] < 0.55):
        return None
    lines: list[tuple[Segment, int]] = []
    rest = behind.strip(" :-")
    if colon and len(rest) > 2 and reader.labelled[segment.index] < 0.9:
        lines.append((segment, segment.text.index(rest, hit.end)))
    if not lines:
        beside = [s for s in reader.layout.right_of(segment)[:1] if not reader.is_label(s)]
        lines += [(s, 0) for s in beside if s.box[0] - segment.box[2] < 12 * segment.height]
    anchor = lines[0][0] if lines else segment
    lines += [(s, 0) for s in _column(reader, anchor, segment)]
    if not lines:
        return None
    return Party(role, tuple(lines[:_LINES]), hit.strength * mark.cover * (1.0 if colon or not rest else 0.8))


def _column(reader: Reader, anchor: Segment, heading: Segment) -> list[Segment]:
    """Segments under the heading in its column, until another heading or a wide gap."""
    right = min((s.box[0] for s in reader.layout.right_of(anchor)), default=1e9)
    before = reader.layout.lines[anchor.line].segments[: anchor.column]
    left = max((s.box[2] - 2 for s in before), default=-1e9)
    found: list[Segment] = []
    last = anchor
    for line in reader.layout.lines[anchor.line + 1 : anchor.line + 1 + 2 * _LINES]:
        if line.page != anchor.page or line.box[1] - last.box[3] > 2.2 * max(last.height, 8):
            break
        inside = [s for s in line.segments if left <= s.box[0] < max(right - 2, anchor.box[0] + 30)]
        inside = [s for s in inside if s.box[0] >= anchor.box[0] - 8 or _overlap(s, heading)]
        if not inside:
            continue
        if any(mark.segment is inside[0] and mark.cover > 0.9 for role in ROLES for mark in reader.marks.get(role, ())):
            break
        found += inside[:1]
        last = inside[0]
    return found


def _overlap(one: Segment, other: Segment) -> bool:
    return one.box[0] < other.box[2] and one.box[2] > other.box[0]


def _unheaded(reader: Reader, found: dict[str, Party]) -> None:
    taken = {segment.index for party in found.values() for segment, _ in party.lines}
    free = [b for b in reader.layout.blocks if b.page == 1 and not any(s.index in taken for s in b.segments)]
    for role in ("seller", "buyer"):
        if role in found:
            continue
        for block in free:
            if _is_address(block) and not reader.is_label(block.segments[0]):
                found[role] = Party(role, tuple((s, 0) for s in block.segments), 0.75)
                free.remove(block)
                break


def _is_address(block: Block) -> bool:
    lines = [segment.text for segment in block.segments]
    return (
        2 <= len(lines) <= 9 and any(find_postcodes(line) for line in lines[1:]) and any(c.isalpha() for c in lines[0])
    )


def party_value(reader: Reader, party: Party, part: str) -> list[Candidate]:
    """Candidates for one part of a party: name, address, vat_id, postcode, city, email, phone."""
    getter = {"name": _name, "address": _address, "postcode": _postcode, "city": _city}.get(part)
    if getter is not None:
        return getter(reader, party)
    kind = {"vat_id": "tax_id", "tax_number": "tax_id", "email": "email", "phone": "phone"}.get(part)
    found = []
    for segment, start in party.lines if kind else ():
        for one in reader.read(kind or "", segment.text[start:]) if _fits(kind, segment.text) else ():
            score = party.score * (0.95 if one.valid else 0.8)
            found.append(
                reader.candidate(one, segment, start, "below", score, None, proven=one.valid and kind == "tax_id")
            )
    return found


def _fits(kind: str | None, text: str) -> bool:
    if kind == "tax_id":
        return bool(_tax_hits(text))
    return bool(find_emails(text) if kind == "email" else find_phones(text))


def _tax_hits(text: str) -> bool:
    from mcp_pdf.extract.labels import lexicon

    return any(hit.concept in ("seller_vat_id", "buyer_vat_id") for hit in lexicon().hits(text))


def _name(reader: Reader, party: Party) -> list[Candidate]:
    named = []
    for segment, start in party.lines:
        for mark in reader.marks.get("seller_name", ()):
            if mark.segment is segment and mark.hit.start >= start and mark.cover > 0.9:
                named += [
                    c.scaled(party.score / 0.6) for c in reader.at(mark, "name") if c.direction in ("same", "right")
                ]
    if named:
        return named[:1]
    for segment, start in party.lines:
        text = segment.text[start:].strip()
        if sum(c.isalpha() for c in text) < 2 or (not start and reader.is_label(segment)) or ": " in text[:25]:
            continue
        at = start + segment.text[start:].index(text)
        return [reader.candidate(Found(text, at, at + len(text)), segment, 0, "below", party.score * 0.85, None)]
    return []


def _address(reader: Reader, party: Party) -> list[Candidate]:
    name = _name(reader, party)
    rows = [(s, at) for s, at in party.lines if not name or s.text[at:] != name[0].text]
    kept: list[tuple[Segment, int]] = []
    for segment, at in rows:
        if reader.labelled[segment.index] > 0.3 or find_emails(segment.text) or len(kept) == 5:
            break
        kept.append((segment, at))
        if find_postcodes(segment.text):
            break
    if not kept:
        return []
    text = ", ".join(segment.text[at:].strip(" ,") for segment, at in kept)
    words = tuple(word for segment, at in kept for word in segment.span(at, len(segment.text)))
    return [Candidate(text, text, words, kept[0][0].page, party.score * 0.8, "below")]


def _labelled(reader: Reader, party: Party, concept: str, kind: str) -> list[Candidate]:
    inside = {segment.index for segment, _ in party.lines}
    marks = [m for m in reader.marks.get(concept, ()) if m.segment.index in inside]
    found = [c for m in marks for c in reader.at(m, kind) if c.direction in ("same", "right")]
    return [c.scaled(1.25 * party.score) for c in found[:1]]


def _postcode(reader: Reader, party: Party) -> list[Candidate]:
    if named := _labelled(reader, party, "seller_postcode", "id"):
        return named
    for segment, start in party.lines:
        for one in find_postcodes(segment.text[start:], reader.context.country) or find_postcodes(segment.text[start:]):
            if len(segment.text) - one.end < 3 and one.start > 25:
                continue
            found = Found(one.code, one.start, one.end)
            return [reader.candidate(found, segment, start, "below", party.score * 0.9, None)]
    return []


def _city(reader: Reader, party: Party) -> list[Candidate]:
    if named := _labelled(reader, party, "buyer_city", "name"):
        return named
    for segment, start in party.lines:
        text = segment.text[start:]
        for one in find_postcodes(text):
            tail = text[one.end :].strip(" ,-")
            town = tail.split(",")[0].split(" - ")[0].strip()
            if town and ":" not in town and not any(char.isdigit() for char in town):
                at = start + text.index(town, one.end)
                found = Found(town, at, at + len(town))
                return [reader.candidate(found, segment, 0, "below", party.score * 0.85, None)]
    return []
