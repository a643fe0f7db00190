"""PDFs for the tests of the engines, made here: by reportlab, by pypdf, or byte by byte."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pypdf import PdfReader, PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = (595.0, 842.0)


def drawn(draw: Callable[[Canvas], object], size: tuple[float, float] = SIZE) -> bytes:
    """One page, or as many as `draw` shows."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, invariant=True)
    canvas.setFont("Helvetica", 12)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def changed(data: bytes, change: Callable[[PdfWriter], object]) -> bytes:
    """The same file after `change`."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    change(writer)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def picture(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """A grey image."""
    from PIL import Image

    canvas.drawImage(ImageReader(Image.new("L", (8, 8), 200)), x, y, width, height)


def raw_pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """Objects 1, 2, … with a correct cross-reference table; object 1 is the catalog."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def stream(content: bytes, extra: bytes = b"") -> bytes:
    """A stream object."""
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content), extra, content)
