"""What a reader hands on: pages of words with boxes, form fields, and the document they belong to.

Coordinates are points from the top-left corner of the page as displayed (rotation and CropBox applied),
y grows downwards. Pages count from 1. Nothing here opens a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mcp_pdf.pdf.invoice import Invoice


class Word(NamedTuple):
    """One printed word; the box is the union of the loose boxes of its characters."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(slots=True)
class Page:
    """One page: visible words in reading order, and how far they can be trusted."""

    number: int
    width: float
    height: float
    words: list[Word]
    grade: str = "text"  # text | ocr_layer | scan | garbled | blank | unreadable
    source: str = "layout"  # layout | ocr: where the words come from
    repaired: bool = False  # the file is damaged: words may be missing
    estimated: bool = False  # another reader than PDFium gave the words: their boxes are estimates
    hidden: list[Word] = field(default_factory=list)  # invisible, white or off-page: never extracted from
    rulings: list[tuple[float, float, float, float]] = field(default_factory=list)  # x0, y0, x1, y1 of drawn lines

    @property
    def needs_ocr(self) -> bool:
        """Whether its words can only be had from its picture, which nobody has read yet."""
        return self.grade in ("scan", "garbled") and self.source != "ocr"


@dataclass(frozen=True, slots=True)
class FormField:
    """One AcroForm field. `value` is what the form holds; boxes are its widgets'."""

    name: str
    kind: str  # text | checkbox | radio | choice | signature | button
    value: str | bool | list[str] | None
    label: str | None = None  # /TU, the tooltip shown to a person
    options: tuple[str, ...] = ()
    page: int | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(slots=True)
class Document:
    """All that extraction may look at. `pages` may be a selection; `page_count` is the whole file's."""

    pages: list[Page]
    page_count: int
    form: list[FormField] = field(default_factory=list)
    invoice: Invoice | None = None  # the embedded e-invoice, when there is one
    metadata: dict[str, Any] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)  # contract shape: code, page?, message
