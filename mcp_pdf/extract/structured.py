"""Values that the file states itself: the embedded e-invoice and the filled form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mcp_pdf.extract import values
from mcp_pdf.extract.folding import tokens
from mcp_pdf.extract.found import Context
from mcp_pdf.extract.wish import Field
from mcp_pdf.pdf.page import FormField

if TYPE_CHECKING:
    from mcp_pdf.pdf.invoice import Invoice, Party

_DIRECT = {
    "invoice_number": "number",
    "order_number": "number",
    "issue_date": "issue_date",
    "due_date": "due_date",
    "delivery_date": "delivery_date",
    "currency": "currency",
    "buyer_reference": "buyer_reference",
    "iban": "payee_iban",
    "bic": "payee_bic",
    "payment_reference": "payment_reference",
    "payment_terms": "payment_terms",
    "net_total": "net_total",
    "tax_total": "tax_total",
    "total": "total",
    "prepaid": "prepaid",
    "amount_due": "amount_due",
    "contract_number": "contract_number",
}
_PARTIES = {"seller": "seller", "buyer": "buyer", "ship_to": "ship_to", "merchant": "seller", "vendor": "seller"}


def from_invoice(invoice: Invoice, concept: str) -> tuple[bool, Any]:
    """Whether the e-invoice speaks of this concept at all, and what it says."""
    if concept == "purchase_order_number":
        if invoice.order_number:
            return True, invoice.order_number
        return True, invoice.number if invoice.kind == "order" else None
    if concept in _DIRECT:
        return True, getattr(invoice, _DIRECT[concept])
    role, _, part = concept.rpartition("_") if "vat_id" not in concept else (concept[:-7], "", "vat_id")
    if role in _PARTIES:
        party = getattr(invoice, _PARTIES[role])
        return (True, _part(party, part)) if party else (True, None)
    return False, None


def _part(party: Party, part: str) -> str | None:
    if part == "address":
        town = " ".join(filter(None, (party.postcode, party.city)))
        return ", ".join(filter(None, (party.street, town, party.country))) or None
    found: str | None = getattr(party, part, None)
    return found


def invoice_rows(invoice: Invoice) -> list[dict[str, Any]]:
    """The lines of the e-invoice as rows."""
    return [
        {
            "description": line.description,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "amount": line.amount,
            "unit": line.unit,
            "tax_rate": line.tax_rate,
            "code": line.article_number,
        }
        for line in invoice.lines
    ]


def from_form(form: list[FormField], field: Field, context: Context) -> tuple[FormField, Any] | None:
    """The filled form field whose name or label is the field's name or description."""
    wanted = {_key(field.name), _key(field.description)} - {""}
    best: tuple[float, FormField] | None = None
    for one in form:
        if one.value in (None, "", []):
            continue
        for text in (one.name, one.name.rpartition(".")[2], one.label or ""):
            key = _key(text)
            exact = key in wanted
            near = bool(key) and any(
                key.startswith(w) or w.startswith(key) for w in wanted if min(len(w), len(key)) > 5
            )
            score = 1.0 if exact else 0.8 if near else 0.0
            if score and (best is None or score > best[0]):
                best = (score, one)
    if best is None:
        return None
    value = best[1].value
    if isinstance(value, bool):
        return (best[1], value) if field.type == "boolean" else None
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return best[1], values.normalise(field.type, text, context)


def _key(text: str) -> str:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"\[\d+\]", "", text))
    return "".join(tokens(plain.replace("_", " ")))
