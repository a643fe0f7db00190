"""Documents for the console's tests, made here: many pages, a scan, one that attacks the page that shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.data.bills import ENGLISH
from tests.data.facturx import cii_xml
from tests.pdf.papers import SIZE, changed, drawn
from tests.service import SAMPLES

PAGES = 200
SECRET = "open sesame"
HOSTILE = "<img src=x onerror=alert(1)>.pdf"
MARKUP = "<script>window.pwned=1</script><b onclick=alert(2)>"
LABELS = ("invoice", "invoice_facturx", "purchase_order", "receipt")


def long() -> bytes:
    """An invoice number on the first page, the total on the last."""

    def draw(canvas: Canvas) -> None:
        for number in range(1, PAGES + 1):
            canvas.setFont("Helvetica", 12)
            if number == 1:
                canvas.drawString(60, 760, "Invoice number: LONG-200")
            if number == PAGES:
                canvas.drawString(60, 700, "Total: EUR 1,234.50")
            canvas.drawString(60, 60, f"Page {number} of {PAGES}")
            canvas.showPage()

    return drawn(draw)


def scan(pages: int = 1) -> bytes:
    """Pages that are pictures and nothing else."""

    def draw(canvas: Canvas) -> None:
        for number in range(pages):
            sheet = Image.new("L", (620, 877), 255)
            ImageDraw.Draw(sheet).text((60, 80), f"Invoice number: SCAN-{7 + number}", fill=0, font_size=24)
            canvas.drawImage(ImageReader(sheet), 0, 0, *SIZE)
            canvas.showPage()

    return drawn(draw)


def hostile() -> bytes:
    """Markup and script wherever a document holds words."""

    def draw(canvas: Canvas) -> None:
        canvas.setTitle(MARKUP)
        canvas.setAuthor(MARKUP)
        canvas.drawString(60, 760, f"Invoice number: {MARKUP}")
        canvas.drawString(60, 740, f"Seller: {MARKUP} Ltd")
        canvas.drawString(60, 700, "Total: EUR 10.00")
        canvas.showPage()

    return drawn(draw)


def locked() -> bytes:
    content = (SAMPLES / "invoice.pdf").read_bytes()
    return changed(content, lambda writer: writer.encrypt(SECRET, algorithm="AES-256"))


def differing() -> bytes:
    """An e-invoice whose XML has another number than its page."""
    xml = cii_xml(replace(ENGLISH, number="INV-2026-0024"))
    content = (SAMPLES / "invoice.pdf").read_bytes()
    return changed(content, lambda writer: writer.add_attachment("factur-x.xml", xml))


def fill(library: Path) -> None:
    """The library of the console's tests."""
    for name in LABELS:
        (library / f"{name}.pdf").write_bytes((SAMPLES / f"{name}.pdf").read_bytes())
    for name, content in (
        ("long", long()),
        ("scan", scan()),
        ("slow", scan(30)),
        ("locked", locked()),
        ("differs", differing()),
    ):
        (library / f"{name}.pdf").write_bytes(content)
    (library / HOSTILE).write_bytes(hostile())
