"""Receipts: totals that payment explains, dates with a time, heads of shop and address, lines that a scan tilts."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.ocr import Read, unspaced
from mcp_pdf.pdf.page import Document
from tests.extract.placed import Placed, page


def read(*texts: Placed, fields: str) -> dict[str, Any]:
    return extract(Document([page(*texts)], 1), Wish.parse({"fields": fields.split()}))


def column(*lines: tuple[str, str], y: int = 200) -> list[Placed]:
    """Labels and amounts in two columns, a line each."""
    placed: list[Placed] = []
    for step, (label, amount) in enumerate(lines):
        placed += [(40, y + 14 * step, label), (300, y + 14 * step, amount)]
    return placed


def test_money_given_less_change_tells_which_sum_is_the_total() -> None:
    rows = column(
        ("TOTAL", "48.50"), ("TOTAL AFTER ROUNDING", "49.00"), ("CASH", "50.00"), ("CHANGE", "1.00"), ("TOTAL", "1.00")
    )
    result = read(*rows, fields="total")
    assert result["values"] == {"total": "49.00"}
    assert result["evidence"]["/total"]["checks"]["given_less_change_is_total"] is True


def test_what_charges_and_taxes_below_the_subtotal_add_up_to_is_the_total() -> None:
    rows = column(("SUB TOTAL", "295.00"), ("SERVICE 10%", "29.50"), ("GST", "19.47"), ("XX TOTXL", "343.97"))
    result = read(*rows, (200, 320, "AMOUNT"), (200, 334, "295.00"), fields="total")
    assert result["values"] == {"total": "343.97"}
    assert result["evidence"]["/total"]["checks"] == {"lines_below_subtotal_are_total": True}


def test_a_subtotal_less_its_discount_and_a_deposit_lead_to_the_total_before_the_deposit() -> None:
    rows = column(
        ("Subtotal", "200.00"), ("Discount", "20.00"), ("Shipping", "5.00"), ("Gross", "185.00"),
        ("Deposit", "100.00"), ("Balance due", "85.00"),
    )  # fmt: skip
    assert read(*rows, fields="total")["values"] == {"total": "185.00"}


def test_of_two_totals_a_printed_rounding_apart_the_rounded_one_counts() -> None:
    rows = column(("TOTAL INCL. GST", "100.62"), ("ROUNDING", "-0.02"), ("TOTAL AFTER ROUNDING", "100.60"))
    result = read(*rows, fields="total")
    assert result["values"] == {"total": "100.60"}
    assert result["evidence"]["/total"]["checks"]["rounding_is_right"] is True


def test_a_colon_alone_parts_no_label_from_its_value() -> None:
    assert read((40, 100, "TOTAL"), (200, 100, ":"), (300, 100, "4.90"), fields="total")["values"] == {"total": "4.90"}


def test_the_only_date_with_a_time_is_the_day_of_the_purchase() -> None:
    rows = ((40, 100, "31/10/2030 points lapse"), (40, 120, "18-01-2029 15:44:46"), (40, 140, "30/11/2030 bonus ends"))
    assert read(*rows, fields="issue_date")["values"] == {"issue_date": "2029-01-18"}


def test_a_time_that_touches_its_date_is_parted_from_it() -> None:
    assert read((40, 100, "18-01-201815:44:46"), fields="issue_date")["values"] == {"issue_date": "2018-01-18"}


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (("95 BEACH ROAD", "10300 PENANG", "GSTReg No 000184401920"), "95 BEACH ROAD 10300 PENANG"),
        (("(TONY SHOP (95874))", "UNIT 4, WEST MALL", "93350 KUCHING"), "UNIT 4, WEST MALL 93350 KUCHING"),
        (("JALAN BESAR 5", "47200 SUBANG", "", "ROSH PARTNER"), "JALAN BESAR 5 47200 SUBANG"),
    ],
)
def test_the_address_of_a_shop_holds_no_registration_no_aside_and_nothing_further_down(
    lines: tuple[str, ...], address: str
) -> None:
    placed = [(40.0, 60.0 + 14 * step, text) for step, text in enumerate(lines) if text]
    found = read((40, 46, "CORNER SHOP SDN BHD (126926-H)"), *placed, fields="merchant_name merchant_address")
    assert found["values"] == {"merchant_name": "CORNER SHOP SDN BHD", "merchant_address": address}


def test_a_value_that_a_tilted_scan_lifts_by_a_third_of_a_line_stays_beside_its_label() -> None:
    rows = ((40, 100, "TOTAL :"), (300, 95.6, "100.90"), (40, 112, "CASH :"), (300, 107.6, "101.00"))
    assert read(*rows, fields="total")["values"] == {"total": "100.90"}


def spaced(text: str, width: float = 6, step: float = 8) -> list[Read]:
    return [(char, step * at, 0, step * at + width, 12) for at, char in enumerate(text) if char != " "]


def test_letters_read_one_by_one_are_words_again() -> None:
    words = list(unspaced(spaced("HARBOUR  MOTOR")))
    assert [word[0] for word in words] == ["HARBOUR", "MOTOR"]
    assert (words[0][1], words[0][3]) == (0, 54)


def test_a_few_single_letters_and_characters_of_cjk_stay_as_they_are() -> None:
    line: list[Read] = [("A", 0, 0, 6, 12), ("4", 8, 0, 14, 12), ("paper", 16, 0, 46, 12)]
    assert list(unspaced(line)) == line
    assert len(list(unspaced(spaced("收据收据收据收据")))) == 8
