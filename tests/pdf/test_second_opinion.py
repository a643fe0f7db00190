"""Pages that PDFium cannot read are read by pypdf, and say so; blank ones stay blank."""

from __future__ import annotations

import pytest

from mcp_pdf.pdf.load import load
from tests.mcp_pdf.hostile import FAMILIES, GOOD
from tests.pdf import papers


@pytest.mark.parametrize("name", ["operators without operands", "font that is a loop"])
def test_words_that_only_pypdf_reads_come_with_a_warning_and_about_the_right_place(name: str) -> None:
    document = load(FAMILIES[name].make())
    (page,), (good,) = document.pages, load(GOOD).pages
    assert [word.text for word in page.words] == [word.text for word in good.words]
    assert page.grade == "text"
    assert "places_estimated" in {warning["code"] for warning in document.warnings}
    first, known = page.words[0], good.words[0]
    assert abs(first.x0 - known.x0) < 20
    assert abs(first.y1 - known.y1) < 20


def test_a_page_that_pdfium_reads_and_a_blank_one_ask_nobody_else() -> None:
    assert not load(GOOD).warnings
    document = load(papers.drawn(lambda canvas: canvas.showPage()))
    assert {page.grade for page in document.pages} == {"blank"}
    assert not document.warnings
