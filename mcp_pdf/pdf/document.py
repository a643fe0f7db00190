"""What a document says about itself: pages, sizes, outline, metadata, XMP, fonts, encryption, signatures.

Everything comes from PDFium except XMP and the fonts, which pypdf reads; each part has a cap, and where it cuts the
answer says `truncated`. A part that is broken is left out; the rest stands.
"""

from __future__ import annotations

import ctypes
import re
from typing import TYPE_CHECKING, Any, Final

from pypdf.generic import DictionaryObject, IndirectObject
from pypdfium2 import raw

from mcp_pdf.pdf import pdfium, xml
from mcp_pdf.pdf.attachments import list_attachments
from mcp_pdf.pdf.forms import BROKEN, PATIENCE_S, open_reader
from mcp_pdf.pdf.patience import OutOfPatience, patience
from mcp_pdf.pdf.text import read_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pypdfium2
    from pypdf import PdfReader

MAX_OUTLINE: Final = 5_000
MAX_OUTLINE_DEPTH: Final = 64
MAX_SIZES: Final = 2_000
MAX_GRADED: Final = 20
MAX_FONT_PAGES: Final = 20
MAX_FONTS: Final = 200
MAX_TEXT: Final = 2_000
MAX_XMP_BYTES: Final = 1024 * 1024
_METADATA: Final = ("Title", "Author", "Subject", "Keywords", "Creator", "Producer", "CreationDate", "ModDate")
_PERMISSIONS: Final = {
    "print": 1 << 2, "modify": 1 << 3, "copy": 1 << 4, "annotate": 1 << 5, "fill_forms": 1 << 8,
    "extract_for_accessibility": 1 << 9, "assemble": 1 << 10, "print_high_quality": 1 << 11,
}  # fmt: skip
_FORMS: Final = {raw.FORMTYPE_ACRO_FORM: "acroform", raw.FORMTYPE_XFA_FULL: "xfa", raw.FORMTYPE_XFA_FOREGROUND: "xfa"}


def read_info(pdf: pypdfium2.PdfDocument, data: bytes, password: str | None = None) -> dict[str, Any]:
    """The answer of `get_document_info`, without id and hash."""
    count = len(pdf)
    graded = list(read_pages(pdf, range(1, min(count, MAX_GRADED) + 1)))
    outline, outline_cut = _outline(pdf)
    attachments, attachments_cut = list_attachments(pdf)
    info: dict[str, Any] = {
        "pages": count,
        "page_sizes": _sizes(pdf, min(count, MAX_SIZES)),
        "page_grades": {str(page.number): page.grade for page in graded},
        "pdf_version": _version(pdf),
        "metadata": _metadata(pdf),
        "encryption": _encryption(pdf),
        "signatures": max(raw.FPDF_GetSignatureCount(pdf.raw), 0),
        "form": _FORMS.get(raw.FPDF_GetFormType(pdf.raw)),
        "tagged": bool(raw.FPDFCatalog_IsTagged(pdf.raw)),
        "language": guess_language(" ".join(word.text for page in graded for word in page.words[:600])),
        "outline": outline,
        "attachments": attachments,
        "truncated": outline_cut or attachments_cut or count > MAX_SIZES,
    }
    try:
        with patience(PATIENCE_S):
            reader = open_reader(data, password)
            info["xmp"] = _xmp(reader)
            info["fonts"] = _fonts(reader)
    except OutOfPatience:
        info["truncated"] = True
    except BROKEN:
        pass
    return {"fonts": [], "xmp": {}} | info


def _sizes(pdf: pypdfium2.PdfDocument, count: int) -> list[dict[str, Any]]:
    """Sizes in points, one entry for each stretch of pages alike."""
    stretches: list[dict[str, Any]] = []
    for index in range(count):
        size = _size(pdf, index)
        if not stretches or stretches[-1]["size"] != size:
            stretches.append({"first": index + 1, "last": index + 1, "size": size})
        stretches[-1]["last"] = index + 1
    return stretches


def _size(pdf: pypdfium2.PdfDocument, index: int) -> list[float]:
    size = raw.FS_SIZEF()
    if not raw.FPDF_GetPageSizeByIndexF(pdf.raw, index, size):
        return [0.0, 0.0]
    return [round(size.width, 2), round(size.height, 2)]


def _version(pdf: pypdfium2.PdfDocument) -> str | None:
    version = ctypes.c_int()
    if not raw.FPDF_GetFileVersion(pdf.raw, version):
        return None
    return f"{version.value // 10}.{version.value % 10}"


def _metadata(pdf: pypdfium2.PdfDocument) -> dict[str, str]:
    found = {}
    for name in _METADATA:
        value = pdfium.utf16(raw.FPDF_GetMetaText, pdf.raw, name.encode())
        value = re.sub(r"[\x00-\x1f\x7f]+", " ", value).strip()[:MAX_TEXT]
        if value:
            found[name] = value
    return found


def _encryption(pdf: pypdfium2.PdfDocument) -> dict[str, Any] | None:
    revision = raw.FPDF_GetSecurityHandlerRevision(pdf.raw)
    if revision < 0:
        return None
    bits = raw.FPDF_GetDocPermissions(pdf.raw)
    return {"revision": revision, "permissions": {name: bool(bits & bit) for name, bit in _PERMISSIONS.items()}}


