"""The bundled samples as cases of the benchmark's form; the truth is what the samples were made from."""

from __future__ import annotations

from typing import Any

from mcp_pdf.extract.types import TYPES
from tests.data.bills import ENGLISH, FRENCH, GERMAN, Bill

_RECEIPT = {
    "merchant_name": "CORNER BAKERY & CAFE",
    "merchant_address": "12 Market Street, Galway H91 XY27",
    "issue_date": "2026-11-02",
    "total": "18.44",
}
_LADING = {
    "bol_number": "MEDU4471029",
    "shipper_name": "Northwind Instruments GmbH",
    "consignee_name": "Pacific Rim Trading Pte Ltd",
    "notify_party_name": "Pacific Rim Trading Pte Ltd",
    "carrier_name": "Meridian Ocean Lines",
    "vessel": "MV Aurora Bay",
    "voyage_number": "418E",
    "port_of_loading": "Hamburg",
    "port_of_discharge": "Singapore",
    "container_number": "MSKU3056383",
    "gross_weight": 12640,
    "package_count": 48,
    "issue_date": "2026-06-19",
}


def sample_cases() -> list[dict[str, Any]]:
    """Six documents: three invoices in three languages, one of them with its XML too, a receipt, a bill of lading."""
    return [
        _case("invoice.pdf", "invoice", "text", "en", _bill(ENGLISH)),
        _case("invoice_facturx.pdf", "invoice", "with_xml", "en", _bill(ENGLISH)),
        _case("facture.pdf", "invoice", "text", "fr", _bill(FRENCH)),
        _case("rechnung.pdf", "invoice", "text", "de", _bill(GERMAN)),
        _case("receipt.pdf", "receipt", "text", "en", _RECEIPT),
        _case("bill_of_lading.pdf", "bill_of_lading", "text", "en", _LADING),
    ]


def _bill(bill: Bill) -> dict[str, Any]:
    rows = [
        {"description": row.text, "quantity": row.quantity, "unit_price": str(row.price), "amount": str(row.amount)}
        for row in bill.rows
    ]
    return {
        "invoice_number": bill.number,
        "issue_date": bill.iso[0],
        "due_date": bill.iso[1],
        "purchase_order_number": bill.order,
        "seller_name": bill.seller[0],
        "buyer_name": bill.buyer[0],
        "seller_vat_id": bill.vat_id,
        "currency": "EUR",
        "net_total": str(bill.net),
        "tax_total": str(bill.tax),
        "total": str(bill.total),
        "iban": bill.iban,
        "line_items": rows,
    }


def _case(file: str, kind: str, variant: str, language: str, expected: dict[str, Any]) -> dict[str, Any]:
    fields = [
        {"name": field.name, "type": field.type, "description": field.description}
        for field in TYPES[kind].fields
        if field.name in expected
    ]
    return {
        "case_id": file,
        "file": file,
        "family": kind,
        "variant": variant,
        "lang": language,
        "template": file,
        "synthetic": False,
        "fields": fields,
        "expected": expected,
    }
