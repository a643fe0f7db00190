"""Blocks of parties: under labels, under centred headings, in grids, and in letters without any label."""

from mcp_pdf.extract.candidates import Reader
from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.found import PLAIN, Context
from mcp_pdf.extract.layout import Layout
from mcp_pdf.extract.letterhead import guessed_parties
from mcp_pdf.extract.parties import Party, labelled_parties
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.page import Document
from tests.extract.placed import page


def _read(*texts: tuple[float, float, str], context: Context = PLAIN) -> dict[str, dict[str, object]]:
    reader = Reader(Layout.of([page(*texts)]), context)
    known = labelled_parties(reader)
    return {party.role: _parts(party) for party in reversed([*known, *guessed_parties(reader, known)])}


def _parts(party: Party) -> dict[str, object]:
    return {part: passage.value for part, passage in party.parts.items()}


def test_a_centred_heading_owns_the_centred_lines_below_it_and_not_its_neighbours() -> None:
    found = _read(
        (230, 50, "Emisor"), (430, 50, "Receptor"), (190, 62, "Frutas del Norte SA"), (390, 62, "Bodega Sur SA"),
        (150, 74, "RFC: AAA010101AAA"), (360, 74, "RFC: E&Ñ831019M53"),
        context=Context("es", "MX"),
    )  # fmt: skip
    assert found["seller"] == {"name": "Frutas del Norte SA", "vat_id": "AAA010101AAA"}
    assert found["buyer"] == {"name": "Bodega Sur SA", "vat_id": "E&Ñ831019M53"}


def test_an_address_is_street_and_town_in_the_order_of_the_page_and_a_role_alone_asks_for_the_name() -> None:
    rows = (40, 100, "Seller:"), (40, 112, "Muster GmbH"), (40, 124, "Ringstr. 5"), (40, 136, "80333 München")
    wish = Wish.parse({"fields": ["seller_address", "buyer_address", {"name": "supplier", "type": "name"}]})
    result = extract(Document([page(*rows)], 1), wish)
    assert result["values"] == {
        "seller_address": "Ringstr. 5, 80333 München",
        "buyer_address": None,
        "supplier": "Muster GmbH",
    }
    assert len(result["evidence"]["/seller_address"]["boxes"]) == 2


def test_a_heading_over_small_labels_owns_the_values_below_them() -> None:
    found = _read(
        (17, 190, "DESTINATÁRIO / REMETENTE"), (17, 200, "NOME / RAZÃO SOCIAL"), (300, 200, "CNPJ / CPF"),
        (17, 209, "Mercado Azul Ltda"), (300, 209, "00.127.912/0001-29"),
        (17, 219, "ENDEREÇO"), (300, 219, "CEP"), (17, 228, "Rua Dois, 24"), (300, 228, "30870-100"),
        (17, 238, "MUNICÍPIO"), (300, 238, "UF"), (17, 247, "BELO HORIZONTE"), (300, 247, "MG"),
        context=Context("pt", "BR"),
    )  # fmt: skip
    assert found["buyer"] == {
        "name": "Mercado Azul Ltda", "vat_id": "00.127.912/0001-29", "street": "Rua Dois, 24",
        "postcode": "30870-100", "city": "BELO HORIZONTE",
    }  # fmt: skip


def test_keys_with_values_give_the_parts_whatever_subheadings_stand_between() -> None:
    found = _read(
        (40, 40, "Dati del cedente / prestatore"), (40, 52, "Dati anagrafici"),
        (60, 64, "Denominazione: Studio Verdi"), (40, 76, "Dati della sede"), (60, 88, "Indirizzo: Via Roma 1"),
        (60, 100, "Comune: ROMA Provincia: RM"), (60, 112, "Cap: 00145 Nazione: IT"),
        context=Context("it", "IT"),
    )  # fmt: skip
    assert found["seller"] == {
        "name": "Studio Verdi", "street": "Via Roma 1", "city": "ROMA", "postcode": "00145",
    }  # fmt: skip


def test_a_name_goes_on_where_its_legal_form_found_no_room() -> None:
    found = _read((40, 40, "Buyer:"), (40, 52, "Northern Star Imports"), (40, 64, "LLC"), (40, 76, "12 Dock Street"))
    assert found["buyer"]["name"] == "Northern Star Imports LLC"


def test_the_sender_line_sells_and_the_window_below_it_buys() -> None:
    found = _read(
        (76, 129, "Autohaus Nord, Ringstr. 26, 80786 München"),
        (76, 180, "Muster GmbH"), (76, 192, "Musterweg 1"), (76, 204, "60325 Frankfurt am Main"),
        context=Context("de", "DE"),
    )  # fmt: skip
    assert found["seller"] == {"name": "Autohaus Nord", "postcode": "80786", "city": "München"}
    assert (found["buyer"]["name"], found["buyer"]["city"]) == ("Muster GmbH", "Frankfurt am Main")


def test_of_two_unlabelled_addresses_the_first_sells() -> None:
    found = _read(
        (29, 46, "Encre France"), (29, 58, "27 rue Rolland"), (29, 70, "69100 Villeurbanne"),
        (353, 147, "Cabinet Lefort"), (353, 159, "42 rue de la Paix"), (353, 171, "69002 Lyon"),
        context=Context("fr", "FR"),
    )  # fmt: skip
    assert (found["seller"]["name"], found["buyer"]["name"]) == ("Encre France", "Cabinet Lefort")
