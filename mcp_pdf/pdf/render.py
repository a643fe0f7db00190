"""A page as a JPEG, as a person sees it: annotations and form values drawn, boxes marked where they are asked for.

PDFium paints at the wanted resolution, or at the best one that stays below MAX_PIXELS; the picture is then made
smaller until it has at most the wanted number of bytes.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw

from mcp_pdf.errors import PdfError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pypdfium2

    Box = Sequence[float]

MAX_PIXELS: Final = 25_000_000
MAX_SIDE: Final = 16_384  # pixels: a page of a millimetre by a kilometre still has an edge of one pixel
POINTS_PER_INCH: Final = 72
QUALITY: Final = 85
_MARK: Final = (255, 214, 0)
_EDGE: Final = (214, 120, 0)
_MARGIN_PT: Final = 1.5  # around a mark, so that its edge does not touch the letters


@dataclass(frozen=True, slots=True)
class Picture:
    """The JPEG, and what is needed to place boxes on it: its size in pixels and the page's in points."""

    jpeg: bytes
    width: int
    height: int
    page_size: tuple[float, float]

    @property
    def dpi(self) -> float:
        """The resolution that was reached."""
        return round(POINTS_PER_INCH * max(self.width, self.height) / max(*self.page_size, 1.0), 1)


def render(
    pdf: pypdfium2.PdfDocument, number: int, *, dpi: float, highlight: Sequence[Box] = (), most_bytes: int
) -> Picture:
    """Page `number` (from 1) with these boxes (points from the top-left corner of the page as displayed) marked.

    Raises PdfError: damaged_pdf for a page that cannot be loaded or has no usable size.
    """
    image, size = _painted(pdf, number, dpi)
    if highlight:
        image = _marked(image, image.width / size[0], image.height / size[1], highlight)
    jpeg = _encoded(image)
    while len(jpeg) > most_bytes:
        factor = 0.95 * math.sqrt(most_bytes / len(jpeg))
        smaller = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
        image = image.resize(smaller, Image.Resampling.LANCZOS, reducing_gap=2.0)
        jpeg = _encoded(image)
    return Picture(jpeg, image.width, image.height, (round(size[0], 1), round(size[1], 1)))


def pixels(pdf: pypdfium2.PdfDocument, number: int, dpi: float) -> Image.Image:
    """The page as an RGB picture, for readers of pictures."""
    return _painted(pdf, number, dpi)[0]


def _painted(pdf: pypdfium2.PdfDocument, number: int, dpi: float) -> tuple[Image.Image, tuple[float, float]]:
    from pypdfium2 import PdfiumError

    try:
        pdf.init_forms()
        page = pdf[number - 1]
    except PdfiumError:
        raise _unpaintable(number) from None
    try:
        size = page.get_size()
        bitmap = page.render(scale=_scale(size, number, dpi), rev_byteorder=True)
        return bitmap.to_pil().convert("RGB"), size
    finally:
        page.close()


def _scale(size: tuple[float, float], number: int, dpi: float) -> float:
    width, height = size
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise _unpaintable(number)
    scale = min(dpi / POINTS_PER_INCH, MAX_SIDE / max(width, height))
    over = math.ceil(width * scale) * math.ceil(height * scale) / MAX_PIXELS
    return scale / math.sqrt(over) * 0.999 if over > 1 else scale


def _unpaintable(number: int) -> PdfError:
    return PdfError("damaged_pdf", f"Page {number} cannot be shown.", "Send an undamaged copy.")


def _marked(image: Image.Image, across: float, down: float, boxes: Sequence[Box]) -> Image.Image:
    """Marks like a highlighter pen's: what is printed stays readable under them."""
    frames = [_frame(box, across, down) for box in boxes]
    layer = Image.new("RGB", image.size, "white")
    pen = ImageDraw.Draw(layer)
    for frame in frames:
        pen.rectangle(frame, fill=_MARK)
    from PIL import ImageChops

    image = ImageChops.multiply(image, layer)
    pen = ImageDraw.Draw(image)
    for frame in frames:
        pen.rectangle(frame, outline=_EDGE, width=max(1, round(across)))
    return image


def _frame(box: Box, across: float, down: float) -> tuple[float, float, float, float]:
    x0, x1 = sorted((box[0], box[2]))
    y0, y1 = sorted((box[1], box[3]))
    left, top = (x0 - _MARGIN_PT) * across, (y0 - _MARGIN_PT) * down
    right, bottom = (x1 + _MARGIN_PT) * across, (y1 + _MARGIN_PT) * down
    far = float(MAX_SIDE)
    return max(left, -far), max(top, -far), min(right, 2 * far), min(bottom, 2 * far)


def _encoded(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, optimize=False)
    return out.getvalue()
