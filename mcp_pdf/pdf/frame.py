"""The displayed rectangle of a page: from PDFium's page space to points from the top-left corner as displayed."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from mcp_pdf.pdf import pdfium


@dataclass(frozen=True, slots=True)
class Frame:
    """The intersection of MediaBox and CropBox in page space, and how it is turned."""

    left: float
    bottom: float
    right: float
    top: float
    rotation: int  # quarter turns clockwise
    width: float
    height: float

    @classmethod
    def of(cls, page: int) -> Frame:
        """The frame of a loaded page; US letter where the page has no usable size."""
        box = (ctypes.c_float * 4)()  # left, top, right, bottom
        width, height = pdfium.page_width(page), pdfium.page_height(page)
        if not pdfium.page_box(page, ctypes.addressof(box)) or not (width > 0 and height > 0):
            return cls(0.0, 0.0, 612.0, 792.0, 0, 612.0, 792.0)
        return cls(box[0], box[3], box[2], box[1], pdfium.page_rotation(page) % 4, width, height)

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        """A box of page space (y upwards) in display space (y downwards)."""
        if self.rotation == 0:
            return (left - self.left, self.top - top, right - self.left, self.top - bottom)
        if self.rotation == 1:
            return (bottom - self.bottom, left - self.left, top - self.bottom, right - self.left)
        if self.rotation == 2:
            return (self.right - right, bottom - self.bottom, self.right - left, top - self.bottom)
        return (self.top - top, self.right - right, self.top - bottom, self.right - left)
