"""Each document type on PDFs made here: it is recognised, its fields are read, and its checks are reported."""

from __future__ import annotations

import io
from typing import Any

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from mcp_pdf.extract.concepts import concept_of
from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.report import CHECKS
from mcp_pdf.extract.types import TYPES
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.load import load

ROWS = (
    "Description | Quantity | Unit price | VAT % | Amount",
    "Pressure sensor | 4 | 149.50 | 20% | 598.00",
    "Mounting kit | 2 | 20.00 | 20% | 40.00",
)
ITEMS = [
    {"description": "Pressure sensor", "quantity": 4, "unit_price": "149.50", "amount": "598.00"},
    {"description": "Mounting kit", "quantity": 2, "unit_price": "20.00", "amount": "40.00"},
]
TOTALS = ("Net total: | EUR 638.00", "VAT 20%: | EUR 127.60", "Total: | EUR 765.60", "Currency: | EUR")
MONEY = {"net_total": "638.00", "tax_total": "127.60", "total": "765.60", "currency": "EUR"}

# Type, the lines of a page (cells parted by bars), and what of it must be read.
PAGES: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    (
        "invoice",
        (
            "INVOICE", "Invoice number: | INV-1001", "Invoice date: | 14 May 2024", "Due date: | 13 June 2024",
            "PO number: | PO-77", *ROWS, *TOTALS, "IBAN: | DE89 3704 0044 0532 0130 00", "BIC: | COBADEFFXXX",
        ),
        {"invoice_number": "INV-1001", "issue_date": "2024-05-14", "due_date": "2024-06-13",
         "purchase_order_number": "PO-77", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX",
         "line_items": ITEMS, **MONEY},
    ),
    (
        "credit_note",
        ("CREDIT NOTE", "Credit note number: | CN-5", "Credit note date: | 14 May 2024", *ROWS, *TOTALS),
        {"invoice_number": "CN-5", "issue_date": "2024-05-14", "line_items": ITEMS, **MONEY},
    ),
    (
        "purchase_order",
        ("PURCHASE ORDER", "Order number: | PO-90155", "Order date: | 2 March 2026", *ROWS, *TOTALS),
        {"order_number": "PO-90155", "issue_date": "2026-03-02", "line_items": ITEMS, **MONEY},
    ),
    (
        "receipt",
        (
            "CORNER BAKERY LTD", "12 Market Street", "Receipt No: | 004417", "Date: | 02/11/2026",
            "Subtotal | 16.25", "VAT 13.5% | 2.19", "TOTAL EUR | 18.44", "Cash | 20.00", "Change | 1.56",
        ),
        {"merchant_name": "CORNER BAKERY LTD", "total": "18.44"},
    ),
    (
        "bill_of_lading",
        (
            "BILL OF LADING", "Bill of Lading No.: | MEDU4471029", "Booking No.: | BK-551", "Vessel: | MV Aurora Bay",
            "Voyage No.: | 418E", "Port of Loading: | Hamburg", "Port of Discharge: | Singapore",
            "Place of Receipt: | Berlin", "Place of Delivery: | Jurong", "Container No.: | MSKU3056383",
            "Seal No.: | SL-9981", "Gross Weight: | 12,640 kg", "Number of Packages: | 48",
            "Date of Issue: | 19 June 2026",
        ),
        {"bol_number": "MEDU4471029", "booking_number": "BK-551", "vessel": "MV Aurora Bay", "voyage_number": "418E",
         "port_of_loading": "Hamburg", "port_of_discharge": "Singapore", "place_of_receipt": "Berlin",
         "place_of_delivery": "Jurong", "container_number": "MSKU3056383", "seal_number": "SL-9981",
         "gross_weight": 12640, "package_count": 48, "issue_date": "2026-06-19"},
    ),
    (
        "air_waybill",
        (
            "AIR WAYBILL", "Air waybill number: | 176-12345675", "Airport of Departure: | Frankfurt",
            "Airport of Destination: | Dubai", "Flight No.: | EK046", "Gross Weight: | 310 kg",
            "No. of Pieces: | 12", "Date of Issue: | 3 April 2025",
        ),
        {"awb_number": "176-12345675", "airport_of_departure": "Frankfurt", "airport_of_destination": "Dubai",
         "flight_number": "EK046", "gross_weight": 310, "package_count": 12, "issue_date": "2025-04-03"},
    ),
    (
        "packing_list",
        (
            "PACKING LIST", "Packing list number: | PL-77", "Invoice number: | INV-1001", "Date: | 14 May 2024",
            "Marks | Description of Goods | Qty | Cartons", "CTN 1 | Steel bracket | 24 | 2", "CTN 3 | Cable | 100 | 1",
            "Gross weight: | 14.5 kg", "Net weight: | 12 kg", "Number of packages: | 3",
        ),
        {"packing_list_number": "PL-77", "invoice_number": "INV-1001", "issue_date": "2024-05-14",
         "gross_weight": 14.5, "net_weight": 12, "package_count": 3,
         "line_items": [
             {"description": "Steel bracket", "quantity": 24, "unit_price": None, "amount": None},
             {"description": "Cable", "quantity": 100, "unit_price": None, "amount": None},
         ]},
    ),
    (
        "customs_declaration",
        (
            "EXPORT DECLARATION", "MRN: | 24DE485105123456E7", "Date of declaration: | 14 May 2024",
            "Declarant: | Zoll Service GmbH", "Customs office: | DE004851", "Commodity code: | 84713000",
            "Country of origin: | Germany", "Gross mass: | 14.5 kg", "Net mass: | 12 kg",
            "Number of packages: | 3",
        ),
        {"mrn": "24DE485105123456E7", "declarant": "Zoll Service GmbH",
         "country_of_origin": "Germany", "hs_code": "84713000", "gross_weight": 14.5,
         "net_weight": 12, "package_count": 3},
    ),
    (
        "advertising_order",
        (
            "BROADCAST ORDER", "Contract number: | 551-2", "Advertiser: | Citizens for Parks",
            "Agency: | Blue Media LLC", "Station: | WXYZ", "Flight dates: | 05/01/2024 - 05/14/2024",
            "Gross amount: | $5,000.00",
        ),
        {"contract_number": "551-2", "advertiser": "Citizens for Parks"},
    ),
    (
        "contract",
        (
            "NON-DISCLOSURE AGREEMENT",
            "This Agreement is made as of May 3, 2015 by and between Alpha Software, Inc.,",
            'a Delaware corporation ("Alpha"), and Beta Holding LLC ("Beta").',
            "The term of this Agreement is two (2) years; it is governed by the laws of the State",
            "of New York.",
        ),
        {"parties": ["Alpha Software, Inc.", "Beta Holding LLC"], "effective_date": "2015-05-03",
         "jurisdiction": "New York", "term": "2 years"},
    ),
    (
        "bank_statement",
        (
            "BANK STATEMENT", "Account holder: | Mara Jensen", "Account number: | 55512345",
            "IBAN: | DE89 3704 0044 0532 0130 00", "Statement date: | 31 May 2024",
            "Period from: | 1 May 2024", "Period to: | 31 May 2024", "Opening balance: | EUR 1,000.00",
            "Closing balance: | EUR 1,250.40", "Currency: | EUR",
        ),
        {"account_holder": "Mara Jensen", "account_number": "55512345", "iban": "DE89370400440532013000",
         "statement_date": "2024-05-31", "period_from": "2024-05-01", "period_to": "2024-05-31",
         "opening_balance": "1000.00", "closing_balance": "1250.40", "currency": "EUR"},
    ),
    (
        "resume",
        (
            "Mara Jensen", "CURRICULUM VITAE", "Email: | mara.jensen@example.com", "Phone: | +49 30 5550 1234",
            "WORK EXPERIENCE", "2019-2024 Engineer", "EDUCATION",
        ),
        {"email": "mara.jensen@example.com"},
    ),
    (
        "generic_form",
        ("APPLICATION FORM", "Name: | Mara Jensen", "Date: | 14 May 2024", "Email: | mara.jensen@example.com"),
        {"full_name": "Mara Jensen", "date": "2024-05-14", "email": "mara.jensen@example.com"},
    ),
]  # fmt: skip


