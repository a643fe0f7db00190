"""Rows of item tables, parties and receipts, from words alone."""

from __future__ import annotations

from mcp_pdf.extract.candidates import Reader
from mcp_pdf.extract.found import PLAIN
from mcp_pdf.extract.layout import Layout
from mcp_pdf.extract.line_items import line_items
from mcp_pdf.extract.parties import labelled_parties
from mcp_pdf.extract.receipt_head import merchant_address, merchant_name
from tests.extract.placed import page


def test_rows_are_read_under_a_wrapped_header_and_proven_by_their_product() -> None:
    layout = Layout.of(
        [
            page(
                (40, 100, "Beschreibung"), (250, 100, "Menge"), (320, 100, "Einzel-"), (420, 100, "Betrag"),
                (320, 111, "preis"),
                (40, 130, "Schreibtisch Eiche"), (250, 130, "2"), (320, 130, "1.150,50"), (420, 130, "2.301,00"),
                (40, 150, "Lampe"), (250, 150, "10"), (320, 150, "9,90"), (420, 150, "99,00"),
                (40, 180, "Summe"), (420, 180, "2.400,00"),
            )
        ]
    )  # fmt: skip
    rows = [{role: cell.value for role, cell in item.cells.items()} for item in line_items(layout)]
    assert rows == [
        {"quantity": "2", "unit_price": "1150.50", "amount": "2301.00", "description": "Schreibtisch Eiche"},
        {"quantity": "10", "unit_price": "9.90", "amount": "99.00", "description": "Lampe"},
    ]


def test_a_cell_carries_the_words_that_print_it() -> None:
    layout = Layout.of(
        [page((40, 100, "Description"), (250, 100, "Qty"), (320, 100, "Price"), (420, 100, "Amount"),
              (40, 120, "Blue pen"), (250, 120, "3"), (320, 120, "2.00"), (420, 120, "6.00"))]
    )  # fmt: skip
    (item,) = line_items(layout)
    assert item.proven
    assert [word.text for word in item.cells["description"].words] == ["Blue", "pen"]
    assert item.cells["amount"].words[0].x0 == 420


def test_a_label_gives_an_address_block_its_role() -> None:
    layout = Layout.of(
        [page((40, 40, "Verkäufer"), (300, 40, "Käufer"), (40, 52, "Holz GmbH"), (300, 52, "Bau AG"),
              (40, 64, "Ring 1"), (300, 64, "Weg 2"), (40, 76, "80333 München"), (300, 76, "50667 Köln"),
              (40, 88, "USt-IdNr.: DE136695976"))]
    )  # fmt: skip
    seller, buyer = labelled_parties(Reader(layout, PLAIN))
    assert (seller.role, buyer.role) == ("seller", "buyer")
    assert {part: found.value for part, found in seller.parts.items()} == {
        "name": "Holz GmbH", "street": "Ring 1", "postcode": "80333", "city": "München", "vat_id": "DE136695976",
    }  # fmt: skip
    assert buyer.parts["city"].value == "Köln"


def test_the_head_of_a_receipt_names_the_merchant_and_its_address() -> None:
    layout = Layout.of(
        [
            page(
                (60, 20, "BLUE MART SDN BHD"),
                (60, 32, "12 JALAN RAYA,"),
                (60, 44, "81700 PASIR"),
                (60, 56, "TEL: 07-1234567"),
            )
        ]
    )
    name, address = merchant_name(layout), merchant_address(layout)
    assert name is not None
    assert address is not None
    assert (name.value, address.value) == ("BLUE MART SDN BHD", "12 JALAN RAYA, 81700 PASIR")
