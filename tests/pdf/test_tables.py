"""Tables from words and drawn lines: what is one, where its rows part, and how it goes on over pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcp_pdf.pdf.load import load, open_pdf
from mcp_pdf.pdf.tables import Table, find_tables
from mcp_pdf.pdf.text import read_rulings
from tests.pdf import papers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportlab.pdfgen.canvas import Canvas

COLUMNS = (60, 110, 330, 420, 520)  # left edges of the words, right edges of the numbers
TITLES = ("Pos", "Description", "Qty", "Price", "Amount")
ROWS = (("1", "Steel pipe", "2", "10.00", "20.00"), ("2", "Copper wire", "3", "5.50", "16.50"))


def line(canvas: Canvas, y: float, cells: Sequence[str], size: float = 10) -> None:
    canvas.setFont("Helvetica", size)
    for number, (x, cell) in enumerate(zip(COLUMNS, cells, strict=False)):
        (canvas.drawString if number < 2 else canvas.drawRightString)(x, y, cell)


def tables(draw: Callable[[Canvas], object]) -> list[Table]:
    data = papers.drawn(draw)
    pages = load(data).pages
    read_rulings(open_pdf(data), pages)
    return find_tables(pages)


def texts(table: Table) -> list[tuple[str, list[str]]]:
    return [(row.kind, [cell.text for cell in row.cells]) for row in table.rows]


def plain(canvas: Canvas) -> None:
    canvas.drawString(60, 780, "Invoice 4711 for what was delivered in spring to the yard behind the old mill")
    line(canvas, 700, TITLES)
    for number, row in enumerate(ROWS):
        line(canvas, 680 - 16 * number, row)
    canvas.drawString(60, 560, "Thank you for your order, which we have carried out with pleasure and great care.")


def test_a_table_without_lines_has_titles_rows_and_cells_with_boxes() -> None:
    (table,) = tables(plain)
    assert texts(table) == [("header", list(TITLES)), *(("body", list(row)) for row in ROWS)]
    amount = table.rows[1].cells[4]
    assert amount.box == pytest.approx((495, 152, 520, 165), abs=4)


def test_a_cell_of_several_lines_belongs_to_one_row_and_wrapped_titles_to_one_header() -> None:
    def draw(canvas: Canvas) -> None:
        line(canvas, 712, ("", "", "", "Unit", "Amount"))
        line(canvas, 700, ("Pos", "Description", "Qty", "price", "in EUR"))
        line(canvas, 680, ("1", "Steel pipe", "2", "10.00", "20.00"))
        line(canvas, 668, ("", "galvanised, with thread"))
        line(canvas, 656, ("", "and two caps"))
        line(canvas, 636, ("2", "Copper wire", "3", "5.50", "16.50"))

    (table,) = tables(draw)
    assert texts(table) == [
        ("header", ["Pos", "Description", "Qty", "Unit\nprice", "Amount\nin EUR"]),
        ("body", ["1", "Steel pipe\ngalvanised, with thread\nand two caps", "2", "10.00", "20.00"]),
        ("body", ["2", "Copper wire", "3", "5.50", "16.50"]),
    ]


def test_drawn_lines_part_rows_whose_numbers_stand_in_the_middle() -> None:
    def draw(canvas: Canvas) -> None:
        line(canvas, 700, TITLES)
        for number, row in enumerate(ROWS):
            top = 692 - 42 * number
            canvas.line(55, top, 525, top)
            line(canvas, top - 12, ("", "First line of " + row[1].lower()))
            line(canvas, top - 24, (row[0], "", *row[2:]))
            line(canvas, top - 36, ("", "last line"))
        canvas.line(55, 692 - 84, 525, 692 - 84)

    (table,) = tables(draw)
    assert [row.cells[1].text for row in table.rows if row.kind == "body"] == [
        "First line of steel pipe\nlast line",
        "First line of copper wire\nlast line",
    ]


def test_a_table_of_words_is_parted_by_its_drawn_lines() -> None:
    rows = (("City", "Country", "River"), ("Dresden", "Germany", "Elbe"), ("Lyon", "France", "Rhone, Saone"))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for number, row in enumerate(rows):
            for x, cell in zip((60, 200, 340), row, strict=True):
                canvas.drawString(x, 700 - 20 * number, cell)
            canvas.rect(55, 694 - 20 * number, 450, 20)

    (table,) = tables(draw)
    assert [cells for _, cells in texts(table)] == [list(row) for row in rows]


def test_sums_are_told_from_rows() -> None:
    def draw(canvas: Canvas) -> None:
        plain(canvas)
        line(canvas, 648, ("", "", "", "Subtotal", "36.50"))
        line(canvas, 632, ("", "", "", "VAT 19%", "6.94"))
        line(canvas, 616, ("", "", "", "Total", "43.44"))

    (table,) = tables(draw)
    assert [row.kind for row in table.rows] == ["header", "body", "body", "total", "total", "total"]


def over_two_pages(canvas: Canvas, *, titles_again: bool) -> None:
    line(canvas, 700, TITLES)
    for number in range(30):
        line(canvas, 680 - 18 * number, (str(number + 1), f"Item {number + 1}", "1", "2.00", "2.00"))
    line(canvas, 680 - 18 * 30, ("", "Carried forward", "", "", "60.00"))
    canvas.showPage()
    if titles_again:
        line(canvas, 780, TITLES)
    for number in range(3):
        line(canvas, 760 - 18 * number, (str(number + 31), f"Item {number + 31}", "1", "2.00", "2.00"))


@pytest.mark.parametrize("titles_again", [True, False])
def test_a_table_over_a_page_break_is_one_table_and_its_carried_sum_is_no_row(titles_again: bool) -> None:
    (table,) = tables(lambda canvas: over_two_pages(canvas, titles_again=titles_again))
    assert table.pages == [1, 2]
    body = [row.cells[0].text for row in table.rows if row.kind == "body"]
    assert body == [str(number) for number in range(1, 34)]
    assert [row.kind for row in table.rows if row.kind != "body"] == ["header", "carried"]


def prose(canvas: Canvas) -> None:
    canvas.setFont("Helvetica", 10)
    for number in range(20):
        canvas.drawString(60, 700 - 13 * number, "Words of a left column that run on and on here,")
        canvas.drawString(320, 700 - 13 * number, "and words of a right column that do the same.")


def form(canvas: Canvas) -> None:
    canvas.setFont("Helvetica", 10)
    for number, (label, value) in enumerate((("Date:", "2026-01-02"), ("Number:", "4711"), ("Your order:", "77-12"))):
        canvas.drawString(60, 700 - 14 * number, "Somebody and Company"[: 12 + number])
        canvas.drawString(300, 700 - 14 * number, label)
        canvas.drawString(400, 700 - 14 * number, value)


@pytest.mark.parametrize("draw", [prose, form])
def test_prose_in_columns_and_labelled_values_are_no_tables(draw: Callable[[Canvas], None]) -> None:
    assert tables(draw) == []
