"""Scanned pages through the server: read by an engine in a process of its own, or marked as unread; never empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.lib.utils import ImageReader

from mcp_pdf.pdf.load import open_pdf
from mcp_pdf.pdf.render import pixels
from mcp_pdf.pdf.text import read_pages
from tests.mcp_pdf.serving import Serving, serving
from tests.pdf import papers

WORDS = ("Corner Shop Ltd", "Receipt 4711", "Date 2026-03-14", "Total EUR 42.50")


def printed() -> bytes:
    def draw(canvas: papers.Canvas) -> None:
        canvas.setFont("Helvetica", 14)
        for number, line in enumerate(WORDS):
            canvas.drawString(40, 240 - 18 * number, line)

    return papers.drawn(draw, (300, 300))


def scanned() -> bytes:
    image = pixels(open_pdf(printed()), 1, 150)
    return papers.drawn(lambda canvas: canvas.drawImage(ImageReader(image), 0, 0, 300, 300), (300, 300))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("scans")
    (place / "scan.pdf").write_bytes(scanned())
    return place


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Serving]:
    with serving(place, MCP_PDF_OCR="rapidocr") as served:
        yield served


def test_values_of_a_scan_are_found_with_their_boxes_and_say_that_they_are_recognised(server: Serving) -> None:
    found = server.call("extract_fields", doc_id="scan.pdf", document_type="receipt")
    assert found["values"]["total"] == "42.50"
    evidence = found["evidence"]["/total"]
    assert evidence["source"] == "ocr"
    where = next(word for word in next(iter(read_pages(open_pdf(printed()), [1]))).words if word.text == "42.50")
    assert evidence["boxes"][0] == pytest.approx(where[1:], abs=4)
    assert not [warning for warning in found["warnings"] if warning["code"] == "ocr_unavailable"]


def test_a_recognised_page_is_kept_and_read_like_any_other(server: Serving) -> None:
    server.call("read_doc_contents", doc_id="scan.pdf")
    jobs = server.call("server_status")["jobs_done"]
    (page,) = server.call("read_doc_contents", doc_id="scan.pdf")["pages"]
    assert (page["grade"], page["source"]) == ("scan", "ocr")
    assert page["text"].splitlines() == list(WORDS)
    status = server.call("server_status")
    assert status["jobs_done"] == jobs
    assert status["ocr"]["engine"] == "rapidocr"


def test_tesseract_reads_where_it_is_wanted(place: Path) -> None:
    with serving(place, MCP_PDF_OCR="tesseract") as server:
        (page,) = server.call("read_doc_contents", doc_id="scan.pdf")["pages"]
    assert (page["source"], page["text"].splitlines()) == ("ocr", list(WORDS))


def test_without_an_engine_a_scan_says_that_it_was_not_read(place: Path) -> None:
    with serving(place, MCP_PDF_OCR="off") as server:
        (page,) = server.call("read_doc_contents", doc_id="scan.pdf")["pages"]
        assert [warning["code"] for warning in page["warnings"]] == ["ocr_unavailable"]
        found = server.call("extract_fields", doc_id="scan.pdf", fields=["total"])
        assert found["evidence"]["/total"]["reason"] == "unreadable"
        assert [warning["code"] for warning in found["warnings"]] == ["ocr_unavailable"]
        assert server.call("server_status")["ocr"] is None


def test_an_engine_that_does_not_load_leaves_the_page_marked_and_the_server_alive(place: Path) -> None:
    with serving(place, MCP_PDF_OCR="tesseract", MCP_PDF_OCR_LANGUAGES="klingon") as server:
        pids = server.workers
        (page,) = server.call("read_doc_contents", doc_id="scan.pdf")["pages"]
        assert [warning["code"] for warning in page["warnings"]] == ["page_unreadable"]
        assert server.workers == pids
