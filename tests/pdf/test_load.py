"""Opening: every way a file can be bad has its code."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from mcp_pdf.errors import PdfError
from mcp_pdf.pdf.load import load
from mcp_pdf.pdf.patience import OutOfPatience, patience
from tests.pdf import papers
from tests.pdf.test_text import hello

GOOD = papers.drawn(hello)


def locked(user: str, algorithm: str) -> bytes:
    return papers.changed(GOOD, lambda writer: writer.encrypt(user, "owner", algorithm=algorithm))


UNKNOWN_HANDLER = papers.raw_pdf(
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[]/Count 0>>",
    b"<</Filter/Nobody.Knows/V 9/R 9/O(x)/U(y)/P -1>>",
    trailer=b"/Encrypt 3 0 R/ID[(a)(a)]",
)


@pytest.mark.parametrize(
    ("data", "password", "code"),
    [
        (b"", None, "empty_file"),
        (b"hello, I am a text", None, "not_a_pdf"),
        (b"%PDF-1.7\n", None, "damaged_pdf"),
        (locked("secret", "RC4-128"), None, "password_required"),
        (locked("secret", "AES-256"), None, "password_required"),
        (locked("secret", "AES-256"), "guess", "wrong_password"),
        (UNKNOWN_HANDLER, None, "unsupported_encryption"),
    ],
    ids=["empty", "text", "header", "rc4", "aes", "wrong", "handler"],
)
def test_what_cannot_be_opened_is_refused_with_its_code(data: bytes, password: str | None, code: str) -> None:
    with pytest.raises(PdfError) as refusal:
        load(data, password=password)
    assert refusal.value.code == code


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
@pytest.mark.parametrize(("user", "password"), [("", None), ("secret", "secret"), ("secret", "owner")])
def test_an_encrypted_file_opens_with_its_password_or_an_empty_one(
    algorithm: str, user: str, password: str | None
) -> None:
    assert [word.text for word in load(locked(user, algorithm), password=password).pages[0].words] == ["Hello", "world"]


def test_junk_before_the_header_is_accepted() -> None:
    assert load(b"junk\n" * 10 + GOOD).page_count == 1


def test_a_descriptor_is_read_whole_whatever_its_position() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(GOOD)
        file.flush()
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == len(GOOD)
        assert load(file.fileno()).page_count == 1


def code_of(data: bytes) -> str:
    try:
        load(data)
    except PdfError as refusal:
        return refusal.code
    return "text"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.98])
def test_a_truncated_file_gives_text_or_a_code(share: float) -> None:
    assert code_of(GOOD[: int(len(GOOD) * share)]) in ("text", "damaged_pdf")


def test_too_many_pages_are_refused() -> None:
    with pytest.raises(PdfError) as refusal:
        load(papers.drawn(lambda canvas: [canvas.showPage() for _ in range(5)]), max_pages=4)
    assert refusal.value.code == "too_many_pages"


def test_only_the_chosen_pages_are_read() -> None:
    document = load(papers.drawn(lambda canvas: [canvas.showPage() for _ in range(5)]), pages="2,4-")
    assert [page.number for page in document.pages] == [2, 4, 5]
    assert document.page_count == 5


SAMPLES = Path(__file__).parents[2] / "agent" / "samples"


@pytest.mark.parametrize("name", ["invoice.pdf", "receipt.pdf", "purchase_order.pdf"])
def test_the_pages_of_a_file_cut_behind_them_are_recovered_and_say_so(name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    whole, cut = load(data), load(data[: int(len(data) * 0.97)])
    assert [word.text for page in cut.pages for word in page.words] == [w.text for p in whole.pages for w in p.words]
    assert {warning["code"] for warning in cut.warnings} == {"page_repaired"}
    assert not whole.warnings


def test_pages_are_recovered_where_the_catalog_is_lost() -> None:
    found = load(papers.drawn(hello).replace(b"/Catalog", b"/Nothing"))
    assert [word.text for word in found.pages[0].words] == ["Hello", "world"]


def test_a_reader_without_end_is_interrupted_even_where_it_swallows_errors() -> None:
    rounds = 0
    try:
        with patience(0.05):
            while True:
                with suppress(Exception):
                    rounds += 1
    except OutOfPatience:
        assert rounds
