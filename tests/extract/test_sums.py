"""Sums of a document: grids of labels, item rows, several tax rates, numbers with a series."""

from typing import Any

from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.page import Document
from tests.extract.placed import page


def _values(*texts: tuple[float, float, str], fields: str) -> dict[str, Any]:
    wish = Wish.parse({"fields": fields.split()})
    values: dict[str, Any] = extract(Document([page(*texts)], 1), wish)["values"]
    return values


def test_the_last_label_of_a_row_of_labels_owns_what_stands_at_the_margin() -> None:
    found = _values(
        (40, 100, "Importo bollo"), (200, 100, "Arr."), (420, 100, "Totale documento"), (560, 112, "56,50"),
        fields="total",
    )  # fmt: skip
    assert found == {"total": "56.50"}


def test_an_amount_inside_an_item_row_is_not_the_total() -> None:
    found = _values(
        (40, 100, "Menge"), (120, 100, "Produkt"), (300, 100, "Preis"), (420, 100, "Gesamtbetrag"),
        (40, 114, "2,00"), (120, 114, "Stuhl"), (300, 114, "80,00"), (420, 114, "160,00"),
        (40, 128, "1,00"), (120, 128, "Tisch"), (300, 128, "411,04"), (420, 128, "411,04"),
        (40, 160, "Summe inkl. USt: 571,04"),
        fields="total",
    )  # fmt: skip
    assert found == {"total": "571.04"}


def test_several_tax_rates_prove_the_total_without_passing_for_the_sums_of_all() -> None:
    found = _values(
        (40, 100, "Kwota netto"), (200, 100, "Kwota podatku"), (400, 100, "Kwota brutto"),
        (40, 114, "1 000,00"), (200, 114, "230,00"), (400, 114, "1 230,00"),
        (40, 128, "500,00"), (200, 128, "40,00"), (400, 128, "540,00"),
        (300, 160, "Kwota należności ogółem: 1 770,00"),
        fields="total",
    )  # fmt: skip
    assert found == {"total": "1770.00"}


def test_a_number_keeps_the_series_before_it() -> None:
    found = _values((40, 100, "Numero documento: FPR 12/24"), fields="invoice_number")
    assert found == {"invoice_number": "FPR 12/24"}


def test_a_label_with_its_own_value_is_no_value_of_another_label() -> None:
    found = _values(
        (40, 100, "Port of discharge"), (40, 112, "Final destination: Auckland"), fields="port_of_discharge"
    )
    assert found == {"port_of_discharge": None}


def test_the_tax_that_is_the_sum_of_the_rates_is_the_tax_of_all() -> None:
    found = _values(
        (40, 100, "VAT"), (200, 100, "VAT amount"), (40, 114, "7%"), (200, 114, "11.20"),
        (40, 128, "19%"), (200, 128, "63.84"), (40, 160, "VAT total"), (200, 160, "75.04"),
        fields="tax_total",
    )  # fmt: skip
    assert found == {"tax_total": "75.04"}


def test_a_percentage_before_its_sign_is_no_amount() -> None:
    assert _values((40, 100, "Hesaplanan KDV(%20) 5.981,25 TL"), fields="tax_total") == {"tax_total": "5981.25"}


def test_a_letter_behind_a_slash_belongs_to_the_number() -> None:
    assert _values((40, 100, "Invoice number: 24-081/B"), fields="invoice_number") == {"invoice_number": "24-081/B"}
