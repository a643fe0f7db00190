"""Pages as pictures: where boxes fall on every kind of page, and the bounds of a picture."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader

from mcp_pdf.pdf.load import open_pdf
from mcp_pdf.pdf.render import MAX_PIXELS, Picture, render
from mcp_pdf.pdf.text import read_pages
from tests.pdf import papers

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

PLENTY = 10_000_000


def word(canvas: Canvas) -> None:
    canvas.setFont("Helvetica", 30)
    canvas.drawString(200, 500, "HERE")


def shown(data: bytes, dpi: float = 72, **asked: object) -> tuple[Picture, Image.Image]:
    picture = render(open_pdf(data), 1, dpi=dpi, **({"most_bytes": PLENTY} | asked))  # type: ignore[arg-type]
    return picture, Image.open(io.BytesIO(picture.jpeg))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_box_of_a_word_surrounds_its_ink_on_a_turned_and_cropped_page(rotation: int) -> None:
    def turn(writer: object) -> None:
        page = writer.pages[0]  # type: ignore[attr-defined]
        page.cropbox.lower_left, page.cropbox.upper_right = (100, 300), (500, 700)
        page.rotate(rotation)

    data = papers.changed(papers.drawn(word), turn)
    (found,) = next(iter(read_pages(open_pdf(data), [1]))).words
    picture, image = shown(data, dpi=144)
    assert picture.page_size == (400, 400)
    ink = image.convert("L").point(lambda value: 255 if value < 128 else 0).getbbox()
    assert ink is not None
    left, top, right, bottom = (edge / 2 for edge in ink)
    assert found.x0 - 2 <= left < right <= found.x1 + 2
    assert found.y0 - 2 <= top < bottom <= found.y1 + 2


def test_a_picture_has_at_most_the_allowed_pixels() -> None:
    picture, image = shown(papers.drawn(word, (5000, 5000)), dpi=600)
    assert image.width * image.height <= MAX_PIXELS
    assert picture.dpi == pytest.approx(72, rel=0.01)


def test_a_picture_is_made_smaller_until_it_fits() -> None:
    noise = Image.frombytes("RGB", (600, 600), random.Random(1).randbytes(3 * 600 * 600))  # noqa: S311  not secret
    data = papers.drawn(lambda canvas: canvas.drawImage(ImageReader(noise), 0, 0, 595, 842))
    picture, image = shown(data, dpi=200, most_bytes=100_000)
    assert len(picture.jpeg) <= 100_000
    assert image.size == (picture.width, picture.height)
    assert picture.dpi < 200


def test_the_values_of_a_form_are_drawn() -> None:
    def form(canvas: Canvas) -> None:
        canvas.acroForm.textfield(name="a", value="MMMM", x=100, y=700, width=200, height=20, fillColor=None)

    _, image = shown(papers.drawn(form))
    assert image.convert("L").crop((105, 125, 160, 140)).getextrema()[0] < 100


def test_marks_beyond_the_page_are_harmless() -> None:
    _, image = shown(papers.drawn(word), highlight=[[-1e6, -1e6, 1e6, 1e6], [9, 9, 3, 3]])
    assert image.size == (595, 842)


@pytest.mark.parametrize(
    ("box", "pixels"),
    [(b"0 0 1 30000000", (1, 16384)), (b"0 0 30000000 1", (16384, 1)), (b"0 0 1e30 1e30", (612, 792))],
)
def test_a_page_of_absurd_size_makes_a_small_picture(box: bytes, pixels: tuple[int, int]) -> None:
    data = papers.raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[%b]>>" % box,
    )
    assert shown(data)[1].size == pixels
