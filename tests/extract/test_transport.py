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


def test_a_remark_in_brackets_is_no_value_and_the_value_stands_below_it() -> None:
    rows = (
        (40, 100, 'Consignee (negotiable only if consigned "to order" of a named'), (40, 112, "Person or bearer)"),
        (40, 124, "Sunrise Ceramics Ltd"), (40, 136, "20457 Hamburg"),
        (40, 200, "Vessel (see clause 1 + 19)"), (40, 212, "OOCL BRISBANE"),
    )  # fmt: skip
    assert values(*rows, fields="consignee_name vessel") == {
        "consignee_name": "Sunrise Ceramics Ltd",
        "vessel": "OOCL BRISBANE",
    }


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Shipper: Baltic Timber OU, Room 12, 10141 Tallinn", "Baltic Timber OU"),
        ("Shipper: Haitian Co., Ltd., Room 12, Ningbo 315000", "Haitian Co., Ltd."),
        ("Shipper Baltic Timber OU", "Baltic Timber OU"),
        ("Shipper Signature / Date", None),
    ],
)
def test_a_name_ends_where_its_address_begins_and_a_form_is_no_name(line: str, name: str | None) -> None:
    assert values((40, 100, line), fields="shipper_name") == {"shipper_name": name}


def test_an_air_waybill_proves_itself_by_its_last_digit() -> None:
    assert values((40, 60, "020-12345675"), fields="awb_number") == {"awb_number": "020-12345675"}
    assert values((40, 60, "020-12345676"), fields="awb_number") == {"awb_number": None}


def test_a_route_in_words_tells_both_ports() -> None:
    found = values((40, 100, "FROM NINGBO, CHINA TO HAMBURG BY SEA"), fields="port_of_loading port_of_discharge")
    assert found == {"port_of_loading": "NINGBO, CHINA", "port_of_discharge": "HAMBURG"}


def test_packages_are_counted_before_their_kind_unless_two_places_differ() -> None:
    one = (40, 100, "1 container said to contain 143 CARTONS"), (40, 130, "143 cartons shipped")
    assert values(*one, fields="package_count") == {"package_count": 143}
    assert values(*one, (40, 160, "12 pallets"), fields="package_count") == {"package_count": None}


def test_a_drawn_line_parts_cells_however_close() -> None:
    labels = (40, 100, "Vessel"), (120, 100, "Port of loading")
    ruled = page(*labels, (40, 112, "OOCL BRISBANE"), (108, 112, "TALLINN"), rulings=[(106, 90, 106.5, 130)])
    found = extract(Document([ruled], 1), Wish.parse({"fields": ["vessel", "port_of_loading"]}))
    assert found["values"] == {"vessel": "OOCL BRISBANE", "port_of_loading": "TALLINN"}


def test_the_firm_in_the_largest_print_at_the_top_is_the_seller() -> None:
    rows = ((40, 30, "ORION MARINE SUPPLIES LLC"), (40, 60, "PACKING LIST"), (40, 100, "Ship to: Delta Inc."))
    assert values(*rows, fields="seller_name") == {"seller_name": "ORION MARINE SUPPLIES LLC"}
