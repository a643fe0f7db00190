"""Documents that take a while to read, each with content of its own, so that no cache answers for them."""

from __future__ import annotations

from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

PAGES = 15
LINES = 40
FIELDS = [{"name": "invoice_number", "type": "id", "description": "Invoice number"}]


def number_of(name: str) -> str:
    """The invoice number that stands in the document of this name."""
    return f"INV-{name.removesuffix('.pdf')}"


def write(path: Path, pages: int = PAGES) -> None:
    page = Canvas(str(path), invariant=1)
    for number in range(1, pages + 1):
        page.drawString(60, 780, f"Invoice number: {number_of(path.name)}" if number == 1 else f"Page {number}")
        for line in range(LINES):
            page.drawString(60, 750 - 16 * line, f"Clause {number}.{line} of {path.stem}: the parties agree on this.")
        page.showPage()
    page.save()


def library(folder: Path, count: int, pages: int = PAGES) -> list[str]:
    """Names of `count` documents, written into `folder`."""
    folder.mkdir()
    names = [f"{index:04}.pdf" for index in range(1, count + 1)]
    for name in names:
        write(folder / name, pages)
    return names
