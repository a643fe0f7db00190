"""What is drawn on a page besides its text: images, filled areas, thin lines; and which text objects cannot be seen."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcp_pdf.pdf import pdfium

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcp_pdf.pdf.frame import Frame

    Box = tuple[float, float, float, float]

MAX_OBJECTS = 30_000
MAX_DEPTH = 4
MAX_RULINGS = 8_000
MAX_AREAS = 200
WHITE = 250  # of 255 in each colour: what a person cannot tell from paper
THIN_PT = 2.5
MIN_RULING_PT = 4.0

SHOWN, INVISIBLE, PALE = 0, 1, 2
_INVISIBLE_MODE = 3

_four = (ctypes.c_uint * 4)()
_colour = [ctypes.addressof(_four) + 4 * i for i in range(4)]


def visibility(objects: Sequence[int]) -> list[int]:
    """SHOWN, INVISIBLE (render mode 3 or fully transparent) or PALE (white) for each text object."""
    known: dict[int, int] = {0: SHOWN}
    result = []
    for text_object in objects:
        verdict = known.get(text_object)
        if verdict is None:
            verdict = known[text_object] = _visibility(text_object)
        result.append(verdict)
    return result


def _visibility(text_object: int) -> int:
    mode = pdfium.render_mode(text_object)
    if mode == _INVISIBLE_MODE:
        return INVISIBLE
    if mode in (0, 4) and pdfium.fill_color(text_object, *_colour):
        if _four[3] == 0:
            return INVISIBLE
        if _four[0] >= WHITE and _four[1] >= WHITE and _four[2] >= WHITE:
            return PALE
    return SHOWN


@dataclass(slots=True)
class Ink:
    """Boxes in display space of what is drawn on one page."""

    images: list[Box] = field(default_factory=list)
    fills: list[Box] = field(default_factory=list)  # areas painted in anything but white
    rulings: list[Box] = field(default_factory=list)  # thin lines and the edges of drawn rectangles
    paths: int = 0

    def cover(self, frame: Frame) -> float:
        """The share of the page under its images: the largest one, or all of them when they do not overlap."""
        page = frame.width * frame.height
        areas = [_area_inside(box, frame) for box in self.images]
        return min(1.0, sum(areas) / page) if areas and page else 0.0

    def behind(self, x: float, y: float) -> bool:
        """True when a dark area or an image lies at this point."""
        return any(x0 <= x <= x1 and y0 <= y <= y1 for boxes in (self.fills, self.images) for x0, y0, x1, y1 in boxes)


def _area_inside(box: Box, frame: Frame) -> float:
    width = min(box[2], frame.width) - max(box[0], 0.0)
    height = min(box[3], frame.height) - max(box[1], 0.0)
    return max(width, 0.0) * max(height, 0.0)


def read_ink(page: int, frame: Frame) -> Ink:
    """Everything drawn on the page, form XObjects included; stops at MAX_OBJECTS."""
    ink = Ink()
    buffer = (ctypes.c_float * 4)()
    places = [ctypes.addressof(buffer) + 4 * i for i in range(4)]
    for kind, item, matrix in _objects(page):
        if not pdfium.object_bounds(item, *places):
            continue
        left, bottom, right, top = _placed(buffer[0], buffer[1], buffer[2], buffer[3], matrix)
        box = frame.box(left, top, right, bottom)
        if kind in (pdfium.IMAGE, pdfium.SHADING):
            ink.images.append(box)
        else:
            ink.paths += 1
            _add_path(ink, item, box)
    ink.images, ink.fills = _largest(ink.images), _largest(ink.fills)
    return ink


def _largest(boxes: list[Box]) -> list[Box]:
    """Each word may be compared with each of these: thousands would take minutes."""
    return sorted(boxes, key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))[:MAX_AREAS]


def _add_path(ink: Ink, path: int, box: Box) -> None:
    fill_mode, stroked = ctypes.c_int(), ctypes.c_int()
    pdfium.path_draw_mode(path, ctypes.addressof(fill_mode), ctypes.addressof(stroked))
    filled = bool(fill_mode.value) and _dark_fill(path)
    x0, y0, x1, y1 = box
    if filled and min(x1 - x0, y1 - y0) > THIN_PT:
        ink.fills.append(box)
    if not (filled or stroked.value) or len(ink.rulings) >= MAX_RULINGS:
        return
    if min(x1 - x0, y1 - y0) <= THIN_PT:
        if max(x1 - x0, y1 - y0) >= MIN_RULING_PT:
            ink.rulings.append(box)
    elif pdfium.path_segments(path) <= 6:  # a rectangle: its four edges
        ink.rulings += [(x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)]


def _dark_fill(path: int) -> bool:
    if not pdfium.fill_color(path, *_colour):
        return False
    return _four[3] > 0 and min(_four[0], _four[1], _four[2]) < WHITE


Matrix = tuple[float, float, float, float, float, float]


def _objects(page: int) -> Iterator[tuple[int, int, Matrix | None]]:
    """Every path, image and shading with the matrix of the forms around it; an explicit stack, never recursion."""
    seen = 0
    stack: list[tuple[int, int, int, Matrix | None]] = [(page, 0, 0, None)]  # holder, next index, depth, matrix
    while stack:
        holder, index, depth, matrix = stack.pop()
        total = pdfium.count_form_objects(holder) if depth else pdfium.count_objects(page)
        get = pdfium.get_form_object if depth else pdfium.get_object
        while index < total and seen < MAX_OBJECTS:
            item = get(holder, index)
            index += 1
            seen += 1
            kind = pdfium.object_type(item) if item else 0
            if kind == pdfium.FORM and depth < MAX_DEPTH:
                stack.append((holder, index, depth, matrix))
                stack.append((item, 0, depth + 1, _combined(_matrix(item), matrix)))
                break
            if kind in (pdfium.PATH, pdfium.IMAGE, pdfium.SHADING):
                yield kind, item, matrix


def _matrix(item: int) -> Matrix:
    values = (ctypes.c_float * 6)(1, 0, 0, 1, 0, 0)
    pdfium.object_matrix(item, ctypes.addressof(values))
    return (values[0], values[1], values[2], values[3], values[4], values[5])


def _combined(inner: Matrix, outer: Matrix | None) -> Matrix:
    if outer is None:
        return inner
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _placed(left: float, bottom: float, right: float, top: float, matrix: Matrix | None) -> Box:
    if matrix is None:
        return (left, bottom, right, top)
    a, b, c, d, e, f = matrix
    xs = [a * x + c * y + e for x in (left, right) for y in (bottom, top)]
    ys = [b * x + d * y + f for x in (left, right) for y in (bottom, top)]
    return (min(xs), min(ys), max(xs), max(ys))
