"""A file that holds several documents: at which pages a new one starts.

A page starts a document when it calls itself page 1 after another has ended, or when it carries a title and tells a
number of its own: another one than the document before it under the same label, or a title of another type with labels
that only that type has. A page that calls itself page 2 starts none. Repeated letterheads tell the same number again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from mcp_pdf.extract.candidates import Reader
from mcp_pdf.extract.labels import STRONG, lexicon
from mcp_pdf.extract.layout import Segment
from mcp_pdf.extract.types import TYPES
from mcp_pdf.pdf.page import Document

# Under which labels a document of a type tells its own number.
_OWN = {
    "invoice": "invoice_number",
    "credit_note": "invoice_number",
    "receipt": "invoice_number",
    "purchase_order": "order_number",
    "bill_of_lading": "bol_number",
    "air_waybill": "awb_number",
    "packing_list": "packing_list_number",
    "customs_declaration": "mrn",
}
_PAGE = r"(?:page|seite|pagina|pag|página|strona|str|side|sida|sayfa|strana|blatt|sheet|p)\.?\s*:?\s*"
_OF = r"\s*(?:of|von|de|sur|di|van|z|av|af|din|out of|/|\\)\s*"
_MARKER = re.compile(rf"(?:{_PAGE}(\d{{1,4}}){_OF}(\d{{1,4}})\b|^\s*(\d{{1,3}})\s*/\s*(\d{{1,3}})\s*$)", re.IGNORECASE)
_HEAD = 0.35  # of a page's height in which its title stands
_CUES = 2  # labels of a type that make a title of that type one to believe


class Marker(NamedTuple):
    """`page 2 of 5` as printed."""

    page: int
    pages: int


@dataclass
class _Face:
    """What one page says of the document that it belongs to."""

    marker: Marker | None = None
    titles: set[str] = field(default_factory=set)
    numbers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    cues: dict[str, int] = field(default_factory=dict)


def parts_of(document: Document, reader: Reader) -> list[Document]:
    """The documents of a file in the order of their pages; the file itself when it holds one."""
    starts = _starts(reader)
    if not starts:
        return [document]
    edges = [document.pages[0].number, *starts, document.pages[-1].number + 1]
    return [_part(document, first, end) for first, end in pairwise(edges)]


def _part(document: Document, first: int, end: int) -> Document:
    """Pages first to end - 1; what the file as a whole carries, as its XML, belongs to the first document."""
    is_first = first == document.pages[0].number
    return replace(
        document,
        pages=[page for page in document.pages if first <= page.number < end],
        form=[one for one in document.form if (first <= one.page < end if one.page else is_first)],
        invoice=document.invoice if is_first else None,
        warnings=[w for w in document.warnings if (first <= w["page"] < end if w.get("page") else is_first)],
    )


def _starts(reader: Reader) -> list[int]:
    faces = _faces(reader)
    found: list[int] = []
    before: list[_Face] = []
    for number, face in sorted(faces.items()):
        if before and _begins(face, before):
            found.append(number)
            before = []
        before.append(face)
    return found


def _begins(face: _Face, before: Sequence[_Face]) -> bool:
    last = before[-1].marker
    if face.marker is not None and face.marker.page != 1:
        return False
    if face.marker is not None and last is not None and (face.titles or last.page == last.pages):
        return True
    if not face.titles:
        return False
    known: dict[str, set[str]] = defaultdict(set)
    for one in before:
        for concept, values in one.numbers.items():
            known[concept] |= values
    own = {_OWN[title] for title in face.titles if title in _OWN}
    same = [concept for concept, values in face.numbers.items() if values & known[concept]]
    if not same and any(known[concept] and face.numbers[concept] for concept in own):
        return True
    titles = set().union(*(one.titles for one in before))
    fresh = [title for title in face.titles if title not in titles and face.cues.get(title, 0) >= _CUES]
    return bool(fresh and titles) and not same


def _faces(reader: Reader) -> dict[int, _Face]:
    faces = {page.number: _Face() for page in reader.layout.pages}
    heights = {page.number: page.height for page in reader.layout.pages}
    for segment in reader.layout.segments:
        face = faces[segment.page]
        if face.marker is None:
            face.marker = _marker(segment)
        if segment.box[1] < _HEAD * heights[segment.page]:
            face.titles |= _titles(segment)
    _tell_numbers(reader, faces)
    for name, kind in TYPES.items():
        for cue in kind.cues:
            for page in {mark.segment.page for mark in reader.marks.get(cue, ())}:
                faces[page].cues[name] = faces[page].cues.get(name, 0) + 1
    return faces


def _tell_numbers(reader: Reader, faces: dict[int, _Face]) -> None:
    for concept in set(_OWN.values()):
        for mark in reader.marks.get(concept, ()):
            one = max(reader.at(mark, "id"), key=lambda c: c.score, default=None)
            if one is not None and mark.hit.strength == STRONG:
                faces[one.page].numbers[concept].add(str(one.value))


def _marker(segment: Segment) -> Marker | None:
    match = _MARKER.search(segment.text) if any(char.isdigit() for char in segment.text) else None
    numbers = [int(number) for number in match.groups() if number] if match else []
    return Marker(*numbers) if numbers and 0 < numbers[0] <= numbers[1] else None


def _titles(segment: Segment) -> set[str]:
    """Types that a segment names as its title: little else stands in it."""
    return {
        hit.concept
        for hit in lexicon().title_hits(segment.text)
        if hit.start <= 2 and 2 * (hit.end - hit.start) >= len(segment.text)
    }
