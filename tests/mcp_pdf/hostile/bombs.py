"""A few kilobytes that unpack to hundreds of megabytes, and pictures that say they are larger than they are."""

from __future__ import annotations

import zlib

from tests.mcp_pdf.hostile.objects import HEAVY, HELLO, TEXT, Family, Make, bomb, page, pdf, stream
from tests.mcp_pdf.hostile.structure import attached

FLATE = b"/Filter/FlateDecode"


def flate(mebibytes: int, entries: bytes = b"", piece: bytes = b" ", tail: bytes = b"") -> bytes:
    return stream(bomb(mebibytes, piece, tail), FLATE + entries)


def nested_filter() -> bytes:
    twice = zlib.compress(bomb(400), 9)
    return pdf(page(stream(twice, b"/Filter[/FlateDecode/FlateDecode]")))


def many_filters() -> bytes:
    """One stream under ten thousand filters."""
    return pdf(page(stream(HELLO, b"/Filter[" + b"/ASCIIHexDecode" * 10_000 + b"]")))


def run_length() -> bytes:
    return pdf(page(stream(b"\x81 " * 5_000_000 + b"\x80", b"/Filter/RunLengthDecode")))


def lzw() -> bytes:
    return pdf(page(stream(b"\x80\x0b\x60\x50" * 2_000_000, b"/Filter/LZWDecode")))


def predictor() -> bytes:
    return pdf(page(flate(64, b"/DecodeParms<</Predictor 15/Columns 2000000000/Colors 32/BitsPerComponent 16>>")))


def object_stream() -> bytes:
    return pdf(page(o7=flate(400, b"/Type/ObjStm/N 99999999/First 10")))


def xref_stream(mebibytes: int) -> bytes:
    """A file whose cross-reference is a stream that unpacks to two billion entries; its objects are sound."""
    plain = pdf(page())
    body = plain[: plain.index(b"xref\n")]
    entries = b"/Type/XRef/Size 2000000000/W[1 4 2]/Root 1 0 R"
    return body + b"9 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (flate(mebibytes, entries, b"\0"), len(body))


def picture(entries: bytes, data: bytes = b"abc") -> Make:
    """A page filled by one image."""
    image = b"/Type/XObject/Subtype/Image" + entries
    content = stream(b"q 600 0 0 600 0 0 cm /X Do Q " + HELLO)
    return lambda: pdf(page(content, o6=stream(data, image)))


def soft_masks() -> bytes:
    """An image whose mask has a mask, and so on, each 10,000 points wide."""
    objects = page(stream(b"q 600 0 0 600 0 0 cm /X Do Q " + HELLO))
    for number in range(6, 40):
        entries = b"/Subtype/Image/Width 10000/Height 10000/ColorSpace/DeviceGray/BitsPerComponent 8/SMask %d 0 R"
        objects[number] = flate(95, entries % (number + 1))
    return pdf(objects)


def many_pictures() -> bytes:
    image = b"/Subtype/Image/Width 4000/Height 4000/ColorSpace/DeviceGray/BitsPerComponent 8"
    return pdf(page(stream(b"q 600 0 0 600 0 0 cm /X Do Q " * 3_000 + HELLO), o6=flate(16, image)))


RGB = b"/ColorSpace/DeviceRGB/BitsPerComponent 8"

FAMILIES = {
    "content bomb": Family(lambda: pdf(page(flate(900))), HEAVY, says=""),
    "content bomb with a text": Family(lambda: pdf(page(flate(40, tail=HELLO))), HEAVY),
    "nested filters": Family(nested_filter, HEAVY, says=""),
    "ten thousand filters": Family(many_filters, HEAVY, says=""),
    "run-length bomb": Family(run_length, HEAVY, says=""),
    "lzw bomb": Family(lzw, HEAVY, says=""),
    "predictor bomb": Family(predictor, HEAVY, says=""),
    "metadata bomb": Family(lambda: pdf(page(catalog=b"/Metadata 7 0 R", o7=flate(900))), HEAVY),
    "attachment bomb": Family(lambda: attached(b"a.xml", flate(900)), HEAVY),
    "e-invoice bomb": Family(lambda: attached(b"factur-x.xml", flate(900, piece=b"<a>")), HEAVY),
    "object stream bomb": Family(object_stream, HEAVY),
    "table bomb": Family(lambda: xref_stream(400), HEAVY),
    "table of two billion entries": Family(lambda: xref_stream(1), HEAVY),
    "image of 60,000 points a side": Family(picture(b"/Width 60000/Height 60000" + RGB), HEAVY),
    "image of 30,000 points that unpacks": Family(
        picture(b"/Width 30000/Height 30000" + RGB + FLATE, bomb(900, b"\xff")), HEAVY
    ),
    "image of negative size": Family(picture(b"/Width -5/Height -5" + RGB), TEXT),
    "image of two billion by one": Family(picture(b"/Width 2147483647/Height 1" + RGB), TEXT),
    "image of 32 bits a colour": Family(picture(b"/Width 9/Height 9/ColorSpace/DeviceRGB/BitsPerComponent 32"), TEXT),
    "jpeg that is none": Family(picture(b"/Width 900/Height 900/Filter/DCTDecode" + RGB, b"\xff\xd8\xff\xe0\0"), TEXT),
    "jpeg of 65,535 points": Family(
        picture(
            b"/Width 65535/Height 65535/Filter/DCTDecode" + RGB,
            b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9",
        ),
        TEXT,
    ),
    "jpeg 2000 that is none": Family(
        picture(b"/Width 900/Height 900/Filter/JPXDecode", b"\0\0\0\x0cjP  \r\n\x87\n"), TEXT
    ),
    "jbig2 of four billion rows": Family(
        picture(
            b"/Width 9/Height 9/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/JBIG2Decode",
            b"\0\0\0\0\x30\0\x01\0\0\0\x13\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(11),
        ),
        TEXT,
    ),
    "fax of two billion columns": Family(
        picture(
            b"/Width 9/Height 9/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/CCITTFaxDecode"
            b"/DecodeParms<</K -1/Columns 2000000000/Rows 2000000000>>"
        ),
        TEXT,
    ),
    "masks of masks": Family(soft_masks, HEAVY),
    "one picture 3,000 times": Family(many_pictures, HEAVY),
}
