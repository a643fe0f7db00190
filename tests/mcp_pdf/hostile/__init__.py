"""Hostile PDFs, made here: for each family the bytes of a file, and what reading it may come to."""

from __future__ import annotations

from tests.mcp_pdf.hostile import bombs, content, files, inside, locks, structure
from tests.mcp_pdf.hostile.objects import GOOD, MARK, Family, deflated, many_pages, page, pdf

__all__ = ["FAMILIES", "GOOD", "MARK", "Family", "deflated", "many_pages", "page", "pdf"]

FAMILIES: dict[str, Family] = (
    files.FAMILIES | locks.FAMILIES | bombs.FAMILIES | structure.FAMILIES | content.FAMILIES | inside.FAMILIES
)
