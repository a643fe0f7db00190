"""PDFs made for the model's tests: an invoice with odd corners, one that whispers, a long report."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw
from reportlab.lib.colors import white
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

_LINES = (
    ("Invoice", ""),
    ("Invoice number:", "INV-2026-0042"),
    ("Invoice date:", "14 September 2026"),
    ("Due date:", "14 October 2026"),
    ("Net total:", "EUR 1,000.00"),
    ("VAT 19 %:", "EUR 190.00"),
    ("Total:", "EUR 1,190.00"),
    ("Warranty lasts 24 months from delivery", ""),
)


def _canvas() -> tuple[Canvas, io.BytesIO]:
    out = io.BytesIO()
    return Canvas(out, pagesize=A4, invariant=True), out


def invoice(note: str = "") -> bytes:
    """Some of its values stand in sentences, where no rule finds them; `note` is printed at its foot."""
    canvas, out = _canvas()
    for at, (label, value) in enumerate(_LINES):
        canvas.drawString(60, 780 - 18 * at, label)
        canvas.drawString(260, 780 - 18 * at, value)
    canvas.drawString(60, 100, note)
    canvas.save()
    return out.getvalue()


def hidden(whisper: str) -> bytes:
    """The invoice with white words on white paper, and invisible ones."""
    canvas, out = _canvas()
    for at, (label, value) in enumerate(_LINES):
        canvas.drawString(60, 780 - 18 * at, label)
        canvas.drawString(260, 780 - 18 * at, value)
    canvas.setFillColor(white)
    canvas.drawString(60, 80, whisper)
    text = canvas.beginText(60, 60)
    text.setTextRenderMode(3)
    text.textLine(whisper)
    canvas.drawText(text)
    canvas.save()
    return out.getvalue()


def report(pages: int) -> bytes:
    """Pages of prose; a code stands on the last."""
    canvas, out = _canvas()
    for page in range(1, pages + 1):
        for line in range(40):
            canvas.drawString(
                50, 790 - 18 * line, f"Paragraph {page}.{line}: the committee noted the figures of section {line}."
            )
        if page == pages:
            canvas.drawString(50, 50, "Filed under the mark ZX-7781 by the clerk")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def scan() -> bytes:
    """A page that is one picture: no text layer at all."""
    picture = Image.new("RGB", (1240, 1754), "white")
    ImageDraw.Draw(picture).text((200, 400), "Total: EUR 1,190.00", fill="black")
    held = io.BytesIO()
    picture.save(held, "JPEG")
    held.seek(0)
    canvas, out = _canvas()
    canvas.drawImage(ImageReader(held), 0, 0, *A4)
    canvas.save()
    return out.getvalue()


def table(pages: int) -> bytes:
    """One row a page among prose that fills it, so that the table runs over many chunks."""
    canvas, out = _canvas()
    for page in range(1, pages + 1):
        canvas.drawString(50, 800, f"Part {page:03} delivered and checked by the store 2.00")
        for line in range(30):
            canvas.drawString(50, 770 - 18 * line, f"Remark {line} on this delivery: packed, sealed and handed over.")
        canvas.showPage()
    canvas.save()
    return out.getvalue()
