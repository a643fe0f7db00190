"""Parties that no label names: the letterhead's firm sells, the address in the window buys.

A sender line ("Firm, Street 1, 12345 Town" in small print) stands over the window of a letter (DIN 5008, and alike
elsewhere); without one the first free address of the first page is the seller's, the next one the buyer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcp_pdf.extract.candidates import Reader
from mcp_pdf.extract.contacts import find_postcodes
from mcp_pdf.extract.folding import squash
from mcp_pdf.extract.labels import lexicon
from mcp_pdf.extract.layout import Block, Line, Segment
from mcp_pdf.extract.parties import Party, ends_in_form, form_below, is_name, put_name, split_town
from mcp_pdf.extract.running_text import Passage

_GUESSED = 0.68  # of a party that only its place names
_UPPER = 0.5  # of the page: where letters show their parties
_PARTS = re.compile(r"\s*(?:[•●·|∙*]|\s[-–—]\s|,\s)\s*")
_STREET = re.compile(r"\d+\s*[a-z]?$|^\d+[,\s]|\bs/n$", re.IGNORECASE)
_HEAD_LINES = 5
_WINDOW_LINES = 8


def guessed_parties(reader: Reader, known: list[Party]) -> list[Party]:
    """Seller and buyer where no label names them."""
    missing = [role for role in ("seller", "buyer") if not any(party.role == role for party in known)]
    if not missing:
        return []
    taken = {segment.index for party in known for segment in party.segments}
    found: dict[str, Party] = {}
    sender = _sender(reader, taken)
    if sender is not None:
        found["seller"], line = sender
        window = _window(reader, line, taken)
        if window is not None:
            found["buyer"] = window
            taken |= {s.index for s in window.segments}
        taken |= {s.index for s in line.segments}
    _from_blocks(reader, found, missing, taken)
    if "seller" in missing and "seller" not in found and (head := _head(reader, taken)) is not None:
        found["seller"] = head
    if "seller" in found:
        _fuller(reader, found["seller"])
    return [party for role, party in found.items() if role in missing]


def _from_blocks(reader: Reader, found: dict[str, Party], missing: list[str], taken: set[int]) -> None:
    for block in _addresses(reader, taken):
        role = next((role for role in ("seller", "buyer") if role in missing and role not in found), None)
        party = _party(reader, role or "", block.segments)
        own = found.get("seller")
        if role is None or "name" not in party.parts or (own is not None and _same(own, party)):
            continue
        found[role] = party


def _head(reader: Reader, taken: set[int]) -> Party | None:
    """The firm that the top of the first page names in its largest print, by its legal form."""
    lines = [line for line in reader.layout.lines[:_HEAD_LINES] if line.page == reader.layout.pages[0].number]
    named = [
        segment
        for line in lines
        for segment in line.segments
        if segment.index not in taken and ":" not in segment.text and ends_in_form(segment.text)
    ]
    tallest = max(named, key=lambda segment: segment.height, default=None)
    if tallest is None or reader.is_label(tallest):
        return None
    party = Party("seller", score=_GUESSED, segments=[tallest])
    put_name(party, tallest, 0, ())
    return party


def _fuller(reader: Reader, party: Party) -> None:
    """A short name in a sender line gives way to the full one that the page prints too."""
    own = squash(str(party.parts["name"].value)) if "name" in party.parts else ""
    for segment in reader.layout.segments[:120] if len(own) > 3 else ():
        text = segment.text.strip()
        if (
            own < squash(text)
            and squash(text).startswith(own)
            and len(text) < 60
            and not re.search(r"[\d,:@|•●]", text)
        ):
            del party.parts["name"]
            put_name(party, segment, 0, ())
            return


def _same(one: Party, other: Party) -> bool:
    codes = {party.parts["postcode"].value for party in (one, other) if "postcode" in party.parts}
    names = [squash(str(party.parts["name"].value)) for party in (one, other) if "name" in party.parts]
    return len(codes) == 1 and (len(names) < 2 or names[0][:6] == names[1][:6] or names[0] in names[1])


def _addresses(reader: Reader, taken: set[int]) -> Iterator[Block]:
    first = reader.layout.pages[0].number if reader.layout.pages else 0
    for block in reader.layout.blocks:
        lines = [segment.text for segment in block.segments]
        country = reader.context.country
        if block.page != first or not 2 <= len(lines) <= 16 or any(s.index in taken for s in block.segments):
            continue
        upper = block.box[1] < _UPPER * reader.layout.sizes[first][1]
        first_line = block.segments[0]
        if upper and _has_town(lines, country) and not (reader.is_label(first_line) or _is_title(first_line)):
            yield block


def _is_title(segment: Segment) -> bool:
    """Whether a line is little more than the name of a kind of document."""
    return any(2 * (hit.end - hit.start) > len(segment.text) for hit in lexicon().title_hits(segment.text))


def _has_town(lines: list[str], country: str | None) -> bool:
    """Whether a line after the first tells a postcode with its town; in longer blocks the country's postcode alone."""
    if any(split_town(line) for line in lines[1:]):
        return True
    alone = [
        code for line in lines[2:] for code in find_postcodes(line, country) if code.end - code.start >= len(line) - 1
    ]
    return country is not None and bool(alone)


