"""Opens a PDF and gathers what extraction may look at. Every way a file can be bad becomes a stable code here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pypdfium2
from pypdfium2 import raw

from mcp_pdf.errors import PdfError
from mcp_pdf.page_range import parse_pages
from mcp_pdf.pdf.attachments import find_invoice
from mcp_pdf.pdf.comparison import compare
from mcp_pdf.pdf.forms import read_form
from mcp_pdf.pdf.page import Document, Page
from mcp_pdf.pdf.repair import repaired
from mcp_pdf.pdf.second_opinion import add_words
from mcp_pdf.pdf.text import read_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_MAX_PAGES = 2_000
HEADER_WITHIN = 1_024  # bytes: what readers accept before %PDF-


def read_bytes(source: int | bytes) -> bytes:
    """The whole file behind an open descriptor, whatever its position."""
    if isinstance(source, bytes):
        return source
    size = os.fstat(source).st_size
    parts = []
    offset = 0
    while offset < size and (part := os.pread(source, size - offset, offset)):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def open_pdf(data: bytes, password: str | None = None) -> pypdfium2.PdfDocument:
    """The opened document, to be closed by the caller. Raises PdfError with the reason it cannot be opened."""
    if not data:
        raise PdfError("empty_file", "The file is empty.", "Send a PDF.")
    try:
        return pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as exc:
        refusal = _refusal(data, getattr(exc, "err_code", None), password)
    saved = repaired(data, password) if refusal.code == "damaged_pdf" else None
    if saved is None:
        raise refusal
    return saved


def _refusal(data: bytes, code: int | None, password: str | None) -> PdfError:
    if code == raw.FPDF_ERR_PASSWORD and password:
        return PdfError("wrong_password", "The password does not open this document.", "Send the right password.")
    if code == raw.FPDF_ERR_PASSWORD:
        return PdfError("password_required", "The document is locked by a password.", "Send it as `password`.")
    if code == raw.FPDF_ERR_SECURITY:
        message = "The document is encrypted in a way that cannot be read here."
        return PdfError("unsupported_encryption", message, "Save it without encryption, or with a password.")
    if b"%PDF-" not in data[:HEADER_WITHIN]:
        return PdfError("not_a_pdf", "The file is not a PDF.", "Send a PDF.")
    return PdfError("damaged_pdf", "The PDF is damaged and cannot be opened.", "Send an undamaged copy.")


def load(
    source: int | bytes,
    *,
    pages: str | None = None,
    password: str | None = None,
    max_pages: int = DEFAULT_MAX_PAGES,
) -> Document:
    """The document for extraction: words of the chosen pages, form fields and the e-invoice when there is one."""
    data = read_bytes(source)
    pdf = open_pdf(data, password)
    try:
        count = len(pdf)
        if count > max_pages:
            raise PdfError("too_many_pages", f"The document has {count} pages, more than {max_pages}.", "Split it.")
        found = list(read_pages(pdf, parse_pages(pages, count)))
        add_words(found, lambda: data, password)
        return assemble(pdf, data, found, password=password)
    finally:
        pdf.close()


def assemble(pdf: pypdfium2.PdfDocument, data: bytes, pages: list[Page], *, password: str | None = None) -> Document:
    """The document of pages already read: adds its form, its e-invoice and the warnings."""
    document = Document(pages, len(pdf), warnings=page_warnings(pages))
    document.form, notes = read_form(pdf, data, password)
    document.warnings += notes
    document.invoice, notes = find_invoice(pdf)
    document.warnings += notes
    if document.invoice is not None:
        document.warnings += compare(document.invoice, pages)
    return document


_UNREAD = {
    "scan": ("ocr_unavailable", "The page is a picture without text; its words need OCR, which was not done."),
    "garbled": (
        "ocr_unavailable",
        "The text of the page has no usable characters; its words need OCR, which was not done.",
    ),
    "unreadable": ("page_unreadable", "The page is damaged and cannot be read."),
}


def page_warnings(pages: Sequence[Page]) -> list[dict[str, Any]]:
    """What a reader of these pages should know: hidden text, scans, damage."""
    found: list[dict[str, Any]] = []
    for page in pages:
        if page.needs_ocr or page.grade == "unreadable":
            code, message = _UNREAD[page.grade]
            found.append({"code": code, "page": page.number, "message": message})
        elif page.source == "ocr" and not page.words:
            message = "The page is a picture in which no words could be recognised."
            found.append({"code": "page_unreadable", "page": page.number, "message": message})
        if page.repaired:
            message = "The file is damaged; this is what could be recovered of the page."
            found.append({"code": "page_repaired", "page": page.number, "message": message})
        if page.estimated:
            message = "The page breaks the rules of PDF; its words could be read, their places are estimates."
            found.append({"code": "places_estimated", "page": page.number, "message": message})
        if page.hidden:
            message = (
                f"{len(page.hidden)} words that a person cannot see (invisible, white or off the page) were left out."
            )
            found.append({"code": "hidden_text", "page": page.number, "message": message})
    return found
