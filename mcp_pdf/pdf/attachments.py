"""Files inside a PDF: listed under safe names, read with a cap. PDFium decodes them; pypdf is not needed."""

from __future__ import annotations

import ctypes
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from pypdfium2 import raw

from mcp_pdf.errors import PdfError
from mcp_pdf.pdf import pdfium
from mcp_pdf.pdf.einvoice import Invoice, RefusedXml, parse_invoice

if TYPE_CHECKING:
    import pypdfium2

MAX_ATTACHMENTS: Final = 1_000
MAX_BYTES: Final = 20 * 1024 * 1024
MAX_NAME: Final = 120
MAX_INVOICE_BYTES: Final = 5 * 1024 * 1024
_INVOICE_NAMES: Final = ("factur-x", "zugferd", "xrechnung", "order-x", "cii", "ubl", "invoice")


def safe_name(name: str, index: int) -> str:
    """A plain file name: no directories, control or direction characters, no leading dot, MAX_NAME characters."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C" and char not in '<>:"|?*')
    kept = kept.strip().lstrip(".-~ ")
    if len(kept) > MAX_NAME:
        stem, dot, suffix = kept.rpartition(".")
        kept = f"{stem[: MAX_NAME - 13]}.{suffix[:12]}" if dot and stem else kept[:MAX_NAME]
    return kept or f"attachment-{index + 1}"


def list_attachments(pdf: pypdfium2.PdfDocument) -> tuple[list[dict[str, Any]], bool]:
    """Index, safe name, media type and size of each attachment, and whether there are more. A broken one says so."""
    total = max(raw.FPDFDoc_GetAttachmentCount(pdf.raw), 0)
    names: set[str] = set()
    found = []
    for index in range(min(total, MAX_ATTACHMENTS)):
        item = raw.FPDFDoc_GetAttachment(pdf.raw, index)
        name = _unique(safe_name(_name(item), index), names)
        size = _size(item)
        found.append({"index": index, "name": name, "media_type": _media_type(item), "size_bytes": size})
    return found, total > MAX_ATTACHMENTS


def read_attachment(pdf: pypdfium2.PdfDocument, index: int, max_bytes: int = MAX_BYTES) -> bytes:
    """The decoded bytes. Raises PdfError: not_found, too_large, damaged_pdf."""
    if not 0 <= index < max(raw.FPDFDoc_GetAttachmentCount(pdf.raw), 0):
        raise PdfError("not_found", f"The document has no attachment {index}.", "Attachments count from 0.")
    item = raw.FPDFDoc_GetAttachment(pdf.raw, index)
    size = _size(item)
    if size is None:
        raise PdfError("damaged_pdf", "The attachment cannot be decoded.")
    if size > max_bytes:
        raise PdfError("too_large", f"The attachment has {size} bytes; at most {max_bytes} are handed out.")
    return _bytes(item, size)


def find_invoice(pdf: pypdfium2.PdfDocument) -> tuple[Invoice | None, list[dict[str, Any]]]:
    """The electronic invoice among the attachments, the likeliest name first, and warnings."""
    total = min(max(raw.FPDFDoc_GetAttachmentCount(pdf.raw), 0), MAX_ATTACHMENTS)
    warnings: list[dict[str, Any]] = []
    named = [(raw.FPDFDoc_GetAttachment(pdf.raw, index), index) for index in range(total)]
    candidates = [(_rank(_name(item)), index, item) for item, index in named]
    for rank, _index, item in sorted(candidates, key=lambda entry: entry[:2])[:10]:
        if rank is _NEVER:
            break
        size = _size(item)
        if not size or size > MAX_INVOICE_BYTES:
            continue
        try:
            invoice = parse_invoice(_bytes(item, size))
        except RefusedXml as exc:
            message = f"An attached XML file was not read: it is {exc}."
            warnings.append({"code": "attachment_refused", "message": message})
            continue
        if invoice is not None:
            return invoice, warnings
    return None, warnings


_NEVER: Final = 99


def _rank(name: str) -> int:
    lowered = name.casefold()
    if not lowered.endswith(".xml"):
        return _NEVER
    return next((rank for rank, known in enumerate(_INVOICE_NAMES) if known in lowered), len(_INVOICE_NAMES))


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, suffix = name.rpartition(".")
    unique, count = name, 1
    while unique.casefold() in taken:
        count += 1
        unique = f"{stem}-{count}.{suffix}" if dot and stem else f"{name}-{count}"
    taken.add(unique.casefold())
    return unique


def _name(item: Any) -> str:
    return pdfium.utf16(raw.FPDFAttachment_GetName, item)


def _media_type(item: Any) -> str:
    return pdfium.utf16(raw.FPDFAttachment_GetSubtype, item)[:100] or "application/octet-stream"


def _size(item: Any) -> int | None:
    """The decoded size; None when the stream is missing or broken."""
    needed = ctypes.c_ulong()
    if not item or not raw.FPDFAttachment_GetFile(item, None, 0, needed):
        return None
    return needed.value


def _bytes(item: Any, size: int) -> bytes:
    buffer = ctypes.create_string_buffer(max(size, 1))
    written = ctypes.c_ulong()
    raw.FPDFAttachment_GetFile(item, buffer, size, written)
    return buffer.raw[:size]
