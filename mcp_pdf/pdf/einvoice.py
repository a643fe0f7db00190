"""Electronic invoices and orders: one model from whatever syntax the XML has. Pure: bytes in, Invoice out."""

from __future__ import annotations

from mcp_pdf.pdf import cii, ubl
from mcp_pdf.pdf.comparison import compare
from mcp_pdf.pdf.invoice import Invoice, Line, Party, Tax
from mcp_pdf.pdf.xml import RefusedXml, local_name, parse

__all__ = ["Invoice", "Line", "Party", "RefusedXml", "Tax", "compare", "parse_invoice"]


def parse_invoice(xml: bytes) -> Invoice | None:
    """The invoice or order in the XML, None when it is neither. Raises RefusedXml for XML that must not be read."""
    root = parse(xml)
    name = local_name(root)
    if name in cii.ROOTS:
        return cii.read_cii(root, cii.ROOTS[name])
    if name in ubl.ROOTS and str(root.tag).startswith("{" + ubl.NAMESPACE):
        return ubl.read_ubl(root, ubl.ROOTS[name])
    return None
