"""Values of transport: containers by their check digit, vessel and voyage that share a label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from stdnum import iso6346

from mcp_pdf.extract import column_totals
from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.found import Found

CONCEPTS = column_totals.CONCEPTS | {
    "awb_number", "container_number", "port_of_discharge", "port_of_loading", "vessel", "voyage_number",
}  # fmt: skip
_AWB = re.compile(r"(?<![\d-])(\d{3})[\s-]{1,3}(\d{4}\s?\d{4})(?![\d-])")
_ROUTE = re.compile(
    r"^\W*FROM\W+(?P<port_of_loading>.{3,40}?)\W+TO\W+(?P<port_of_discharge>.{3,40}?)(?:\s+(?:BY|VIA|PER)\b.*)?\W*$"
)
_CONTAINER = re.compile(r"(?<![A-Z0-9])([A-Z]{3}[UJZ])[\s-]?(\d{6})[\s-]?(\d)(?!\d)")
_VOYAGE = re.compile(
    r"(?P<mark>\s*[/,]\s*|\s+)(?P<word>V(?:OY(?:AGE)?)?[.:\-\s]*(?:NO[.:\s]*)?)?"
    r"(?P<number>[A-Z]{0,3}\d{2,5}[A-Z]{0,2}|\d{1,3}[A-Z]{1,2}\d{0,3}[A-Z]{0,2})\s*$",
    re.IGNORECASE,
)
_ALIKE = ("bol_number", "booking_number")  # carriers number their papers like containers
_PACKAGES = re.compile(
    r"(?<![\d.,/-])(\d{1,3}(?:,\d{3})+|\d{1,6})\s?"
    r"(?:cartons?|ctns?|packages?|pkgs?|pallets?|plts?|boxes|cases|bags|drums|crates|bundles|rolls|colli)\b",
    re.IGNORECASE,
)
_COUNTED = 0.68
_SURE, _SEVERAL, _UNCHECKED = 0.92, 0.8, 0.7


def find(reader: Reader, concept: str, kind: str) -> list[Candidate]:
    """Candidates of one of the concepts, in any order."""
    if concept in column_totals.CONCEPTS:
        found = column_totals.totals(reader, concept, kind, reader.find(concept, kind))
        return found + counted(reader) if concept == "package_count" else found
    if concept in ("port_of_loading", "port_of_discharge"):
        return [*reader.find(concept, kind), *routes(reader, concept)]
    if concept == "awb_number":
        return [*reader.find(concept, kind), *waybills(reader)]
    found = reader.find(concept, "id" if concept == "container_number" else "name")
    if concept == "container_number":
        return [*containers(reader), *(one.scaled(0.8) for one in found)]
    return [part for one in found if (part := parted(concept, one)) is not None]


def counted(reader: Reader) -> list[Candidate]:
    """Numbers before a kind of package, as `143 CARTONS`, when all such places say the same."""
    found = [
        reader.candidate(Found(int(match[1].replace(",", "")), *match.span(1)), segment, 0, "same", _COUNTED, None)
        for segment in reader.layout.segments
        for match in _PACKAGES.finditer(segment.text)
    ]
    return found[:2] if len({one.value for one in found}) == 1 else []


def containers(reader: Reader) -> Iterator[Candidate]:
    """Container numbers (ISO 6346) wherever they stand; of several, none is surely the one that is meant."""
    others = {str(one.value).upper() for name in _ALIKE for one in reader.find(name, "id")[:1]}
    found = [
        (match, segment)
        for segment in reader.layout.segments
        for match in _CONTAINER.finditer(segment.text.upper())
        if "".join(match.groups()) not in others
    ]
    several = len({match[0] for match, _ in found}) > 1
    for match, segment in found:
        value = "".join(match.groups())
        proven = bool(iso6346.is_valid(value))
        score = (_SEVERAL if several else _SURE) if proven else _UNCHECKED
        yield reader.candidate(Found(value, match.start(), match.end()), segment, 0, "same", score, None, proven=proven)


def waybills(reader: Reader) -> Iterator[Candidate]:
    """Air waybill numbers: three digits of the airline, eight of which the last is the remainder of the rest by 7."""
    for segment in reader.layout.segments:
        for match in _AWB.finditer(segment.text):
            serial = match[2].replace(" ", "")
            if int(serial[:7]) % 7 == int(serial[7]):
                found = Found(match[0], match.start(), match.end())
                yield reader.candidate(found, segment, 0, "same", _SURE, None, proven=True)


def routes(reader: Reader, concept: str) -> Iterator[Candidate]:
    """The ends of a journey in a line such as `FROM NINGBO TO HAMBURG BY SEA`."""
    for segment in reader.layout.segments:
        match = _ROUTE.match(segment.text.upper())
        if match:
            start, end = match.span(concept)
            yield reader.candidate(Found(segment.text[start:end], start, end), segment, 0, "same", _UNCHECKED, None)


def parted(concept: str, one: Candidate) -> Candidate | None:
    """The vessel or the voyage of a value that may tell both, as `EVER GIVEN V.958W`; None when it has no such part."""
    text = f" {one.value}"
    match = _VOYAGE.search(text)
    if concept == "voyage_number":
        return replace(one, value=match["number"], text=match["number"]) if match else None
    told = match is not None and (match["word"] or match["mark"].strip() or not match["number"].isdigit())
    vessel = (text[: match.start()] if match and told else text).strip(" /,-")
    return replace(one, value=vessel) if any(map(str.isalpha, vessel)) else None
