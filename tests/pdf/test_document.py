"""Forms, and what a document says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcp_pdf.pdf.document import guess_language, read_info
from mcp_pdf.pdf.load import load, open_pdf
from tests.pdf import papers
from tests.pdf.test_text import hello

if TYPE_CHECKING:
    from pypdf import PdfWriter
    from reportlab.pdfgen.canvas import Canvas


def form(canvas: Canvas) -> None:
    fields = canvas.acroForm
    fields.textfield(name="last_name", tooltip="Last name", value="Novak", x=100, y=700, width=200, height=20)
    fields.checkbox(name="married", tooltip="Married", checked=True, x=100, y=660)
    fields.checkbox(name="retired", checked=False, x=100, y=640)
    fields.choice(name="country", value="NO", options=["DE", "NO"], x=100, y=600, width=80, height=20)
    fields.radio(name="sex", value="f", selected=True, x=100, y=560)
    fields.radio(name="sex", value="m", selected=False, x=140, y=560)


def test_form_fields_have_value_kind_label_options_and_box() -> None:
    fields = {field.name: field for field in load(papers.drawn(form)).form}
    assert {name: field.kind for name, field in fields.items()} == {
        "last_name": "text",
        "married": "checkbox",
        "retired": "checkbox",
        "country": "choice",
        "sex": "radio",
    }
    values = {name: field.value for name, field in fields.items()}
    assert (values["last_name"], values["married"], values["retired"], values["sex"]) == ("Novak", True, False, "f")
    assert values["country"] in ("NO", ["NO"])
    assert fields["country"].options == ("DE", "NO")
    assert fields["last_name"].label == "Last name"
    assert fields["last_name"].page == 1
    assert fields["last_name"].box == pytest.approx((100, 842 - 720, 300, 842 - 700), abs=2)


def test_a_document_without_a_form_has_no_fields() -> None:
    assert load(papers.drawn(hello)).form == []


def tree(*fields: bytes) -> bytes:
    return papers.raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        *fields,
    )


def test_a_form_whose_fields_loop_ends_with_a_warning() -> None:
    document = load(tree(b"<</T(a)/FT/Tx/Kids[5 0 R]>>", b"<</T(b)/Kids[4 0 R]>>"))
    assert [warning["code"] for warning in document.warnings] == ["form_truncated"]


def test_a_deep_form_ends_with_a_warning() -> None:
    document = load(tree(*[b"<</T(a)/FT/Tx/Kids[%d 0 R]>>" % (number + 5) for number in range(300)], b"<</T(z)/V(x)>>"))
    assert [warning["code"] for warning in document.warnings] == ["form_truncated"]


def test_a_form_of_nonsense_leaves_the_rest_readable() -> None:
    document = load(tree(b"<</T 7/FT/Tx/V[1 2 <</A 4 0 R>>]/Kids(no)/Opt 3>>"))
    assert document.page_count == 1


def rich(writer: PdfWriter) -> None:
    writer.add_metadata({"/Title": "A title\x07", "/Author": "Somebody"})
    parent = writer.add_outline_item(title="One", page_number=0)
    writer.add_outline_item(title="Two", page_number=0, parent=parent)
    writer.add_attachment("note.txt", b"note")


def test_info_tells_pages_metadata_outline_fonts_and_attachments() -> None:
    data = papers.changed(papers.drawn(hello), rich)
    info = read_info(open_pdf(data), data)
    assert (info["pages"], info["page_sizes"]) == (1, [{"first": 1, "last": 1, "size": [595.0, 842.0]}])
    assert info["metadata"]["Title"] == "A title"
    assert info["outline"] == [{"title": "One", "level": 0, "page": 1}, {"title": "Two", "level": 1, "page": 1}]
    assert [(font["name"], font["embedded"]) for font in info["fonts"]] == [("Helvetica", False)]
    assert [item["name"] for item in info["attachments"]] == ["note.txt"]
    assert (info["encryption"], info["signatures"], info["form"], info["truncated"]) == (None, 0, None, False)


def test_info_of_a_locked_document_tells_its_permissions() -> None:
    data = papers.changed(
        papers.drawn(hello), lambda writer: writer.encrypt("u", "o", algorithm="AES-256", permissions_flag=4)
    )
    info = read_info(open_pdf(data, "u"), data, "u")
    assert info["encryption"]["permissions"]["print"]
    assert not info["encryption"]["permissions"]["copy"]


def test_an_outline_that_loops_is_cut() -> None:
    data = papers.raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R/Outlines 4 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        b"<</First 5 0 R/Last 5 0 R>>",
        b"<</Title(a)/Parent 4 0 R/Next 6 0 R>>",
        b"<</Title(b)/Parent 4 0 R/Next 5 0 R/First 5 0 R>>",
    )
    info = read_info(open_pdf(data), data)
    assert [item["title"] for item in info["outline"]] == ["a", "b"]
    assert info["truncated"]


XMP_BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'


def test_xmp_with_entities_is_left_out() -> None:
    data = papers.raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        papers.stream(XMP_BOMB, b"/Type/Metadata/Subtype/XML"),
    )
    assert read_info(open_pdf(data), data)["xmp"] == {}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("the amount of your invoice is due on this date", "en"),
        ("der Betrag ist für die Rechnung und mit Datum", "de"),
        ("le montant de la facture est pour vous avec une date", "fr"),
        ("12345 67", None),
    ],
)
def test_the_language_is_guessed_from_common_words(text: str, language: str | None) -> None:
    assert guess_language(text) == language
