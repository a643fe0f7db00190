"""Papers of transport: containers, vessels with their voyage, total rows, labels that wrap or share a value."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.page import Document
from tests.extract.placed import Placed, page


def values(*texts: Placed, fields: str) -> dict[str, Any]:
    found: dict[str, Any] = extract(Document([page(*texts)], 1), Wish.parse({"fields": fields.split()}))["values"]
    return found


def test_a_container_is_known_by_its_check_digit_wherever_it_stands() -> None:
    rows = ((40, 100, "B/L No. MSKU7654321"), (40, 200, "1 x 40HC said to contain"), (40, 214, "CSQU 305438-3 sealed"))
    assert values(*rows, fields="container_number") == {"container_number": "CSQU3054383"}


@pytest.mark.parametrize(
    ("printed", "vessel", "voyage"),
    [
        ("EVER GIVEN V.958W", "EVER GIVEN", "958W"),
        ("NORTHERN JUSTICE / 012E", "NORTHERN JUSTICE", "012E"),
        ("OOCL BRISBANE VOY. NO. 77", "OOCL BRISBANE", "77"),
        ("CMA CGM TAGE", "CMA CGM TAGE", None),
    ],
)
def test_vessel_and_voyage_under_one_label_are_parted(printed: str, vessel: str, voyage: str | None) -> None:
    label = (40, 100, "Vessel / Voyage No.")
    assert values(label, (40, 112, printed), fields="vessel") == {"vessel": vessel}
    assert values(label, (40, 112, printed), fields="voyage_number") == {"voyage_number": voyage}


def test_the_total_row_under_a_title_tells_the_weight_of_all() -> None:
    rows = (
        (40, 100, "Description"), (300, 100, "Gross weight"), (40, 120, "Tiles"), (300, 120, "900.50"),
        (40, 132, "Grout"), (300, 132, "99.50"), (40, 150, "TOTAL"), (300, 150, "1000.00"),
    )  # fmt: skip
    assert values(*rows, fields="gross_weight") == {"gross_weight": 1000}
    assert values(*rows[:6], fields="gross_weight") == {"gross_weight": None}


def test_a_label_over_two_lines_owns_the_value_beside_either() -> None:
    upper = ((300, 100, "Vergiler Dahil Toplam"), (450, 100, "35,00"), (300, 111, "Tutar"))
    lower = ((300, 100, "Vergiler Dahil Toplam"), (300, 111, "Tutar"), (450, 111, "35,00"))
    for rows in (upper, lower):
        assert values((40, 40, "FATURA"), *rows, fields="total") == {"total": "35.00"}


def test_the_date_beside_another_papers_number_is_not_this_papers_date() -> None:
    own = (40, 100, "Packing List No. & Date"), (40, 112, "PL-906 dt. 21.01.2023")
    other = (300, 100, "Buyer's Order No. & Date"), (300, 112, "PO/0/77 dt. 01.02.2022")
    assert values(*own, *other, fields="issue_date") == {"issue_date": "2023-01-21"}


def test_a_heading_in_the_middle_owns_whole_lines_to_the_next_such_heading() -> None:
    rows = (
        (250, 100, "TOMADOR DE SERVIÇOS"), (40, 114, "Nome/Razão Social: Clínica Vida"),
        (40, 128, "CPF/CNPJ: 11.222.333/0001-81"), (40, 142, "Município: Campinas"), (268, 142, "UF: SP"),
        (235, 160, "DISCRIMINAÇÃO DOS SERVIÇOS"), (40, 174, "Município: Santos"),
    )  # fmt: skip
    found = values(*rows, fields="buyer_name buyer_vat_id buyer_city")
    assert found == {"buyer_name": "Clínica Vida", "buyer_vat_id": "11.222.333/0001-81", "buyer_city": "Campinas"}
