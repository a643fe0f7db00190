"""PDFium functions called once or more per word, bound so that a call costs as little as ctypes allows.

Handles and buffers go as plain addresses: no pointer objects are made, and the interpreter lock is kept (a worker
has one thread; PDFium is not thread-safe).
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from pypdfium2 import raw

if TYPE_CHECKING:
    import pypdfium2

_POINTER = ctypes.c_void_p
_INT = ctypes.c_int
_FLOAT = ctypes.c_float


def _bind(name: str, result: Any, *arguments: Any) -> Any:
    address = ctypes.cast(getattr(raw, name), ctypes.c_void_p).value
    return ctypes.PYFUNCTYPE(result, *arguments)(address)  # type: ignore[arg-type]  # an address makes a foreign function


load_page = _bind("FPDF_LoadPage", _POINTER, _POINTER, _INT)
close_page = _bind("FPDF_ClosePage", None, _POINTER)
page_width = _bind("FPDF_GetPageWidthF", _FLOAT, _POINTER)
page_height = _bind("FPDF_GetPageHeightF", _FLOAT, _POINTER)
page_box = _bind("FPDF_GetPageBoundingBox", _INT, _POINTER, _POINTER)
page_rotation = _bind("FPDFPage_GetRotation", _INT, _POINTER)
load_text = _bind("FPDFText_LoadPage", _POINTER, _POINTER)
close_text = _bind("FPDFText_ClosePage", None, _POINTER)
count_chars = _bind("FPDFText_CountChars", _INT, _POINTER)
get_text = _bind("FPDFText_GetText", _INT, _POINTER, _INT, _INT, _POINTER)
char_code = _bind("FPDFText_GetUnicode", ctypes.c_uint, _POINTER, _INT)
loose_box = _bind("FPDFText_GetLooseCharBox", _INT, _POINTER, _INT, _POINTER)
text_object = _bind("FPDFText_GetTextObject", _POINTER, _POINTER, _INT)
render_mode = _bind("FPDFTextObj_GetTextRenderMode", _INT, _POINTER)
fill_color = _bind("FPDFPageObj_GetFillColor", _INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER)
count_objects = _bind("FPDFPage_CountObjects", _INT, _POINTER)
get_object = _bind("FPDFPage_GetObject", _POINTER, _POINTER, _INT)
count_form_objects = _bind("FPDFFormObj_CountObjects", _INT, _POINTER)
get_form_object = _bind("FPDFFormObj_GetObject", _POINTER, _POINTER, ctypes.c_ulong)
object_type = _bind("FPDFPageObj_GetType", _INT, _POINTER)
object_bounds = _bind("FPDFPageObj_GetBounds", _INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER)
object_matrix = _bind("FPDFPageObj_GetMatrix", _INT, _POINTER, _POINTER)
path_segments = _bind("FPDFPath_CountSegments", _INT, _POINTER)
path_draw_mode = _bind("FPDFPath_GetDrawMode", _INT, _POINTER, _POINTER, _POINTER)

MAX_UTF16_BYTES = 65_536
TEXT, PATH, IMAGE, SHADING, FORM = 1, 2, 3, 4, 5


def handle(pdf: pypdfium2.PdfDocument) -> int:
    """The address of the open document."""
    return ctypes.cast(pdf.raw, ctypes.c_void_p).value or 0


def utf16(call: Any, *arguments: Any) -> str:
    """The text behind a PDFium call that fills a UTF-16 buffer and answers its size in bytes; cut at 64 KB."""
    size = int(call(*arguments, None, 0))
    if not 2 < size <= MAX_UTF16_BYTES:
        return ""
    buffer = ctypes.create_string_buffer(size + 2)
    kind = call.argtypes[-2]  # some calls take a pointer to shorts, others an untyped one
    call(*arguments, buffer if kind is ctypes.c_void_p else ctypes.cast(buffer, kind), size)
    return buffer.raw[:size].decode("utf-16-le", "replace").split("\0", 1)[0]
