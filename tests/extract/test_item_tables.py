"""Rows of item tables and item records, from words alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_pdf.extract.labels import language_files
from mcp_pdf.extract.layout import Layout
from mcp_pdf.extract.line_items import Item, line_items
from tests.extract.placed import Placed, page


def plain(items: list[Item]) -> list[dict[str, str]]:
    """The four usual cells of each row, those that are there."""
    roles = ("description", "quantity", "unit_price", "amount")
    return [{role: item.cells[role].value for role in roles if role in item.cells} for item in items]


def row(description: str, quantity: str, unit_price: str, amount: str) -> dict[str, str]:
    return {"description": description, "quantity": quantity, "unit_price": unit_price, "amount": amount}


HEADER: tuple[Placed, ...] = ((40, 100, "Description"), (250, 100, "Qty"), (320, 100, "Price"), (420, 100, "Amount"))


def test_titles_centred_beside_a_wrapped_one_are_one_header() -> None:
    layout = Layout.of(
        [
            page(
                (500, 100, "Mal"), (40, 105, "Mal Hizmet"), (200, 105, "Miktar"), (300, 100, "Birim"),
                (500, 110, "Hizmet"), (300, 110, "Fiyat"), (500, 120, "Tutarı"),
                (40, 140, "Ahşap masa"), (200, 140, "2 Adet"), (300, 140, "10,50 TL"), (500, 140, "21,00 TL"),
            )
        ]
    )  # fmt: skip
    assert plain(line_items(layout)) == [row("Ahşap masa", "2", "10.50", "21.00")]


def test_numbers_centred_beside_a_wrapped_description_get_all_of_its_lines() -> None:
    lines = [
        (40, 125, "A desk of solid oak with three drawers,"), (40, 135, "brass handles, and a lamp on its top"),
        (250, 130, "2"), (320, 130, "10.00"), (420, 130, "20.00"),
        (40, 155, "Chair"), (250, 155, "1"), (320, 155, "5.00"), (420, 155, "5.00"),
    ]  # fmt: skip
    assert plain(line_items(Layout.of([page(*HEADER, *lines)]))) == [
        row("A desk of solid oak with three drawers, brass handles, and a lamp on its top", "2", "10.00", "20.00"),
        row("Chair", "1", "5.00", "5.00"),
    ]


def test_a_drawn_line_parts_two_rows_where_the_gaps_do_not_tell() -> None:
    lines = [
        (40, 120, "Pen"), (250, 120, "2"), (320, 120, "1.00"), (420, 120, "2.00"),
        (40, 132, "Blotting paper for a very large desk"), (40, 144, "and ink for the blue pen"),
        (250, 144, "3"), (320, 144, "1.00"), (420, 144, "3.00"),
    ]  # fmt: skip
    ruled = Layout.of([page(*HEADER, *lines, rulings=[(30.0, 131.0, 500.0, 131.0)])])
    assert [item["description"] for item in plain(line_items(ruled))] == [
        "Pen",
        "Blotting paper for a very large desk and ink for the blue pen",
    ]


def test_quantity_and_amount_on_two_lines_of_a_row_are_one_row() -> None:
    lines = [
        (40, 120, "Steel coil"), (250, 120, "10 Stk"), (420, 128, "1000.00"), (40, 128, "per: 1"),
        (40, 160, "Bumper"), (250, 160, "5 Stk"), (420, 168, "70.00"), (40, 168, "per: 1"),
    ]  # fmt: skip
    assert plain(line_items(Layout.of([page(*HEADER, *lines)]))) == [
        {"description": "Steel coil", "quantity": "10", "amount": "1000.00"},
        {"description": "Bumper", "quantity": "5", "amount": "70.00"},
    ]


def test_rows_go_on_below_a_table_inside_a_row_when_they_prove_themselves() -> None:
    lines = [
        (40, 120, "ACERO"), (250, 120, "2"), (320, 120, "10.00"), (420, 120, "20.00"),
        (60, 140, "Base"), (120, 140, "Impuesto"), (180, 140, "Importe"), (240, 140, "Tasa"),
        (60, 152, "20.00"), (120, 152, "IVA"), (180, 152, "3.20"), (240, 152, "16%"),
        (40, 172, "ZAMAC"), (250, 172, "3"), (320, 172, "4.00"), (420, 172, "12.00"),
    ]  # fmt: skip
    assert plain(line_items(Layout.of([page(*HEADER, *lines)]))) == [
        row("ACERO", "2", "10.00", "20.00"),
        row("ZAMAC", "3", "4.00", "12.00"),
    ]


def test_the_table_of_a_next_page_goes_on_with_the_rows() -> None:
    first = page(*HEADER, (40, 120, "Pen"), (250, 120, "2"), (320, 120, "1.00"), (420, 120, "2.00"))
    second = page(
        *HEADER, (40, 120, "Ink"), (250, 120, "3"), (320, 120, "2.00"), (420, 120, "6.00"), number=2
    )  # fmt: skip
    items = line_items(Layout.of([first, second]))
    assert plain(items) == [row("Pen", "2", "1.00", "2.00"), row("Ink", "3", "2.00", "6.00")]
    assert items[1].cells["amount"].page == 2


def test_rows_that_spoil_a_printed_sum_are_left_out() -> None:
    lines = [
        (40, 120, "Pen"), (250, 120, "2"), (320, 120, "1.00"), (420, 120, "2.00"),
        (40, 140, "Ink"), (250, 140, "3"), (320, 140, "2.00"), (420, 140, "6.00"),
        (40, 160, "Carried forward text"), (420, 160, "8.00"),
        (330, 180, "Subtotal"), (420, 180, "8.00"),
    ]  # fmt: skip
    items = line_items(Layout.of([page(*HEADER, *lines)]))
    assert [item["description"] for item in plain(items)] == ["Pen", "Ink"]
    assert all(item.summed for item in items)


def test_a_packing_list_has_rows_without_money() -> None:
    layout = Layout.of(
        [
            page(
                (40, 100, "Marks & Nos."), (140, 100, "Description of Goods"), (300, 100, "Qty"), (400, 100, "G.W."),
                (40, 120, "CTN 1-2"), (140, 120, "Steel bracket"), (300, 120, "24"), (400, 120, "14.00"),
                (40, 140, "CTN 3"), (140, 140, "Cable"), (300, 140, "100"), (400, 140, "9.50"),
            )
        ]
    )  # fmt: skip
    assert plain(line_items(layout)) == [
        {"description": "Steel bracket", "quantity": "24"},
        {"description": "Cable", "quantity": "100"},
    ]


@pytest.mark.parametrize("title", ["Stukprijs excl. btw", "Prix unitaire hors taxe", "Unit price incl. VAT"])
def test_a_price_with_or_without_tax_is_one_title(title: str) -> None:
    layout = Layout.of(
        [
            page(
                (40, 100, "Description"), (150, 100, "Qty"), (200, 100, title), (420, 100, "Amount"),
                (40, 120, "Pen"), (150, 120, "2"), (250, 120, "1.50"), (420, 120, "3.00"),
            )
        ]
    )  # fmt: skip
    assert plain(line_items(layout)) == [row("Pen", "2", "1.50", "3.00")]


def test_items_printed_as_blocks_of_labels_are_rows() -> None:
    placed: list[Placed] = []
    for at, (name, quantity, price, amount) in enumerate(
        [
            ("Schrank", "2,00", "100,00", "200,00"),
            ("Montage", "1,00", "50,00", "45,00"),
            ("Kabel", "3", "5,00", "15,00"),
        ]
    ):
        y = 100 + 80 * at
        placed += [
            (40, y, f"Position {at + 1}"),
            (40, y + 12, "Menge:"), (250, y + 12, quantity),
            (40, y + 24, "Preis pro Einheit (netto):"), (250, y + 24, price),
            (40, y + 36, "Gesamtpreis (netto):"), (250, y + 36, amount),
            (40, y + 48, "Bezeichnung:"), (250, y + 48, name),
        ]  # fmt: skip
    items = line_items(Layout.of([page(*placed)]))
    assert plain(items) == [
        row("Schrank", "2.00", "100.00", "200.00"),
        row("Montage", "1.00", "50.00", "45.00"),
        row("Kabel", "3", "5.00", "15.00"),
    ]
    assert [item.proven for item in items] == [True, False, True]


def test_blocks_without_one_proven_product_are_no_items() -> None:
    placed: list[Placed] = [
        (40, 100, "Quantity: 3"),
        (40, 112, "Unit price: 5.00"),
        (40, 124, "Amount: 99.00"),
        (40, 136, "Description: Pens"),
    ]
    assert line_items(Layout.of([page(*placed)])) == []


def test_titles_that_stand_off_their_numbers_are_put_right_by_the_product() -> None:
    lines = [
        (40, 120, "1"), (80, 120, "Office chair with a high back, grey"), (80, 132, "Art.Nr. 077"),
        (260, 132, "24 Stk"), (340, 132, "877,04"), (460, 132, "21.048,96"),
        (40, 150, "2"), (80, 150, "Lamp"), (80, 162, "Art.Nr. 078"),
        (260, 162, "2 Stk"), (340, 162, "10,00"), (460, 162, "20,00"),
    ]  # fmt: skip
    header = (
        (40, 100, "Pos"),
        (80, 100, "Artikel"),
        (200, 100, "Menge"),
        (270, 100, "Preis"),
        (400, 100, "Gesamtpreis"),
    )
    assert plain(line_items(Layout.of([page(*header, *lines)]))) == [
        row("Office chair with a high back, grey", "24", "877.04", "21048.96"),
        row("Lamp", "2", "10.00", "20.00"),
    ]


def test_a_description_that_ends_beside_numbers_at_the_foot_of_its_row_is_whole() -> None:
    lines = [
        (40, 120, "Lamp"), (250, 120, "1"), (320, 120, "5.00"), (420, 120, "5.00"),
        (40, 136, "A desk of solid oak with three deep"), (40, 147, "drawers"),
        (250, 147, "2"), (320, 147, "10.00"), (420, 147, "20.00"),
    ]  # fmt: skip
    assert plain(line_items(Layout.of([page(*HEADER, *lines)]))) == [
        row("Lamp", "1", "5.00", "5.00"),
        row("A desk of solid oak with three deep drawers", "2", "10.00", "20.00"),
    ]


@pytest.mark.parametrize("data", language_files(), ids=[data["language"] for data in language_files()])
def test_every_language_can_head_and_end_an_item_table(data: dict[str, Any]) -> None:
    named = {role: data["columns"][role][0].strip("*") for role in ("description", "quantity", "unit_price", "amount")}
    places = dict(zip(named, (40, 220, 340, 460), strict=True))
    titles = [(places[role], 100, title) for role, title in named.items()]
    cells = [(40, 120, "Pen"), (220, 120, "2"), (340, 120, "1.50"), (460, 120, "3.00")]
    ends = [(40, 140, data["columns"]["end"][0].strip("*").replace("#", "1")), (460, 140, "9.99")]
    assert plain(line_items(Layout.of([page(*titles, *cells, *ends)]))) == [row("Pen", "2", "1.50", "3.00")]


def test_labels_that_wrap_beside_their_values_are_read_in_two_columns_of_blocks() -> None:
    block = [
        (40, 100, "Menge:"), (150, 100, "12"), (300, 100, "Rabatt (netto):"), (420, 100, "0,00"),
        (40, 116, "Preis pro Einheit"), (40, 127, "(netto):"), (150, 121, "20,00"),
        (300, 121, "Anzahl der Einheit:"), (420, 121, "1"),
        (40, 143, "Gesamtpreis"), (40, 154, "(netto):"), (150, 148, "240,00"),
        (40, 170, "Bezeichnung:"), (150, 170, "Schrank"), (300, 170, "Farbe:"), (420, 170, "rot"),
    ]  # fmt: skip
    assert plain(line_items(Layout.of([page(*block)]))) == [row("Schrank", "12", "20.00", "240.00")]


def test_a_lump_sum_printed_as_a_block_of_labels_is_a_row_without_quantity() -> None:
    block = [
        (40, 100, "Nr. linea: 1"), (40, 115, "Descrizione bene/servizio: Consulenza"),
        (40, 130, "Valore unitario: 150.00"), (40, 145, "Valore totale: 150.00"),
    ]  # fmt: skip
    assert plain(line_items(Layout.of([page(*block)]))) == [
        {"description": "Consulenza", "unit_price": "150.00", "amount": "150.00"}
    ]


def test_two_names_of_one_column_are_one_title() -> None:
    layout = Layout.of(
        [
            page(
                (40, 100, "Qty"), (100, 100, "Part Number / Description"), (320, 100, "Price"), (420, 100, "Amount"),
                (40, 120, "3"), (100, 120, "Blue pen"), (320, 120, "2.00"), (420, 120, "6.00"),
            )
        ]
    )  # fmt: skip
    assert plain(line_items(layout)) == [row("Blue pen", "3", "2.00", "6.00")]


def test_a_wider_gap_parts_rows_whose_text_stands_around_their_numbers() -> None:
    placed: list[Placed] = []
    for at, (name, note) in enumerate(
        [("Zinc screw", "Note: for line 1"), ("Oak desk with a lamp and three drawers", "Note: for line 2")]
    ):
        y = 120 + 50 * at
        placed += [
            (40, y, name), (320, y + 2, "EUR"), (40, y + 12, note),
            (250, y + 6, f"{at + 2} PCE"), (320, y + 12, "10.00"), (420, y + 6, f"{at + 2}0.00"),
        ]  # fmt: skip
    assert plain(line_items(Layout.of([page(*HEADER, *placed)]))) == [
        row("Zinc screw", "2", "10.00", "20.00"),
        row("Oak desk with a lamp and three drawers", "3", "10.00", "30.00"),
    ]


def test_numbers_that_count_descriptions_are_no_part_of_them() -> None:
    lines = [
        (40, 120, "1 Blue pen"), (250, 120, "2"), (320, 120, "1.00"), (420, 120, "2.00"),
        (40, 140, "2 Ink"), (250, 140, "3"), (320, 140, "2.00"), (420, 140, "6.00"),
    ]  # fmt: skip
    found = plain(line_items(Layout.of([page(*HEADER, *lines)])))
    assert [item["description"] for item in found] == ["Blue pen", "Ink"]


TEXTS = st.sampled_from(
    [
        "Pos", "Description", "Qty", "Unit price", "VAT %", "Amount", "Total", "Menge:", "Preis: 2,00", "Betrag: 4,00",
        "1", "2", "3.00", "6.00", "1 234,56", "20 %", "Oak desk with drawers", "Note: red", "EUR", "12.03.2024", "-",
        "10 Stk",
    ]
)  # fmt: skip
PLACED = st.tuples(st.sampled_from([40, 41, 120, 250, 320, 420]), st.integers(0, 60).map(lambda y: 6.0 * y), TEXTS)
RULES = st.lists(st.integers(0, 60).map(lambda y: (20.0, 6.0 * y, 500.0, 6.0 * y)), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(PLACED, max_size=30), RULES), min_size=1, max_size=3))
def test_whatever_stands_on_pages_every_cell_is_printed_there(drawn: list[tuple[list[Placed], Any]]) -> None:
    pages = [page(*placed, number=at, rulings=rules) for at, (placed, rules) in enumerate(drawn, 1)]
    printed = {word for one in pages for word in one.words}
    for item in line_items(Layout.of(pages)):
        for cell in (*item.cells.values(), *item.extra.values()):
            assert cell.words
            assert set(cell.words) <= printed
