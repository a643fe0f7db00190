"""The rules of extraction on pages made of words."""

from __future__ import annotations

import jsonschema_rs
import pytest

from mcp_pdf.errors import PdfError
from mcp_pdf.extract.extraction import classify, extract, locate
from mcp_pdf.extract.fitting import effective
from mcp_pdf.extract.labels import lexicon
from mcp_pdf.extract.layout import Layout
from mcp_pdf.extract.types import TYPES
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.invoice import Invoice, Party
from mcp_pdf.pdf.page import Document
from tests.extract.placed import page


def printed(*runs: tuple[float, float, str]) -> Document:
    """One page with runs of text at x, y; ten points high."""
    return Document([page(*runs, size=(595, 842))], 1)


INVOICE = printed(
    (40, 40, "INVOICE"),
    (40, 80, "Invoice number:"),
    (200, 80, "INV-2024-17"),
    (40, 100, "Invoice date:"),
    (200, 100, "15 March 2024"),
    (300, 300, "Subtotal"),
    (400, 300, "1,000.00"),
    (300, 320, "VAT 19%"),
    (400, 320, "190.00"),
    (300, 340, "Total"),
    (400, 340, "1,190.00"),
    (40, 500, "IBAN: DE89 3704 0044 0532 0130 00"),
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("invoice_number", "INV-2024-17"),
        ("issue_date", "2024-03-15"),
        ("net_total", "1000.00"),
        ("tax_total", "190.00"),
        ("total", "1190.00"),
        ("iban", "DE89370400440532013000"),
        ("due_date", None),
    ],
)
def test_a_value_is_read_beside_its_label_or_stays_null(name: str, value: str | None) -> None:
    assert extract(INVOICE, Wish.parse({"fields": [{"name": name}]}))["values"] == {name: value}


def test_evidence_names_page_box_check_and_confidence() -> None:
    result = extract(INVOICE, Wish.parse({"fields": ["net_total", "tax_total", "total"]}))
    proof = result["evidence"]["/total"]
    assert (proof["page"], proof["boxes"], proof["match"]) == (1, [[400.0, 340.0, 440.0, 350.0]], "normalised")
    assert proof["checks"]["net_plus_tax_is_total"]
    assert result["checks"][0]["passed"]


def test_an_absent_value_has_a_reason() -> None:
    assert extract(INVOICE, Wish.parse({"fields": ["due_date"]}))["evidence"] == {"/due_date": {"reason": "not_found"}}


def test_a_field_no_lexicon_knows_is_found_by_its_name() -> None:
    document = printed((40, 40, "Locker colour:"), (200, 40, "Blue"), (40, 60, "Shoe size:"), (200, 60, "44"))
    assert extract(document, Wish.parse({"fields": ["locker_colour"]}))["values"] == {"locker_colour": "Blue"}


def test_the_e_invoice_speaks_before_the_page() -> None:
    document = printed((40, 40, "Invoice number:"), (200, 40, "INV-9"))
    document.invoice = Invoice(number="INV-10", seller=Party(name="Acme Ltd"))
    result = extract(document, Wish.parse({"fields": ["invoice_number", "seller_name"]}))
    assert result["values"] == {"invoice_number": "INV-10", "seller_name": "Acme Ltd"}
    assert result["evidence"]["/invoice_number"]["source"] == "xml"


def test_values_satisfy_the_effective_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "head": {"type": "object", "properties": {"total": {"type": "number"}, "due_date": {"type": "string"}}}
        },
    }
    result = extract(INVOICE, Wish.parse({"schema": schema}))
    assert result["values"] == {"head": {"total": 1190.0, "due_date": None}}
    jsonschema_rs.validator_for(effective(schema)).validate(result["values"])


@pytest.mark.parametrize(
    "request_",
    [
        {"fields": ["a", "a"]},
        {"fields": [{"name": "a", "type": "colour"}]},
        {"fields": [{"type": "date"}]},
        {"schema": {"properties": {"a": {"$ref": "file:///etc/passwd"}}}},
        {"schema": {"$ref": "#"}},
        {"schema": {"type": "nonsense"}},
        {"document_type": "poem"},
        {"fields": ["a"], "strictness": "wild"},
    ],
)
def test_a_bad_wish_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(PdfError) as raised:
        Wish.parse(request_)
    assert raised.value.code == "invalid_schema"


def test_a_known_value_is_located_and_a_foreign_one_is_never_high() -> None:
    result = locate(
        INVOICE, {"total": "1190.00", "due_date": "2024-04-01"}, Wish.parse({"fields": ["total", "due_date"]})
    )
    assert result["evidence"]["/total"]["match"] == "normalised"
    assert result["evidence"]["/due_date"]["match"] == "unlocated"
    assert result["evidence"]["/due_date"]["confidence"] == "low"


def test_a_document_is_classified_by_its_title_with_evidence() -> None:
    found = classify(INVOICE)
    assert found["document_type"] == "invoice"
    assert found["evidence"][0]["text"] == "INVOICE"


def test_every_type_answers_without_a_word_on_the_page() -> None:
    for name in TYPES:
        result = extract(printed(), Wish.parse({"document_type": name}))
        assert all(not value for value in result["values"].values())


@pytest.mark.parametrize(
    ("label", "concept"),
    [
        ("Rechnungsnr.", "invoice_number"),
        ("N° de facture", "invoice_number"),
        ("Fecha de emisión", "issue_date"),
        ("Totale documento", "total"),
        ("Vervaldatum", "due_date"),
        ("Kwota podatku", "tax_total"),
        ("VALOR TOTAL DA NOTA", "total"),
        ("Forfallsdato", "due_date"),
        ("Ödenecek Tutar", "amount_due"),
        ("Datum splatnosti", "due_date"),
        ("Cod de identificare fiscală", "seller_vat_id"),
    ],
)
def test_a_label_is_known_in_its_language(label: str, concept: str) -> None:
    assert concept in {hit.concept for hit in lexicon().hits(label)}


def test_a_wide_gap_parts_segments_and_a_paragraph_is_a_block() -> None:
    layout = Layout.of(printed((40, 40, "Acme Ltd"), (300, 40, "Total"), (40, 52, "1 High Street")).pages)
    assert [segment.text for segment in layout.segments] == ["Acme Ltd", "Total", "1 High Street"]
    assert layout.blocks[0].text == "Acme Ltd\n1 High Street"


@pytest.mark.parametrize(
    ("lines", "language", "currency"),
    [
        (("Fakturadatum", "Förfallodatum", "Summa exkl moms 10,00 kr"), "sv", "SEK"),
        (("Fakturadato", "Forfallsdato", "Sum eks mva 10,00 kr"), "no", "NOK"),
        (("Fakturadato", "Forfaldsdato", "Beløb ekskl moms 10,00 kr"), "da", "DKK"),
    ],
)
def test_the_nordic_languages_are_told_apart_and_so_are_their_crowns(
    lines: tuple[str, ...], language: str, currency: str
) -> None:
    placed = [(40.0, 100.0 + 20 * step, line) for step, line in enumerate(lines)]
    result = extract(Document([page(*placed)], 1), Wish.parse({"fields": ["currency"]}))
    assert (result["document"]["language"], result["values"]["currency"]) == (language, currency)
