"""A cut or broken file may still hold its pages: the way to them is written anew at its end.

PDFium rebuilds a broken cross-reference table by looking for objects, but needs a trailer that names the catalog. A
file that was cut has lost both, so they are added here; where the catalog is lost too, one of all page objects is made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

import pypdfium2

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PAGES: Final = 2_000
_OBJECT: Final = re.compile(rb"(?<!\d)(\d{1,7})[ \t\r\n]+(\d{1,5})[ \t\r\n]+obj\b")
_NEAR: Final = 4_096  # bytes from the head of an object within which it says its type
_CLOSED: Final = b">)]>>\nendstream\nendobj\n"  # whatever the file was cut in
_repaired: WeakSet[pypdfium2.PdfDocument] = WeakSet()


def is_repaired(pdf: pypdfium2.PdfDocument) -> bool:
    """Whether what is missing in this document may have been in the file."""
    return pdf in _repaired


def repaired(data: bytes, password: str | None) -> pypdfium2.PdfDocument | None:
    """The document of a file that cannot be opened as it is; None when no page is found in it."""
    for tail in _tails(data):
        for closing in (b"\n", _CLOSED):
            try:
                pdf = pypdfium2.PdfDocument(data + closing + tail, password=password)
            except pypdfium2.PdfiumError:
                continue
            if len(pdf):
                _repaired.add(pdf)
                return pdf
            pdf.close()
    return None


def _tails(data: bytes) -> Iterator[bytes]:
    catalog = next(_typed(data, b"Catalog"), None)
    if catalog is not None:
        yield b"trailer\n<</Root %b R>>\n%%%%EOF\n" % catalog
    pages = list(_typed(data, b"Page"))[:MAX_PAGES]
    if pages:
        kids = b" ".join(page + b" R" for page in reversed(pages))
        tree = b"9999998 0 obj\n<</Type/Pages/Kids[%b]/Count %d>>\nendobj\n" % (kids, len(pages))
        root = b"9999999 0 obj\n<</Type/Catalog/Pages 9999998 0 R>>\nendobj\n"
        yield tree + root + b"trailer\n<</Root 9999999 0 R>>\n%%EOF\n"


def _typed(data: bytes, kind: bytes) -> Iterator[bytes]:
    """Number and generation of the objects of this type, the last one first."""
    said = [match.start() for match in re.finditer(rb"/Type[ \t\r\n]*/%b\b" % kind, data)]
    for at in reversed(said):
        heads = list(_OBJECT.finditer(data, max(0, at - _NEAR), at))
        if heads and b"endobj" not in data[heads[-1].end() : at]:
            yield heads[-1][1] + b" " + heads[-1][2]
