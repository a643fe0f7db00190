"""What pypdf reads on pages where PDFium finds no word at all: it forgives other faults of a file.

pypdf tells where a piece of text begins and how large it is, not how wide: boxes are estimates, and pages say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mcp_pdf.pdf.forms import BROKEN, open_reader
from mcp_pdf.pdf.frame import Frame
from mcp_pdf.pdf.lines import reading_order
from mcp_pdf.pdf.page import Page, Word
from mcp_pdf.pdf.patience import OutOfPatience, patience

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pypdf import PageObject

PATIENCE_S: Final = 2.0  # of processor time, for all pages of a job
MAX_WORDS: Final = 20_000
LETTER_WIDTH: Final = 0.5  # of the font size, on average
ASCENT, DESCENT = 0.8, 0.2  # of the font size: a usual box of a letter


def add_words(pages: Sequence[Page], data: Callable[[], bytes], password: str | None) -> None:
    """Fills those of these pages that are empty although they have content, and marks them `estimated`."""
    empty = [page for page in pages if not page.words and not page.hidden and page.grade in ("blank", "unreadable")]
    if not empty:
        return
    try:
        with patience(PATIENCE_S):
            reader = open_reader(data(), password)
            for page in empty:
                if page.number <= len(reader.pages):
                    _fill(page, reader.pages[page.number - 1])
    except (*BROKEN, OutOfPatience):
        return  # PDFium's word stands: there is nothing to read


def _fill(page: Page, found: PageObject) -> None:
    contents = found.get_contents()
    if contents is None or b"T" not in contents.get_data():  # no operator that shows text
        return
    frame = _frame(found)
    words: list[Word] = []

    def take(text: str, outer: list[float], inner: list[float], _font: Any, size: float) -> None:
        if text.strip() and len(words) < MAX_WORDS:
            x = inner[4] * outer[0] + inner[5] * outer[2] + outer[4]
            y = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
            words.extend(_placed(text, x, y, abs(size * (inner[3] or 1.0) * (outer[3] or 1.0)), frame))

    found.extract_text(visitor_text=take)
    shown = [word for word in words if 0 <= word.x0 <= frame.width and 0 <= word.y1 <= frame.height]
    if shown:
        page.words, page.grade, page.estimated = reading_order(shown), "text", True
        page.width, page.height = round(frame.width, 2), round(frame.height, 2)


def _frame(page: PageObject) -> Frame:
    left, bottom, right, top = (float(edge) for edge in page.cropbox)
    turns = (int(page.rotation) // 90) % 4
    width, height = (right - left, top - bottom) if turns % 2 == 0 else (top - bottom, right - left)
    return Frame(left, bottom, right, top, turns, width, height)


def _placed(text: str, x: float, y: float, size: float, frame: Frame) -> list[Word]:
    words, at = [], 0
    for token in text.split():
        start = text.index(token, at)
        at = start + len(token)
        left, right = x + start * LETTER_WIDTH * size, x + at * LETTER_WIDTH * size
        words.append(Word(token, *frame.box(left, y + ASCENT * size, right, y - DESCENT * size)))
    return words
