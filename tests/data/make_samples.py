"""Makes the sample documents that ship in `agent/samples`: `python -m tests.data.make_samples [DIR]`.

All names, addresses and numbers are made up; IBANs and VAT ids carry valid check digits.
"""

from __future__ import annotations

import io
import sys
from decimal import Decimal
from pathlib import Path

from pypdf import PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from tests.data.bills import ENGLISH, FRENCH, GERMAN, Bill
from tests.data.facturx import cii_xml

SAMPLES = Path(__file__).parents[2] / "agent" / "samples"
WIDTH, HEIGHT = A4


def canvas(stream: io.BytesIO, title: str) -> Canvas:
    made = Canvas(stream, pagesize=A4, invariant=1)
    made.setTitle(title)
    made.setAuthor("Document Extraction Agent")
    return made


def lines(page: Canvas, x: float, y: float, texts: tuple[str, ...], *, size: float = 10, step: float = 13) -> float:
    """Writes the texts below each other; returns the y below the last."""
    page.setFont("Helvetica", size)
    for text in texts:
        page.drawString(x, y, text)
        y -= step
    return y


def invoice(bill: Bill) -> bytes:
    stream = io.BytesIO()
    page = canvas(stream, f"{bill.words['title']} {bill.number}")
    words = bill.words
    page.setFont("Helvetica-Bold", 18)
    page.drawString(50, HEIGHT - 60, words["title"])
    lines(page, 50, HEIGHT - 90, bill.seller)
    page.setFont("Helvetica-Bold", 10)
    page.drawString(50, HEIGHT - 165, words["to"])
    lines(page, 50, HEIGHT - 180, bill.buyer)
    facts = (("number", bill.number), ("issued", bill.issued), ("due", bill.due), ("order", bill.order))
    for at, (word, value) in enumerate(facts):
        page.setFont("Helvetica", 10)
        page.drawString(330, HEIGHT - 90 - 15 * at, words[word] + ":")
        page.drawRightString(545, HEIGHT - 90 - 15 * at, value)
    y = table(page, bill, HEIGHT - 270)
    for word, amount in (("net", bill.net), ("tax", bill.tax), ("total", bill.total)):
        page.setFont("Helvetica-Bold" if word == "total" else "Helvetica", 10)
        page.drawString(370, y, words[word])
        page.drawRightString(545, y, bill.money(amount))
        y -= 16
    lines(page, 50, 90, (f"{words['vat']}: {bill.vat_id}", f"{words['iban']}: {bill.iban}"), size=9, step=12)
    page.save()
    return stream.getvalue()


def table(page: Canvas, bill: Bill, y: float) -> float:
    page.setFont("Helvetica-Bold", 9)
    page.drawString(50, y, bill.words["text"])
    for x, word in ((340, "quantity"), (440, "price"), (545, "amount")):
        page.drawRightString(x, y, bill.words[word])
    page.line(50, y - 4, 545, y - 4)
    page.setFont("Helvetica", 9)
    for row in bill.rows:
        y -= 18
        page.drawString(50, y, row.text)
        for x, text in ((340, str(row.quantity)), (440, bill.money(row.price)), (545, bill.money(row.amount))):
            page.drawRightString(x, y, text)
    page.line(50, y - 6, 545, y - 6)
    return y - 28


def with_xml(pdf: bytes, bill: Bill) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    writer.add_attachment("factur-x.xml", cii_xml(bill))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def receipt() -> bytes:
    stream = io.BytesIO()
    page = Canvas(stream, pagesize=(226, 420), invariant=1)
    for at, text in enumerate(("CORNER BAKERY & CAFE", "12 Market Street", "Galway H91 XY27", "Tel: 091 555 0134")):
        page.setFont("Courier-Bold" if at == 0 else "Courier", 9)
        page.drawCentredString(113, 395 - 12 * at, text)
    y = 335.0
    page.setFont("Courier", 9)
    for left, right in (("Receipt No:", "004417"), ("Date:", "02/11/2026 08:41"), ("", "")):
        page.drawString(14, y, left)
        page.drawRightString(212, y, right)
        y -= 13
    for text, amount in (("2 x Flat white", "7.60"), ("1 x Almond croissant", "3.40"), ("1 x Rye loaf", "5.25")):
        page.drawString(14, y, text)
        page.drawRightString(212, y, amount)
        y -= 13
    y -= 8
    for text, amount in (
        ("Subtotal", "16.25"),
        ("VAT 13.5%", "2.19"),
        ("TOTAL EUR", "18.44"),
        ("Cash", "20.00"),
        ("Change", "1.56"),
    ):
        page.drawString(14, y, text)
        page.drawRightString(212, y, amount)
        y -= 13
    page.drawCentredString(113, y - 14, "Thank you!")
    page.save()
    return stream.getvalue()


