"""Words with boxes from the text of a page, what of it a person can see, and how far it can be trusted.

PDFium gives the characters of a page as one string, and a box for each. The box of a word is the union of the boxes
of its first and last character; a word that looks too wide or spans lines is measured character by character.
"""

from __future__ import annotations

import ctypes
import re
from functools import partial
from typing import TYPE_CHECKING

from mcp_pdf.pdf import pdfium
from mcp_pdf.pdf.frame import Frame
from mcp_pdf.pdf.lines import reading_order
from mcp_pdf.pdf.objects import INVISIBLE, PALE, SHOWN, Ink, read_ink, visibility
from mcp_pdf.pdf.page import Page, Word
from mcp_pdf.pdf.repair import is_repaired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pypdfium2

MAX_CHARS = 1_000_000  # a page of text as long as a book is an attack or a mistake: cut
MAX_WORDS = 60_000
JUNK_SHARE = 0.3
FEW_LETTERS = 100
SCAN_COVER = 0.5  # of the page, by images
MANY_PATHS = 200  # a page without text but with so many drawn shapes has its letters drawn
WORD_GAP = 0.35  # of the height, between two characters: two words without a space between

_WORD = re.compile(r"[^\s\x00-\x1f]+")
_HYPHEN = "\ufffe"  # PDFium's mark for a hyphen at the end of a line; the rest of the word follows it
_JUNK = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd\uffff\ue000-\uf8ff]")
_LETTER = re.compile(r"[^\W_]")

Box = tuple[float, float, float, float]
_word: Callable[[tuple[str, float, float, float, float]], Word] = partial(tuple.__new__, Word)  # half the cost


def read_pages(pdf: pypdfium2.PdfDocument, numbers: Sequence[int]) -> Iterator[Page]:
    """The pages of these numbers (from 1), one by one; a page that cannot be loaded is graded `unreadable`.

    A page stays open until the next one is: PDFium then keeps the fonts that both use.
    """
    document, damaged = pdfium.handle(pdf), is_repaired(pdf)
    last = None
    try:
        for number in numbers:
            page = pdfium.load_page(document, number - 1)
            if last:
                pdfium.close_page(last)
            last = page
            found = _read_page(page, number) if page else Page(number, 0.0, 0.0, [], grade="unreadable")
            found.repaired = damaged
            yield found
    finally:
        if last:
            pdfium.close_page(last)


def read_rulings(pdf: pypdfium2.PdfDocument, pages: Sequence[Page]) -> None:
    """Adds the drawn lines of these pages: only tables need them, so that reading does not pay for them."""
    document = pdfium.handle(pdf)
    for found in pages:
        page = pdfium.load_page(document, found.number - 1)
        if page:
            found.rulings = read_ink(page, Frame.of(page)).rulings
            pdfium.close_page(page)


def _read_page(page: int, number: int) -> Page:
    frame = Frame.of(page)
    found = Page(number, round(frame.width, 2), round(frame.height, 2), [])
    text_page = pdfium.load_text(page)
    if not text_page:
        found.grade = "unreadable"
        return found
    try:
        text, words, verdicts = _read_words(text_page, frame)
        _sort_out(page, frame, found, text, words, verdicts)
    finally:
        pdfium.close_text(text_page)
    found.words = reading_order(found.words)
    return found


def _read_words(text_page: int, frame: Frame) -> tuple[str, list[Word], list[int]]:
    """All words in the order of the file, with what each one's text object shows."""
    text, positions = _text_of(text_page)
    spans = _spans(text, positions)
    get_object = pdfium.text_object
    objects = [get_object(text_page, first) or 0 for _token, first, _last in spans]
    words: list[Word] = []
    more: list[tuple[int, int]] = []  # where a token is several words: its number, and how many more they are
    for number, ((token, first, last), (x0, y0, x1, y1)) in enumerate(
        zip(spans, _boxes(text_page, spans, frame), strict=True)
    ):
        height = y1 - y0
        if x1 - x0 > (0.62 * (last - first) + 1.2) * height or height > 60 or _HYPHEN in token:
            pieces = _measured(text_page, frame, token, first, last)
            words += pieces
            more.append((number, len(pieces) - 1))
        else:
            words.append(_word((token, x0, y0, x1, y1)))
    for number, count in reversed(more):
        objects[number : number + 1] = [objects[number]] * (count + 1)
    return text, words, visibility(objects)


def _spans(text: str, positions: Sequence[int] | None) -> list[tuple[str, int, int]]:
    """Each word with the indices of its first and last character."""
    spans: list[tuple[str, int, int]] = []
    end = 0
    for token in _WORD.findall(text)[:MAX_WORDS]:
        start = text.find(token, end)  # between two words are only blanks: the next place is the right one
        end = start + len(token)
        spans.append((token, start, end - 1))
    if positions is None:
        return spans
    return [(token, positions[first], positions[last]) for token, first, last in spans]


def _text_of(text_page: int) -> tuple[str, list[int] | None]:
    """The text, and the index of each of its characters where it is not simply the position."""
    count = min(pdfium.count_chars(text_page), MAX_CHARS)
    if count <= 0:
        return "", None
    buffer = ctypes.create_string_buffer(2 * count + 2)
    written = pdfium.get_text(text_page, 0, count, ctypes.addressof(buffer))
    text = buffer.raw[: 2 * max(written - 1, 0)].decode("utf-16-le", "replace")
    if len(text) == count:
        return text, None
    codes = [pdfium.char_code(text_page, index) for index in range(count)]
    kept = [index for index, code in enumerate(codes) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000]
    return "".join(chr(codes[index]) for index in kept), kept