def _outline(pdf: pypdfium2.PdfDocument) -> tuple[list[dict[str, Any]], bool]:
    """Titles with level and page, in order; a bookmark met twice ends its branch."""
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    stack = [(raw.FPDFBookmark_GetFirstChild(pdf.raw, None), 0)]
    cut = False
    while stack:
        mark, level = stack.pop()
        address = ctypes.cast(mark, ctypes.c_void_p).value
        if not address:
            continue
        if address in seen or len(found) >= MAX_OUTLINE or level > MAX_OUTLINE_DEPTH:
            cut = True
            continue
        seen.add(address)
        title = pdfium.utf16(raw.FPDFBookmark_GetTitle, mark)[:500]
        target = raw.FPDFBookmark_GetDest(pdf.raw, mark)
        page = raw.FPDFDest_GetDestPageIndex(pdf.raw, target) if target else -1
        found.append({"title": title, "level": level, "page": page + 1 if page >= 0 else None})
        stack.append((raw.FPDFBookmark_GetNextSibling(pdf.raw, mark), level))
        stack.append((raw.FPDFBookmark_GetFirstChild(pdf.raw, mark), level + 1))
    return found, cut


def _fonts(reader: PdfReader) -> list[dict[str, Any]]:
    """Name, kind and whether the font travels in the file, over the first pages."""
    found: dict[str, dict[str, Any]] = {}
    for index in range(min(len(reader.pages), MAX_FONT_PAGES)):
        for font in _page_fonts(reader, index):
            name = str(font.get("/BaseFont", "")).lstrip("/")[:200] or "unnamed"
            if len(found) < MAX_FONTS:
                kind = str(font.get("/Subtype", "")).lstrip("/")[:40]
                found.setdefault(name, {"name": name, "kind": kind, "embedded": _is_embedded(font)})
    return list(found.values())


def _page_fonts(reader: PdfReader, index: int) -> Iterator[DictionaryObject]:
    resources = _resolved(reader.pages[index].get("/Resources"))
    fonts = _resolved(resources.get("/Font")) if isinstance(resources, DictionaryObject) else None
    if isinstance(fonts, DictionaryObject):
        for item in list(fonts.values())[:MAX_FONTS]:
            font = _resolved(item)
            if isinstance(font, DictionaryObject):
                yield font


def _is_embedded(font: DictionaryObject) -> bool:
    inner = _resolved(font.get("/DescendantFonts"))
    if isinstance(inner, list) and inner:
        font = _resolved(inner[0])
    descriptor = _resolved(font.get("/FontDescriptor")) if isinstance(font, DictionaryObject) else None
    return isinstance(descriptor, DictionaryObject) and any(
        name in descriptor for name in ("/FontFile", "/FontFile2", "/FontFile3")
    )


def _resolved(item: Any) -> Any:
    return item.get_object() if isinstance(item, IndirectObject) else item


def _xmp(reader: PdfReader) -> dict[str, str]:
    """Simple properties of the metadata stream by local name."""
    stream = _resolved(reader.root_object.get("/Metadata"))
    content = stream.get_data() if stream is not None else b""
    if not content or len(content) > MAX_XMP_BYTES:
        return {}
    try:
        root = xml.parse(content)
    except xml.RefusedXml:
        return {}
    found: dict[str, str] = {}
    for node in root.iter():
        name, value = xml.local_name(node), " ".join((node.text or "").split())[:MAX_TEXT]
        if name == "li" and node.getparent() is not None and node.getparent().getparent() is not None:
            name = xml.local_name(node.getparent().getparent())
        if name and value and len(found) < MAX_FONTS:
            found.setdefault(name, value)
        for key, attribute in node.attrib.items():
            if len(found) < MAX_FONTS and str(key).startswith("{") and "rdf-syntax" not in str(key):
                found.setdefault(str(key).rpartition("}")[2], str(attribute)[:MAX_TEXT])
    return found


_COMMON: Final = {
    "en": "the and of to in for is this with on by your date please amount",
    "de": "der die das und ist für mit von auf den nicht wir bitte betrag datum",
    "fr": "le la les des et pour est une dans avec vous sur montant votre",
    "es": "el los las para que con una por fecha su importe del se",
    "it": "il di che per con una del della sono importo data nel alla",
    "nl": "de het een van en voor met op bedrag datum niet wij te",
    "pt": "o os para que com uma do da dos valor não data em",
    "pl": "i w na z do nie dla oraz kwota numer data się nr",
    "tr": "ve bir bu için ile tarih tutar numarası adet toplam",
    "no": "og av til er som det på ikke beløp dato ikke vi",
    "sv": "och av till är som det på inte belopp datum vi att",
    "da": "og af til er som det på ikke beløb dato vi at",
    "cs": "a na v se pro je celkem datum číslo částka nebo",
}


def guess_language(text: str) -> str | None:
    """The language whose commonest words occur most; None when too few do, or two are as good."""
    words = re.findall(r"[^\W\d_]+", text.casefold())[:5_000]
    counts = {language: sum(word in set_ for word in words) for language, set_ in _COMMON_SETS.items()}
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    (best, most), (_, next_most) = ranked[0], ranked[1]
    return best if most >= 3 and most > next_most else None


_COMMON_SETS: Final = {language: frozenset(words.split()) for language, words in _COMMON.items()}
