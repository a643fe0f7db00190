"""The pieces hostile PDFs are put together from: objects, streams, one plain page."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MARK = "42.00"  # stands on every page that a person could read


Make = Callable[[], bytes]


@dataclass(frozen=True)
class Family:
    """One way to be hostile.

    `codes`: what may come of reading it, "text" among them when it can be read. `says`: what its text must hold then;
    `hides`: what it must not hold.
    """

    make: Make
    codes: frozenset[str]
    says: str = MARK
    hides: str = ""
    password: str | None = None

    @property
    def is_costly(self) -> bool:
        """Whether it may use up what a job has."""
        return bool(self.codes & SPENT)


TEXT = frozenset({"text"})
DAMAGED = frozenset({"damaged_pdf"})
REPAIRED = TEXT | DAMAGED
SPENT = frozenset({"limit_exceeded", "timeout", "quarantined"})  # it costs more than a job may
HEAVY = TEXT | SPENT


def readable(make: Make, says: str = MARK, hides: str = "") -> Family:
    """A file whose text must come, whatever else is wrong with it."""
    return Family(make, TEXT, says, hides)


def pdf(objects: Mapping[int, bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """A file of these objects with a right cross-reference table."""
    out = bytearray(b"%PDF-1.7\n")
    offsets: dict[int, int] = {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n"
    return bytes(out + b"trailer\n<</Size %d %b>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<</Length %d %b>>stream\n%b\nendstream" % (len(data), entries, data)


def deflated(data: bytes, entries: bytes = b"") -> bytes:
    """A compressed stream object."""
    return stream(zlib.compress(data, 9), b"/Filter/FlateDecode" + entries)


def bomb(mebibytes: int, piece: bytes = b" ", tail: bytes = b"") -> bytes:
    """A zlib stream of `piece` over and over: a kilobyte for each MiB of it, and then `tail`."""
    block = (piece * (1 << 20))[: 1 << 20]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    once = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, zlib.DEFLATED, -15)
    check = 1
    for _ in range(min(mebibytes, 64)):  # readers forgive a wrong checksum; a right one takes a second a GiB
        check = zlib.adler32(block, check)
    last = end.compress(tail) + end.flush()
    return b"\x78\xda" + once * mebibytes + last + zlib.adler32(tail, check).to_bytes(4, "big")


FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
HELLO = b"BT /F1 18 Tf 72 700 Td (Total due 42.00 EUR) Tj ET"
RESOURCES = b"/Resources<</Font<</F1 5 0 R>>/XObject<</X 6 0 R>>>>"


def page(content: bytes = stream(HELLO), entries: bytes = b"", catalog: bytes = b"", **more: bytes) -> dict[int, bytes]:
    """The objects of a one-page document; `o6=...` adds object 6."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R %b>>" % catalog,
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]%b/Contents 4 0 R %b>>" % (RESOURCES, entries),
        4: content,
        5: FONT,
    }
    return objects | {int(name[1:]): body for name, body in more.items()}


def form_xobject(content: bytes, inner: bytes = b"") -> bytes:
    """A form XObject with the page's font, and `inner` among its XObjects."""
    resources = b"/Resources<</Font<</F1 5 0 R>>/XObject<<%b>>>>" % inner
    return stream(content, b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]" + resources)


def many_pages(count: int) -> bytes:
    """A document that shows one page `count` times."""
    kids = b" ".join([b"3 0 R"] * count)
    return pdf(page() | {2: b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, count)})


GOOD = pdf(page())