def _boxes(text_page: int, spans: Sequence[tuple[str, int, int]], frame: Frame) -> list[Box]:
    """The box of each span in display space, from its first and last character."""
    buffer = (ctypes.c_float * (8 * len(spans)))()  # left, top, right, bottom of each end
    address = ctypes.addressof(buffer)
    get_box = pdfium.loose_box
    for _token, first, last in spans:
        get_box(text_page, first, address)
        get_box(text_page, last, address + 16)
        address += 32
    edges = zip(*[iter(buffer[:])] * 8, strict=True)
    if frame.rotation:
        return [
            frame.box(min(l0, l1), max(t0, t1), max(r0, r1), min(b0, b1)) for l0, t0, r0, b0, l1, t1, r1, b1 in edges
        ]
    left, top = frame.left, frame.top
    return [  # no min() and max(): they cost a call a word
        (
            (l0 if l0 < l1 else l1) - left,  # noqa: FURB136
            top - (t0 if t0 > t1 else t1),  # noqa: FURB136
            (r0 if r0 > r1 else r1) - left,  # noqa: FURB136
            top - (b0 if b0 < b1 else b1),  # noqa: FURB136
        )
        for l0, t0, r0, b0, l1, t1, r1, b1 in edges
    ]


def _measured(text_page: int, frame: Frame, token: str, first: int, last: int) -> list[Word]:
    """The words of a doubtful token: cut at visible gaps and line ends, a hyphenated word kept as one."""
    if last - first + 1 != len(token):  # characters without a code in between: the two do not align
        last = first + len(token) - 1
    boxes = _boxes(text_page, [("", index, index) for index in range(first, last + 1)], frame)
    words: list[Word] = []
    start = 0
    for at in range(1, len(token) + 1):
        if at == len(token) or _parted(boxes[at - 1], boxes[at], token[at - 1]):
            part = token[start:at].strip(_HYPHEN)
            if part:
                words.append(_word_from(part, token[start:at], boxes[start:at]))
            start = at
    return words


def _parted(left: Box, right: Box, before: str) -> bool:
    height = min(left[3] - left[1], right[3] - right[1])
    if height <= 0 or before == _HYPHEN:
        return False
    if abs(left[1] + left[3] - right[1] - right[3]) / 2 > 0.6 * height:
        return abs(left[0] + left[2] - right[0] - right[2]) / 2 > 0.6 * height  # else it is set vertically
    return right[0] - left[2] > WORD_GAP * height


def _word_from(part: str, token: str, boxes: list[Box]) -> Word:
    """A hyphenated word stands where it begins: one box cannot lie on two lines."""
    head, mark, tail = token.partition(_HYPHEN)
    if mark and head and tail:
        joint = "" if tail[0].islower() else "-"
        part, boxes = head + joint + tail.replace(_HYPHEN, ""), boxes[: len(head) + 1]
    elif mark and head:
        part = head + "-"
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return Word(part, min(x0s), min(y0s), max(x1s), max(y1s))


def _sort_out(page: int, frame: Frame, found: Page, text: str, words: list[Word], verdicts: list[int]) -> None:
    """Fills in the visible and the hidden words and the grade."""
    ink: Ink | None = None
    if any(verdicts) or len(words) < FEW_LETTERS:
        ink = (
            read_ink(page, frame)
            if INVISIBLE in verdicts or PALE in verdicts or _letters(words) < FEW_LETTERS
            else None
        )
    layer = ink is not None and _is_ocr_layer(frame, ink, words, verdicts)
    width, height = frame.width, frame.height
    for word, verdict in zip(words, verdicts, strict=True):
        x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
        shown = (
            verdict == SHOWN
            or (verdict == INVISIBLE and layer)
            or (verdict == PALE and ink is not None and ink.behind(x, y))
        )
        (found.words if shown and 0 <= x <= width and 0 <= y <= height else found.hidden).append(word)
    found.grade = "ocr_layer" if layer else _grade(frame, found, text, ink)


def _letters(words: Sequence[Word]) -> int:
    return sum(len(_LETTER.findall(word.text)) for word in words)


def _is_ocr_layer(frame: Frame, ink: Ink, words: list[Word], verdicts: list[int]) -> bool:
    """Invisible text that is most of the text of a page covered by an image is what OCR read from that image."""
    invisible = verdicts.count(INVISIBLE)
    return invisible > len(words) / 2 and invisible > 3 and ink.cover(frame) >= SCAN_COVER


def _grade(frame: Frame, found: Page, text: str, ink: Ink | None) -> str:
    solid = len(text) - len(re.findall(r"\s", text)) if ink or len(_JUNK.findall(text)) else 0
    if solid and len(_JUNK.findall(text)) > JUNK_SHARE * solid:
        return "garbled"
    if ink is None or _letters(found.words) >= FEW_LETTERS:
        return "text"
    if ink.cover(frame) >= SCAN_COVER or (not found.words and ink.paths > MANY_PATHS):
        return "scan"
    return "text" if found.words else "blank"
