"""Document types, one module each. A module with a `TYPE` is a type: adding a file adds it everywhere."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from mcp_pdf.extract.document_type import DocumentType

TYPES: dict[str, DocumentType] = {
    found.name: import_module(f"{__name__}.{found.name}").TYPE for found in pkgutil.iter_modules(__path__)
}
