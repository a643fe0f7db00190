"""Files that are broken, cut, or something else under the name of a PDF."""

from __future__ import annotations

import io
import re
import zipfile

from tests.mcp_pdf.hostile.objects import (
    DAMAGED,
    GOOD,
    HELLO,
    REPAIRED,
    TEXT,
    Family,
    deflated,
    page,
    pdf,
    readable,
    stream,
)

NOT_A_PDF = frozenset({"not_a_pdf"})


def archive() -> bytes:
    """A ZIP archive that holds a PDF."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("invoice.pdf", GOOD)
    return out.getvalue()


def polyglot() -> bytes:
    """A PDF that is a web page and a shell script too."""
    return b"#!/bin/sh\ntouch /tmp/owned; exit\n<html><script>alert(1)</script><!--\n" + GOOD + b"\n-->"


def pdf_and_archive() -> bytes:
    """A PDF with an archive behind it: each reader finds its own."""
    return GOOD + archive()


def xref_with(entry: bytes) -> bytes:
    """The trailer gets one more entry; `%d` in it is the offset of the cross-reference table."""
    start = GOOD.index(b"xref\n")
    return GOOD.replace(b"/Root 1 0 R", b"/Root 1 0 R " + entry.replace(b"%d", b"%d" % start))


def wrong_offsets() -> bytes:
    return re.sub(rb"\d{10} 00000 n", b"0000000001 00000 n", GOOD)


def startxref(value: bytes) -> bytes:
    return re.sub(rb"startxref\n\d+", b"startxref\n" + value, GOOD)


def wrong_length(length: bytes) -> bytes:
    return GOOD.replace(b"/Length %d" % len(HELLO), b"/Length " + length)


def updated() -> bytes:
    """An incremental update that shows other content; the newest counts."""
    base = pdf(page(stream(HELLO.replace(b"42.00", b"13.37"))))
    at = len(base)
    body = b"4 0 obj\n%b\nendobj\n" % stream(HELLO)
    previous = base.rindex(b"xref\n0 ")
    tail = b"xref\n4 1\n%010d 00000 n \ntrailer\n<</Size 6/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    return base + body + tail % (at, previous, at + len(body))


def many_updates() -> bytes:
    """2,000 incremental updates, each with a table of its own."""
    out = bytearray(GOOD)
    previous = GOOD.rindex(b"xref\n0 ")
    for _ in range(2_000):
        start = len(out)
        out += b"xref\n0 0\ntrailer\n<</Size 6/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (previous, start)
        previous = start
    return bytes(out)


def truncated_stream() -> bytes:
    """Compressed content that ends in the middle."""
    body = deflated(b"0 0 m " * 2_000 + HELLO)
    return pdf(page(body.replace(b"endstream", b"")[:60] + b"\nendstream"))


def objects_as(value: bytes) -> bytes:
    """Every object but the catalog is `value`."""
    return pdf({1: b"<</Type/Catalog/Pages 2 0 R>>"} | dict.fromkeys(range(2, 6), value))


FAMILIES = {
    "good": readable(lambda: GOOD),
    "empty": Family(lambda: b"", frozenset({"empty_file"})),
    "one byte": Family(lambda: b"%", NOT_A_PDF),
    "zeros": Family(lambda: bytes(100_000), NOT_A_PDF),
    "noise": Family(lambda: bytes(n * n * 7919 % 251 for n in range(50_000)), NOT_A_PDF),
    "web page": Family(lambda: b"<!DOCTYPE html><html><body>Invoice 42.00</body></html>", NOT_A_PDF),
    "archive": Family(archive, NOT_A_PDF),
    "picture": Family(lambda: b"\x89PNG\r\n\x1a\n" + bytes(500), NOT_A_PDF),
    "utf-16 text": Family(lambda: "%PDF-1.7 is what I am".encode("utf-16"), NOT_A_PDF),
    "header only": Family(lambda: b"%PDF-1.7\n", DAMAGED),
    "header and end": Family(lambda: b"%PDF-1.7\nstartxref\n0\n%%EOF\n", DAMAGED),
    "header far inside": Family(lambda: b"x" * 2_000 + GOOD, NOT_A_PDF),
    "header without version": readable(lambda: GOOD.replace(b"%PDF-1.7", b"%PDF-x.y")),
    "header of version 9": readable(lambda: GOOD.replace(b"%PDF-1.7", b"%PDF-9.9")),
    "junk before the header": readable(lambda: b"junk\n" * 20 + GOOD),
    "junk after the end": readable(lambda: GOOD + b"\0junk" * 5_000),
    "polyglot": readable(polyglot),
    "pdf and archive": readable(pdf_and_archive),
    "pdf in a pdf": readable(lambda: GOOD + b"\n" + pdf(page())),
    "cut to a third": Family(lambda: GOOD[: len(GOOD) // 3], REPAIRED, says=""),
    "cut at the table": readable(lambda: GOOD[: GOOD.index(b"xref\n")]),
    "cut by ten bytes": readable(lambda: GOOD[:-10]),
    "cut in the content": Family(truncated_stream, REPAIRED, says=""),
    "line ends lost": Family(lambda: GOOD.replace(b"\n", b"\r"), REPAIRED, says=""),
    "line ends doubled": Family(lambda: GOOD.replace(b"\n", b"\r\n"), REPAIRED),
    "bytes above 127 lost": readable(lambda: bytes(byte & 127 for byte in GOOD)),
    "table of wrong offsets": readable(wrong_offsets),
    "table elsewhere": readable(lambda: startxref(b"99999999")),
    "table at a negative place": readable(lambda: startxref(b"-1")),
    "table at a huge place": readable(lambda: startxref(b"9" * 40)),
    "table that is its own ancestor": Family(lambda: xref_with(b"/Prev %d"), REPAIRED),
    "table of two billion": Family(lambda: GOOD.replace(b"xref\n0 6", b"xref\n0 2000000000"), REPAIRED),
    "size of minus one": Family(lambda: GOOD.replace(b"/Size 6", b"/Size -1"), REPAIRED),
    "no root": readable(lambda: GOOD.replace(b"/Root 1 0 R", b"/Boot 1 0 R")),
    "root that is a page": Family(lambda: GOOD.replace(b"/Root 1 0 R", b"/Root 3 0 R"), REPAIRED),
    "root that is missing": readable(lambda: GOOD.replace(b"/Root 1 0 R", b"/Root 77 0 R")),
    "no pages": Family(lambda: pdf({1: b"<</Type/Catalog>>", 2: b"null"}), DAMAGED),
    "pages of nothing": Family(lambda: pdf(page() | {2: b"<</Type/Pages/Kids[]/Count 0>>"}), REPAIRED),
    "pages that are a number": Family(lambda: objects_as(b"42"), DAMAGED),
    "pages that are themselves": Family(lambda: objects_as(b"2 0 R"), DAMAGED),
    "objects that are strings": Family(lambda: objects_as(b"(" + b"x" * 5_000 + b")"), DAMAGED),
    "content of length zero": Family(lambda: wrong_length(b"0"), TEXT, says=""),
    "content of length minus one": readable(lambda: wrong_length(b"-1")),
    "content longer than the file": readable(lambda: wrong_length(b"999999999")),
    "content whose length is the content": readable(lambda: wrong_length(b"4 0 R")),
    "content that is missing": Family(lambda: pdf({k: v for k, v in page().items() if k != 4}), TEXT, says=""),
    "content under an unknown filter": Family(lambda: pdf(page(stream(HELLO, b"/Filter/AcmeDecode"))), TEXT, says=""),
    "content that is not deflated": Family(lambda: pdf(page(stream(HELLO, b"/Filter/FlateDecode"))), TEXT, says=""),
    "changed later": readable(updated, hides="13.37"),
    "changed 2,000 times": readable(many_updates),
}
