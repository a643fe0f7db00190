"""Words, boxes, visibility and grades."""

from __future__ import annotations

import pytest
from reportlab.pdfgen.canvas import Canvas

from mcp_pdf.pdf.load import load
from mcp_pdf.pdf.page import Page, Word
from tests.pdf import papers


def read(data: bytes, password: str | None = None) -> Page:
    return load(data, password=password).pages[0]


def texts(page: Page) -> list[str]:
    return [word.text for word in page.words]


def hello(canvas: Canvas) -> None:
    canvas.drawString(100, 742, "Hello world")


def test_a_word_has_its_box_in_points_from_the_top_left_corner() -> None:
    page = read(papers.drawn(hello))
    word = page.words[0]
    assert (page.width, page.height, texts(page)) == (595.0, 842.0, ["Hello", "world"])
    assert word.x0 == pytest.approx(100, abs=1)
    assert word.y0 < 842 - 742 < word.y1
    assert word.x1 == pytest.approx(100 + 27.3, abs=1.5)


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_boxes_follow_the_rotation_of_the_page(angle: int) -> None:
    page = read(papers.changed(papers.drawn(hello), lambda writer: writer.pages[0].rotate(angle)))
    word = page.words[0] if page.words[0].text == "Hello" else page.words[1]
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    unturned = (114.0, 842 - 745.0)
    expected = {
        0: unturned,
        90: (842 - unturned[1], unturned[0]),
        180: (595 - unturned[0], 842 - unturned[1]),
        270: (unturned[1], 595 - unturned[0]),
    }[angle]
    assert (x, y) == pytest.approx(expected, abs=4)
    assert (page.width, page.height) == ((595, 842) if angle % 180 == 0 else (842, 595))


def test_the_crop_box_is_the_page_and_words_outside_are_hidden() -> None:
    def draw(canvas: Canvas) -> None:
        hello(canvas)
        canvas.drawString(400, 50, "outside")
        canvas.setCropBox((50, 600, 350, 800))

    document = load(papers.drawn(draw))
    page = document.pages[0]
    assert (page.width, page.height, texts(page)) == (300.0, 200.0, ["Hello", "world"])
    assert page.words[0].x0 == pytest.approx(50, abs=1)
    assert [word.text for word in page.hidden] == ["outside"]
    assert [(warning["code"], warning["page"]) for warning in document.warnings] == [("hidden_text", 1)]


def test_invisible_and_white_text_is_hidden() -> None:
    def draw(canvas: Canvas) -> None:
        hello(canvas)
        text = canvas.beginText(100, 600)
        text.setTextRenderMode(3)
        text.textOut("ignore")
        canvas.drawText(text)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(100, 500, "pale")

    page = read(papers.drawn(draw))
    assert texts(page) == ["Hello", "world"]
    assert sorted(word.text for word in page.hidden) == ["ignore", "pale"]


def test_white_text_on_a_dark_bar_is_visible() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(0.1, 0.2, 0.4)
        canvas.rect(90, 490, 300, 30, fill=1)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(100, 500, "Description")

    assert texts(read(papers.drawn(draw))) == ["Description"]


def test_an_invisible_layer_over_a_scan_is_kept() -> None:
    def draw(canvas: Canvas) -> None:
        papers.picture(canvas, 0, 0, *papers.SIZE)
        text = canvas.beginText(50, 700)
        text.setTextRenderMode(3)
        for _ in range(8):
            text.textLine("TOTAL 12.50 paid by card, thank you")
        canvas.drawText(text)

    page = read(papers.drawn(draw))
    assert (page.grade, len(page.words), page.hidden) == ("ocr_layer", 8 * 7, [])


def test_a_picture_alone_is_a_scan_and_nothing_at_all_is_blank() -> None:
    def draw(canvas: Canvas) -> None:
        papers.picture(canvas, 0, 0, *papers.SIZE)
        canvas.showPage()
        canvas.showPage()

    document = load(papers.drawn(draw))
    assert [page.grade for page in document.pages] == ["scan", "blank"]
    assert [warning["code"] for warning in document.warnings] == ["ocr_unavailable"]


def test_a_wide_gap_without_a_space_parts_two_words() -> None:
    content = b"BT /F1 12 Tf 50 700 Td [(Total)-4000(99.00)] TJ ET"
    page = read(
        papers.raw_pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
            papers.stream(content),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        )
    )
    assert texts(page) == ["Total", "99.00"]


@pytest.mark.parametrize(
    ("parts", "whole"), [(("Rechnungs-", "betrag"), "Rechnungsbetrag"), (("Karl-", "Heinz"), "Karl-Heinz")]
)
def test_a_hyphen_at_the_end_of_a_line_joins_the_word(parts: tuple[str, str], whole: str) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(100, 742, f"some {parts[0]}")
        canvas.drawString(100, 728, f"{parts[1]} more")

    page = read(papers.drawn(draw))
    assert texts(page) == ["some", whole, "more"]
    assert page.words[1].y1 - page.words[1].y0 < 20


def test_columns_of_prose_are_read_one_after_the_other_and_tables_across() -> None:
    def prose(canvas: Canvas) -> None:
        for line in range(8):
            canvas.drawString(50, 700 - 14 * line, f"left column line number {line} says")
            canvas.drawString(320, 700 - 14 * line, f"right column line number {line} says")

    def table(canvas: Canvas) -> None:
        for line in reversed(range(8)):
            canvas.drawString(450, 700 - 14 * line, f"{line}.00")
            canvas.drawString(50, 700 - 14 * line, f"item{line}")

    words = texts(read(papers.drawn(prose)))
    assert words.index("right") > max(index for index, word in enumerate(words) if word == "left")
    assert texts(read(papers.drawn(table)))[:4] == ["item0", "0.00", "item1", "1.00"]


def test_a_page_keeps_its_words_when_another_page_is_broken() -> None:
    pdf = papers.raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 9 0 R]/Count 2>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        papers.stream(b"BT /F1 12 Tf 50 700 Td (fine) Tj ET"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    document = load(pdf)
    assert texts(document.pages[0]) == ["fine"]
    assert [page.grade for page in document.pages][1:] in ([], ["unreadable"])


@pytest.mark.parametrize(
    "media_box",
    [b"[0 0 0 0]", b"[-100 -100 -50 -50]", b"[0 0 1e9 1e9]", b"[nan 0 595 842]", b"[595 842 0 0]", b"[0 0 10]"],
)
def test_a_strange_media_box_gives_a_page_of_finite_size(media_box: bytes) -> None:
    pdf = papers.raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox%s/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>" % media_box,
        papers.stream(b"BT /F1 12 Tf 50 700 Td (fine) Tj ET"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    page = read(pdf)
    assert page.width > 0
    assert page.height > 0
    assert all(isinstance(word, Word) for word in page.words)
