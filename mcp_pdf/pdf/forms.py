"""The fields of an AcroForm: values, types, options, labels, boxes.

PDFium tells at once whether there is a form; only then pypdf walks the field tree, by an explicit stack with caps:
a tree that loops or is deep ends in `form_truncated`.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

import pypdfium2
from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError, PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject
from pypdfium2 import raw

from mcp_pdf.pdf import pdfium
from mcp_pdf.pdf.frame import Frame
from mcp_pdf.pdf.page import FormField
from mcp_pdf.pdf.patience import OutOfPatience, patience

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S: Final = 3.0  # of processor time
MAX_FIELDS: Final = 5_000
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 40
MAX_VALUE: Final = 20_000  # characters
MAX_PAGES: Final = 500  # searched for the widgets
BROKEN: Final = (  # what pypdf raises on damage; each was seen or is documented
    PyPdfError, DependencyError, ValueError, TypeError, LookupError, AttributeError, RecursionError, OSError,
    ArithmeticError, AssertionError, NotImplementedError, zlib.error, struct.error,
)  # fmt: skip
_INHERITED: Final = ("/FT", "/Ff", "/V", "/Opt")
_RADIO, _PUSH = 1 << 15, 1 << 16

Notes = list[dict[str, Any]]
Place = tuple[int, tuple[float, float, float, float]]


def read_form(pdf: pypdfium2.PdfDocument, data: bytes, password: str | None) -> tuple[list[FormField], Notes]:
    """The fields in the order of the form, and warnings; nothing but one call when the document has no form."""
    kind = raw.FPDF_GetFormType(pdf.raw)
    if kind == raw.FORMTYPE_NONE:
        return [], []
    notes: Notes = []
    if kind in (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND):
        message = "The form is made with XFA; only what its AcroForm part holds is read."
        notes.append({"code": "xfa_form", "message": message})
    try:
        with patience(PATIENCE_S):
            reader = open_reader(data, password)
            places = _places(pdf, reader)
            found, cut = _fields(reader, places)
    except (*BROKEN, OutOfPatience):
        notes.append({"code": "form_unreadable", "message": "The form is damaged or endless and was left out."})
        return [], notes
    if cut:
        message = f"The form is too large or its fields loop; the first {len(found)} fields are read."
        notes.append({"code": "form_truncated", "message": message})
    return found, notes


def open_reader(data: bytes, password: str | None) -> PdfReader:
    """The document for pypdf, unlocked. Raises one of BROKEN."""
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted and reader.decrypt(password or "") == PasswordType.NOT_DECRYPTED:
        raise ValueError("locked")
    return reader


def _fields(reader: PdfReader, places: dict[int, Place]) -> tuple[list[FormField], bool]:
    form = _resolved(reader.root_object.get("/AcroForm"))
    roots = _resolved(form.get("/Fields")) if isinstance(form, DictionaryObject) else None
    found: list[FormField] = []
    for node, names, state, widgets in _terminals(roots):
        if len(found) >= MAX_FIELDS:
            return found, True
        if node is None:
            return found, True
        try:
            field = _field(node, names, state, widgets, places)
        except BROKEN:
            continue
        if field is not None:
            found.append(field)
    return found, False


State = dict[str, Any]
Terminal = tuple[DictionaryObject | None, list[str], State, list[Any]]


def _terminals(roots: Any) -> Iterator[Terminal]:
    """Every field with a value of its own, names from the root down, inherited state, and its widgets."""
    stack: list[tuple[Any, list[str], State, int]] = []
    if isinstance(roots, ArrayObject):
        stack = [(item, [], {}, 0) for item in reversed(roots[:MAX_NODES])]
    seen: set[tuple[int, int]] = set()
    visited = 0
    while stack:
        item, names, state, depth = stack.pop()
        visited += 1
        key = (item.idnum, item.generation) if isinstance(item, IndirectObject) else None
        if depth > MAX_DEPTH or visited > MAX_NODES or (key and key in seen):
            yield None, [], {}, []
            return
        if key:
            seen.add(key)
        node = _resolved(item)
        if not isinstance(node, DictionaryObject):
            continue
        title = node.get("/T")
        names = [*names, str(title)] if title is not None else names
        state = {**state, **{name: _resolved(node[name]) for name in _INHERITED if name in node}}
        kids = _resolved(node.get("/Kids"))
        kids = kids[:MAX_NODES] if isinstance(kids, ArrayObject) else []
        named = [kid for kid in kids if _has_name(kid)]
        if named:
            stack += [(kid, names, state, depth + 1) for kid in reversed(named)]
        elif names:
            yield node, names, state, list(kids) or [item]


def _has_name(kid: Any) -> bool:
    node = _resolved(kid)
    return isinstance(node, DictionaryObject) and "/T" in node


def _resolved(item: Any) -> Any:
    return item.get_object() if isinstance(item, IndirectObject) else item


def _field(
    node: DictionaryObject, names: list[str], state: State, widgets: list[Any], places: dict[int, Place]
) -> FormField | None:
    kind = _kind(state)
    if kind is None:
        return None
    place = next((places[w.idnum] for w in widgets if isinstance(w, IndirectObject) and w.idnum in places), None)
    options = _options(state.get("/Opt")) if kind == "choice" else _states(widgets)
    label = _resolved(node.get("/TU"))
    return FormField(
        name=".".join(names)[:500],
        kind=kind,
        value=_value(kind, state.get("/V"), widgets),
        label=str(label)[:500] if label else None,
        options=options,
        page=place[0] if place else None,
        box=place[1] if place else None,
    )


def _kind(state: State) -> str | None:
    flags = int(state.get("/Ff") or 0)
    type_ = state.get("/FT")
    if type_ == "/Btn":
        return "button" if flags & _PUSH else "radio" if flags & _RADIO else "checkbox"
    return {"/Tx": "text", "/Ch": "choice", "/Sig": "signature"}.get(str(type_))


def _value(kind: str, value: Any, widgets: list[Any]) -> str | bool | list[str] | None:
    if kind == "button":
        return None
    if kind == "signature":
        return value is not None
    if kind in ("checkbox", "radio"):
        state = str(value or _appearance(widgets) or "/Off").lstrip("/")
        off = state in ("Off", "")
        return not off if kind == "checkbox" else None if off else state
    if isinstance(value, ArrayObject):
        return [_text(_resolved(item)) for item in value[:1_000]]
    return _text(value) or None


def _appearance(widgets: list[Any]) -> Any:
    """The state a box shows when the field itself has no value."""
    shown = (node.get("/AS") for widget in widgets if isinstance(node := _resolved(widget), DictionaryObject))
    return next((state for state in shown if state not in (None, "/Off")), None)


def _text(value: Any) -> str:
    if isinstance(value, StreamObject):
        return value.get_data()[:MAX_VALUE].decode("utf-8", "replace")
    if isinstance(value, bytes):
        return value[:MAX_VALUE].decode("latin-1")
    return "" if value is None else str(value)[:MAX_VALUE].lstrip("/" if str(value).startswith("/") else "")


def _options(found: Any) -> tuple[str, ...]:
    if not isinstance(found, ArrayObject):
        return ()
    pairs = (_resolved(item) for item in found[:1_000])
    return tuple(_text(_resolved(pair[-1]) if isinstance(pair, ArrayObject) and pair else pair) for pair in pairs)


def _states(widgets: list[Any]) -> tuple[str, ...]:
    """What the boxes of a checkbox or radio group can be set to."""
    states: dict[str, None] = {}
    for widget in widgets[:200]:
        node = _resolved(widget)
        looks = _resolved(node.get("/AP")) if isinstance(node, DictionaryObject) else None
        normal = _resolved(looks.get("/N")) if isinstance(looks, DictionaryObject) else None
        if isinstance(normal, DictionaryObject) and not isinstance(normal, StreamObject):
            states.update((str(name).lstrip("/"), None) for name in list(normal)[:50] if name != "/Off")
    return tuple(states)


def _places(pdf: pypdfium2.PdfDocument, reader: PdfReader) -> dict[int, Place]:
    """Page and box of each widget by its object number."""
    found: dict[int, Place] = {}
    document = pdfium.handle(pdf)
    for index in range(min(len(pdf), MAX_PAGES)):
        notes = _resolved(reader.pages[index].get("/Annots"))
        if not isinstance(notes, ArrayObject) or not len(notes):
            continue
        page = pdfium.load_page(document, index)
        if not page:
            continue
        frame = Frame.of(page)
        pdfium.close_page(page)
        for item in notes[:MAX_NODES]:
            node = _resolved(item)
            box = _box(node, frame) if isinstance(node, DictionaryObject) else None
            if box and isinstance(item, IndirectObject):
                found[item.idnum] = (index + 1, box)
    return found


def _box(node: DictionaryObject, frame: Frame) -> tuple[float, float, float, float] | None:
    try:
        x0, y0, x1, y1 = (float(_resolved(number)) for number in _resolved(node.get("/Rect")))
    except (TypeError, ValueError):
        return None
    return frame.box(min(x0, x1), max(y0, y1), max(x0, x1), min(y0, y1))
