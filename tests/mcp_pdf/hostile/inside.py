"""What a PDF carries: XML with entities, attachments with names that lead elsewhere, files that break their frame."""

from __future__ import annotations

from tests.mcp_pdf.hostile.objects import GOOD, HEAVY, Family, deflated, page, pdf, readable, stream
from tests.mcp_pdf.hostile.structure import attached

EMBEDDED = b"/Type/EmbeddedFile"
CII = b"urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"


def expanded() -> bytes:
    """Entities that name entities: a gigabyte of laughs."""
    levels = b"".join(b'<!ENTITY l%d "%b">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return (
        b'<!DOCTYPE x [<!ENTITY l0 "ha">%b]><rsm:CrossIndustryInvoice xmlns:rsm="%b">&l9;</rsm:CrossIndustryInvoice>'
        % (levels, CII)
    )


def blown_up() -> bytes:
    """One entity of 50 KB, ten thousand times."""
    return b'<!DOCTYPE x [<!ENTITY a "%b">]><x>%b</x>' % (b"a" * 50_000, b"&a;" * 10_000)


def external(target: bytes) -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "%b">]><x>&f;</x>' % target


def parameter() -> bytes:
    return b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/evil.dtd"> %p;]><x/>'


def included() -> bytes:
    return b'<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></x>'


def deep() -> bytes:
    return b"<a>" * 100_000 + b"</a>" * 100_000


def invoice(xml: bytes) -> bytes:
    return attached(b"factur-x.xml", deflated(xml, EMBEDDED))


def metadata(xml: bytes) -> bytes:
    return pdf(page(catalog=b"/Metadata 7 0 R", o7=deflated(xml, b"/Type/Metadata/Subtype/XML")))


def many_lines() -> bytes:
    product = b"<ram:SpecifiedTradeProduct><ram:Name>x</ram:Name></ram:SpecifiedTradeProduct>"
    line = b"<ram:IncludedSupplyChainTradeLineItem>%b</ram:IncludedSupplyChainTradeLineItem>" % product
    head = b'<rsm:CrossIndustryInvoice xmlns:rsm="%b" xmlns:ram="r"><rsm:SupplyChainTradeTransaction>' % CII
    return head + line * 25_000 + b"</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"


def names(*given: bytes) -> bytes:
    pairs = b" ".join(b"(k%d) <</Type/Filespec/F%b/EF<</F 8 0 R>>>>" % pair for pair in enumerate(given))
    return pdf(page(catalog=b"/Names<</EmbeddedFiles<</Names[%b]>>>>" % pairs, o8=stream(b"data", EMBEDDED)))


def nested(levels: int) -> bytes:
    """A PDF in a PDF in a PDF."""
    content = GOOD
    for _ in range(levels):
        content = attached(b"inner.pdf", deflated(content, EMBEDDED))
    return content


FAMILIES = {
    "e-invoice of a gigabyte of laughs": readable(lambda: invoice(expanded())),
    "e-invoice of one entity ten thousand times": readable(lambda: invoice(blown_up())),
    "e-invoice that reads a file": readable(lambda: invoice(external(b"file:///etc/passwd")), hides="root:"),
    "e-invoice that reads a device": readable(lambda: invoice(external(b"file:///dev/random"))),
    "e-invoice that asks the network": readable(lambda: invoice(external(b"http://127.0.0.1:9/x"))),
    "e-invoice with a parameter entity": readable(lambda: invoice(parameter())),
    "e-invoice that includes a file": readable(lambda: invoice(included()), hides="root:"),
    "e-invoice of 100,000 levels": readable(lambda: invoice(deep())),
    "e-invoice of 25,000 lines": Family(lambda: invoice(many_lines()), HEAVY),
    "e-invoice of noise": readable(lambda: invoice(bytes(range(256)) * 100)),
    "e-invoice in UTF-7": readable(lambda: invoice(b'<?xml version="1.0" encoding="UTF-7"?><x>+ADw-</x>')),
    "e-invoice of nothing": readable(lambda: invoice(b"")),
    "metadata of a gigabyte of laughs": readable(lambda: metadata(expanded())),
    "metadata that reads a file": readable(lambda: metadata(external(b"file:///etc/passwd")), hides="root:"),
    "metadata of 100,000 levels": readable(lambda: metadata(deep())),
    "metadata that is a number": readable(lambda: pdf(page(catalog=b"/Metadata 42"))),
    "attachment names that lead out": readable(
        lambda: names(b"(../../etc/cron.d/x)", b"(/etc/passwd)", b"(..\\\\..\\\\boot.ini)", b"(C:\\\\x)")
    ),
    "attachment names of 5,000 characters": readable(lambda: names(b"(" + b"n" * 5_000 + b".xml)", b"(..)", b"()")),
    "attachment names with control characters": readable(
        lambda: names(b"(a\\000b.xml)", b"(a\\nb\\033[2J.xml)", b"<FEFF202E006600640070>", b"(-rf)", b"(nul.txt)")
    ),
    "10,000 attachments": Family(lambda: names(*[b"(a)"] * 10_000), HEAVY),
    "attachment that is missing": readable(lambda: attached(b"a.xml", b"null")),
    "attachment that is the document": readable(lambda: attached(b"a.pdf", b"1 0 R")),
    "pdf in a pdf, 20 times": readable(lambda: nested(20)),
}