def _party(reader: Reader, role: str, segments: tuple[Segment, ...]) -> Party:
    """The parts of an address: a first line that looks like a street has its name above, in larger print."""
    party = Party(role, score=_GUESSED, segments=list(segments))
    lines = list(segments)
    if _STREET.search(lines[0].text):
        near = [s for s in reader.layout.above(lines[0], lines=8) if lines[0].box[1] - s.box[3] < 4 * lines[0].height]
        above = [s for s in near if s.height > lines[0].height and is_name(s.text)]
        if not above:
            return party
        lines.insert(0, above[0])
    put_name(party, lines[0], 0, form_below(reader, lines[0]))
    for segment in lines[1:]:
        _address_line(party, segment, 0, len(segment.text))
    return party


def _address_line(party: Party, segment: Segment, start: int, end: int) -> None:
    town = split_town(segment.text[start:end])
    codes = find_postcodes(segment.text[start:end])
    if town is not None:
        (code_start, code_end), (town_start, town_end) = town
        party.put("postcode", segment, start + code_start, start + code_end)
        party.put("city", segment, start + town_start, start + town_end)
    elif codes and codes[0].end - codes[0].start >= end - start - 1:
        party.put("postcode", segment, start, end)
    elif "postcode" not in party.parts:
        party.put("street", segment, start, end)


def _sender(reader: Reader, taken: set[int]) -> tuple[Party, Line] | None:
    """The line that tells a firm with its whole address, and the party it names."""
    layout = reader.layout
    for line in layout.lines[:30]:
        if line.page != layout.pages[0].number or line.box[1] > _UPPER * layout.sizes[line.page][1]:
            return None
        for run in _runs(line):
            text = " ".join(segment.text for segment in run)
            parts = [part for part in _PARTS.split(text) if part.strip()]
            if len(parts) < 3 or len(text) > 140 or any(s.index in taken for s in run):
                continue
            town = next((part for part in parts[2:5] if split_town(part)), None)
            if town is None or not is_name(parts[0]) or ":" in text or any(map(str.isdigit, parts[0])):
                continue
            return _stated(parts[0], town, run), Line(run, line.box, line.page, line.index)
    return None


def _runs(line: Line) -> Iterator[tuple[Segment, ...]]:
    """Segments that single dots or bars between them join, and each segment alone."""
    joined: list[Segment] = []
    for segment in line.segments:
        if joined and segment.box[0] - joined[-1].box[2] > 2.5 * segment.height:
            yield tuple(joined)
            joined = []
        joined.append(segment)
    yield tuple(joined)


def _stated(name: str, town: str, run: tuple[Segment, ...]) -> Party:
    party = Party("seller", score=_GUESSED, segments=list(run))
    holder = next((s for s in run if name in s.text), None)
    if holder is not None:
        start = holder.text.index(name)
        party.put("name", holder, start, start + len(name))
    for segment in run:
        if town in segment.text:
            start = segment.text.index(town)
            _address_line(party, segment, start, start + len(town))
    if "name" not in party.parts:
        words = tuple((segment.page, word) for segment in run for word in segment.words)
        party.parts["name"] = Passage(name, name, words, _GUESSED)
    return party


def _window(reader: Reader, sender: Line, taken: set[int]) -> Party | None:
    """The address below the sender line, down to its town."""
    left, right = sender.segments[0].box[0], sender.segments[-1].box[2]
    found: list[Segment] = []
    bottom = sender.box[3]
    for line in reader.layout.lines[sender.index + 1 : sender.index + 1 + 2 * _WINDOW_LINES]:
        if line.page != sender.page or line.box[1] - bottom > 4.5 * (line.box[3] - line.box[1]):
            break
        here = next((s for s in line.segments if left - 45 <= s.box[0] <= (left + right) / 2), None)
        if here is None or here.index in taken:
            continue
        found.append(here)
        bottom = here.box[3]
        if split_town(here.text):
            break
    if len(found) < 2 or not split_town(found[-1].text) or reader.is_label(found[0]):
        return None
    return _party(reader, "buyer", tuple(found))
