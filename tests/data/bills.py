"""The bills of the sample documents, each told once: the page and the XML are both made from it.

All names, addresses and numbers are made up; IBANs and VAT ids carry valid check digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Row:
    text: str
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True)
class Bill:
    """One invoice, told once: the page and the XML are both made from it."""

    words: dict[str, str]
    number: str
    issued: str
    due: str
    seller: tuple[str, ...]
    buyer: tuple[str, ...]
    vat_id: str
    iban: str
    rate: Decimal
    rows: tuple[Row, ...]
    money: Callable[[Decimal], str]
    iso: tuple[str, str]  # issue and due date, ISO 8601
    order: str

    @property
    def net(self) -> Decimal:
        return sum((row.amount for row in self.rows), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return (self.net * self.rate / 100).quantize(Decimal("0.01"))

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


def continental(value: Decimal) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".") + " €"


def french(value: Decimal) -> str:
    return f"{value:,.2f}".replace(",", " ").replace(".", ",") + " €"


def english(value: Decimal) -> str:
    return f"€{value:,.2f}"


ENGLISH = Bill(
    words={
        "title": "INVOICE",
        "number": "Invoice number",
        "issued": "Invoice date",
        "due": "Due date",
        "order": "Order number",
        "to": "Bill to",
        "text": "Description",
        "quantity": "Quantity",
        "price": "Unit price",
        "amount": "Amount",
        "net": "Subtotal",
        "tax": "VAT 19%",
        "total": "Total",
        "vat": "VAT ID",
        "iban": "IBAN",
    },
    number="INV-2026-0042",
    issued="14 September 2026",
    due="14 October 2026",
    seller=("Northwind Instruments GmbH", "Hafenstrasse 12", "20457 Hamburg", "Germany"),
    buyer=("Blue Harbor Logistics Ltd", "4 Quay Road", "Dublin D02 X285", "Ireland"),
    vat_id="DE136695976",
    iban="DE89 3704 0044 0532 0130 00",
    rate=Decimal(19),
    rows=(
        Row("Pressure sensor PS-200", 4, Decimal("149.50")),
        Row("Calibration service", 2, Decimal("95.00")),
        Row("Mounting kit", 10, Decimal("21.20")),
    ),
    money=english,
    iso=("2026-09-14", "2026-10-14"),
    order="PO-7781",
)
GERMAN = Bill(
    words={
        "title": "Rechnung",
        "number": "Rechnungsnummer",
        "issued": "Rechnungsdatum",
        "due": "Fällig am",
        "order": "Bestellnummer",
        "to": "Rechnung an",
        "text": "Bezeichnung",
        "quantity": "Menge",
        "price": "Einzelpreis",
        "amount": "Gesamtpreis",
        "net": "Nettobetrag",
        "tax": "Umsatzsteuer 19 %",
        "total": "Gesamtbetrag",
        "vat": "USt-IdNr.",
        "iban": "IBAN",
    },
    number="RE-10293",
    issued="03.08.2026",
    due="02.09.2026",
    seller=("Bergmann Werkzeugbau GmbH", "Industriestraße 7", "70565 Stuttgart", "Deutschland"),
    buyer=("Stadtwerke Lindenau AG", "Am Markt 3", "04177 Leipzig", "Deutschland"),
    vat_id="DE811569869",
    iban="DE02 1203 0000 0000 2020 51",
    rate=Decimal(19),
    rows=(
        Row("Fräskopf 40 mm", 2, Decimal("1240.00")),
        Row("Schneidplatten, Satz", 6, Decimal("84.90")),
        Row("Montage vor Ort", 8, Decimal("78.00")),
    ),
    money=continental,
    iso=("2026-08-03", "2026-09-02"),
    order="B-55210",
)
FRENCH = Bill(
    words={
        "title": "FACTURE",
        "number": "Facture n°",
        "issued": "Date de facture",
        "due": "Date d'échéance",
        "order": "N° de commande",
        "to": "Facturé à",
        "text": "Désignation",
        "quantity": "Qté",
        "price": "Prix unitaire",
        "amount": "Montant HT",
        "net": "Total HT",
        "tax": "TVA 20 %",
        "total": "Total TTC",
        "vat": "N° TVA",
        "iban": "IBAN",
    },
    number="FA-2026-318",
    issued="21/07/2026",
    due="20/08/2026",
    seller=("Atelier du Canal SARL", "18 rue des Tanneurs", "31000 Toulouse", "France"),
    buyer=("Maison Verlaine SAS", "5 avenue de la Gare", "69002 Lyon", "France"),
    vat_id="FR40303265045",
    iban="FR76 3000 6000 0112 3456 7890 189",
    rate=Decimal(20),
    rows=(
        Row("Chaise en chêne", 12, Decimal("118.00")),
        Row("Table basse", 3, Decimal("342.50")),
        Row("Livraison", 1, Decimal("90.00")),
    ),
    money=french,
    iso=("2026-07-21", "2026-08-20"),
    order="CMD-901",
)