def made(lines: tuple[str, ...]) -> bytes:
    """A PDF of these lines; cells go to fixed places."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4, invariant=1)
    for at, line in enumerate(lines):
        canvas.setFont("Helvetica-Bold" if line.isupper() else "Helvetica", 14 if line.isupper() else 10)
        for x, cell in zip((50, 200, 300, 390, 470), line.split(" | "), strict=False):
            canvas.drawString(x, 780 - 22 * at, cell)
    canvas.save()
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "lines", "expected"), PAGES, ids=[kind for kind, _, _ in PAGES])
def test_a_document_of_each_type_is_recognised_and_read(
    kind: str, lines: tuple[str, ...], expected: dict[str, Any]
) -> None:
    result = extract(load(made(lines)), Wish())
    assert result["document"]["document_type"] == kind
    assert {name: result["values"][name] for name in expected} == expected


def test_every_type_has_a_page_here() -> None:
    assert {kind for kind, _, _ in PAGES} == set(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_the_parts_of_a_type_exist(kind: str) -> None:
    assert set(TYPES[kind].checks) <= set(CHECKS)
    unknown = [f.name for f in TYPES[kind].fields if f.type not in ("items", "namelist") and concept_of(f) is None]
    assert unknown == []


@pytest.mark.parametrize(
    ("kind", "changed", "check"),
    [
        ("invoice", ("Total: | EUR 765.60", "Total: | EUR 999.00"), "net_plus_tax_is_total"),
        ("invoice", ("Due date: | 13 June 2024", "Due date: | 13 June 2023"), "due_not_before_issue"),
        ("invoice", ("Currency: | EUR", "Currency: | USD"), "currency_agrees"),
        ("invoice", (ROWS[2], "Mounting kit | 2 | 21.00 | 20% | 42.00"), "lines_add_up_to_net"),
        ("invoice", (ROWS[2], "Mounting kit | 2 | 20.00 | 10% | 40.00"), "tax_by_rate_is_tax_total"),
        ("packing_list", ("Net weight: | 12 kg", "Net weight: | 19 kg"), "gross_not_below_net"),
        ("bank_statement", ("Period to: | 31 May 2024", "Period to: | 30 April 2024"), "period_in_order"),
    ],
)  # fmt: skip
def test_a_check_passes_on_a_sound_document_and_fails_on_a_changed_one(
    kind: str, changed: tuple[str, str], check: str
) -> None:
    lines = next(lines for name, lines, _ in PAGES if name == kind)
    assert changed[0] in lines
    assert verdict(lines, check) is True
    assert verdict(tuple(changed[1] if line == changed[0] else line for line in lines), check) is False


def verdict(lines: tuple[str, ...], check: str) -> bool | None:
    """What a check says of a document of these lines; None when it is silent."""
    return next((c["passed"] for c in extract(load(made(lines)), Wish())["checks"] if c["name"] == check), None)


@pytest.mark.parametrize(("carried", "passed"), [("598.00", True), ("589.00", False)])
def test_a_sum_carried_to_the_next_page_is_compared(carried: str, passed: bool) -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4, invariant=1)
    pages = (
        ("INVOICE", "Invoice number: | INV-1001", *ROWS[:2], "Carried forward | | | | 598.00"),
        (f"Brought forward | | | | {carried}", *ROWS[2:], "Net total: | | | | 638.00"),
    )
    for lines in pages:
        for at, line in enumerate(lines):
            for x, cell in zip((50, 200, 300, 390, 470), line.split(" | "), strict=False):
                canvas.drawString(x, 780 - 22 * at, cell.strip())
        canvas.showPage()
    canvas.save()
    checks = extract(load(stream.getvalue()), Wish())["checks"]
    assert [c["passed"] for c in checks if c["name"] == "carried_total_is_brought_forward"] == [passed]