def bill_of_lading() -> bytes:
    stream = io.BytesIO()
    page = canvas(stream, "Bill of Lading MEDU4471029")
    page.setFont("Helvetica-Bold", 16)
    page.drawString(50, HEIGHT - 60, "BILL OF LADING")
    cells = (
        ("Shipper", ("Northwind Instruments GmbH", "Hafenstrasse 12", "20457 Hamburg, Germany"), 50, 100),
        ("Bill of Lading No.", ("MEDU4471029",), 320, 100),
        ("Consignee", ("Pacific Rim Trading Pte Ltd", "8 Marina View", "Singapore 018960"), 50, 175),
        ("Carrier", ("Meridian Ocean Lines",), 320, 140),
        ("Vessel", ("MV Aurora Bay",), 320, 180),
        ("Voyage No.", ("418E",), 450, 180),
        ("Notify Party", ("Pacific Rim Trading Pte Ltd",), 50, 250),
        ("Port of Loading", ("Hamburg",), 320, 220),
        ("Port of Discharge", ("Singapore",), 450, 220),
        ("Container No.", ("MSKU3056383",), 50, 310),
        ("Number of Packages", ("48",), 200, 310),
        ("Gross Weight", ("12,640 kg",), 340, 310),
        ("Date of Issue", ("2026-06-19",), 470, 310),
    )
    for label, values, x, down in cells:
        page.setFont("Helvetica-Bold", 8)
        page.drawString(x, HEIGHT - down, label)
        lines(page, x, HEIGHT - down - 13, values, step=12)
    page.setFont("Helvetica-Bold", 8)
    page.drawString(50, HEIGHT - 370, "Description of Goods")
    lines(page, 50, HEIGHT - 384, ("48 cartons industrial pressure sensors", "Freight prepaid"))
    page.save()
    return stream.getvalue()


def form() -> bytes:
    """A filled AcroForm: text fields, a choice and a checkbox, each with a tooltip for its label."""
    stream = io.BytesIO()
    page = canvas(stream, "Supplier registration")
    page.setFont("Helvetica-Bold", 16)
    page.drawString(50, HEIGHT - 60, "Supplier registration")
    fields = (
        ("company_name", "Company name", "Atelier du Canal SARL"),
        ("contact_person", "Contact person", "Mireille Fontaine"),
        ("email", "E-mail", "mireille.fontaine@example.com"),
        ("vat_id", "VAT ID", "FR40303265045"),
        ("registration_date", "Registration date", "2026-05-04"),
    )
    y = HEIGHT - 110
    for name, label, value in fields:
        lines(page, 50, y + 5, (label,))
        page.acroForm.textfield(name=name, tooltip=label, value=value, x=200, y=y, width=260, height=18, fontSize=10)
        y -= 32
    lines(page, 50, y + 5, ("Country",))
    page.acroForm.choice(
        name="country",
        tooltip="Country",
        value="France",
        options=["Germany", "France", "Italy"],
        x=200,
        y=y,
        width=160,
        height=18,
        fontSize=10,
    )
    lines(page, 50, y - 27, ("Terms accepted",))
    page.acroForm.checkbox(name="terms_accepted", tooltip="Terms accepted", checked=True, x=200, y=y - 32, size=16)
    page.save()
    return stream.getvalue()


def two_pages() -> bytes:
    """An order whose table goes over the page break, with the header repeated."""
    stream = io.BytesIO()
    page = canvas(stream, "Purchase order PO-90155")
    page.setFont("Helvetica-Bold", 16)
    page.drawString(50, HEIGHT - 60, "PURCHASE ORDER")
    lines(
        page,
        50,
        HEIGHT - 85,
        (
            "Order number: PO-90155",
            "Order date: 2026-03-02",
            "Supplier: Bergmann Werkzeugbau GmbH",
            "Buyer: Blue Harbor Logistics Ltd",
        ),
    )
    total, y = Decimal(0), HEIGHT - 160
    y = order_header(page, y)
    for number in range(1, 61):
        if y < 70:
            page.showPage()
            y = order_header(page, HEIGHT - 60)
        price, quantity = Decimal(number) * Decimal("1.25") + 3, number % 7 + 1
        total += price * quantity
        for x, text in ((50, str(number)), (90, f"Spare part type {number:03d}")):
            page.drawString(x, y, text)
        for x, text in ((340, str(quantity)), (440, f"{price:.2f}"), (545, f"{price * quantity:,.2f}")):
            page.drawRightString(x, y, text)
        y -= 16
    page.setFont("Helvetica-Bold", 9)
    page.drawString(370, y - 10, "Total EUR")
    page.drawRightString(545, y - 10, f"{total:,.2f}")
    page.save()
    return stream.getvalue()


def order_header(page: Canvas, y: float) -> float:
    page.setFont("Helvetica-Bold", 9)
    page.drawString(50, y, "Pos")
    page.drawString(90, y, "Description")
    for x, text in ((340, "Quantity"), (440, "Unit price"), (545, "Amount")):
        page.drawRightString(x, y, text)
    page.line(50, y - 4, 545, y - 4)
    page.setFont("Helvetica", 9)
    return y - 18


def samples() -> dict[str, bytes]:
    return {
        "invoice.pdf": invoice(ENGLISH),
        "invoice_facturx.pdf": with_xml(invoice(ENGLISH), ENGLISH),
        "rechnung.pdf": invoice(GERMAN),
        "facture.pdf": invoice(FRENCH),
        "receipt.pdf": receipt(),
        "bill_of_lading.pdf": bill_of_lading(),
        "supplier_form.pdf": form(),
        "purchase_order.pdf": two_pages(),
    }


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    target.mkdir(parents=True, exist_ok=True)
    for name, content in samples().items():
        (target / name).write_bytes(content)


if __name__ == "__main__":
    main()
