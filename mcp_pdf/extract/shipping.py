"""Values of transport: containers by their check digit, vessel and voyage that share a label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from stdnum import iso6346

from mcp_pdf.extract import column_totals
from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.found import Found

CONCEPTS = column_totals.CONCEPTS | {"container_number", "vessel", "voyage_number"}
_CONTAINER = re.compile(r"(?<![A-Z0-9])([A-Z]{3}[UJZ])[\s-]?(\d{6})[\s-]?(\d)(?!\d)")
_VOYAGE = re.compile(
    r"(?P<mark>\s*[/,]\s*|\s+)(?P<word>V(?:OY(?:AGE)?)?[.:\-\s]*(?:NO[.:\s]*)?)?"
    r"(?P<number>[A-Z]{0,3}\d{2,5}[A-Z]{0,2}|\d{1,3}[A-Z]{1,2}\d{0,3}[A-Z]{0,2})\s*$",
    re.IGNORECASE,
)
_ALIKE = ("bol_number", "booking_number")  # carriers number their papers like containers
_SURE, _SEVERAL, _UNCHECKED = 0.92, 0.8, 0.7


def find(reader: Reader, concept: str, kind: str) -> list[Candidate]:
    """Candidates of one of the concepts, in any order."""
    if concept in column_totals.CONCEPTS:
        return column_totals.totals(reader, concept, kind, reader.find(concept, kind))
    found = reader.find(concept, "id" if concept == "container_number" else "name")
    if concept == "container_number":
        return [*containers(reader), *(one.scaled(0.8) for one in found)]
    return [part for one in found if (part := parted(concept, one)) is not None]


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


def parted(concept: str, one: Candidate) -> Candidate | None:
    """The vessel or the voyage of a value that may tell both, as `EVER GIVEN V.958W`; None when it has no such part."""
    text = f" {one.value}"
    match = _VOYAGE.search(text)
    if concept == "voyage_number":
        return replace(one, value=match["number"], text=match["number"]) if match else None
    told = match is not None and (match["word"] or match["mark"].strip() or not match["number"].isdigit())
    vessel = (text[: match.start()] if match and told else text).strip(" /,-")
    return replace(one, value=vessel) if any(map(str.isalpha, vessel)) else None
