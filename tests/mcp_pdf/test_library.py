"""The path jail: only regular files inside the library, whatever they are called."""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from mcp_pdf.errors import PdfError
from mcp_pdf.library import Library
from mcp_pdf.limits import LIMITS
from mcp_pdf.pdf.load import read_bytes
from tests.mcp_pdf.hostile import GOOD

SHA = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    root, uploads = tmp_path / "library", tmp_path / "uploads"
    root.mkdir()
    uploads.mkdir()
    (tmp_path / "secret.pdf").write_bytes(GOOD)
    (root / "good.pdf").write_bytes(GOOD)
    (uploads / SHA).write_bytes(GOOD)
    return Library(root, uploads, replace(LIMITS, pdf_bytes=100_000))


def refusal(library: Library, doc_id: str) -> str:
    with pytest.raises(PdfError) as caught, library.open(doc_id):
        pass
    assert str(library.root) not in caught.value.text()
    return caught.value.code


@pytest.mark.parametrize(
    "doc_id", ["../secret.pdf", "/etc/passwd", "a/../../secret.pdf", "..", "good.pdf/../../secret.pdf"]
)
def test_a_path_out_of_the_library_is_refused(library: Library, doc_id: str) -> None:
    assert refusal(library, doc_id) == "outside_library"


@pytest.mark.parametrize(
    "doc_id", ["", "missing.pdf", "a\0b.pdf", ".", "x" * 5000, "good.pdf/x", "upload/" + "0" * 64, "upload/../good.pdf"]
)
def test_a_name_that_is_not_there_is_not_found(library: Library, doc_id: str) -> None:
    assert refusal(library, doc_id) in {"not_found", "outside_library"}


def test_a_symlink_out_is_refused_one_inside_is_followed_and_a_loop_is_not_found(library: Library) -> None:
    (library.root / "out.pdf").symlink_to("../secret.pdf")
    (library.root / "in.pdf").symlink_to("good.pdf")
    (library.root / "loop.pdf").symlink_to("loop.pdf")
    (library.root / "up").symlink_to("..")
    assert refusal(library, "out.pdf") == "outside_library"
    assert refusal(library, "up/secret.pdf") == "outside_library"
    assert refusal(library, "loop.pdf") == "not_found"
    with library.open("in.pdf") as file:
        assert library.hash(file) == SHA
    assert [entry.doc_id for entry in library.listing()] == ["good.pdf", "in.pdf"]


def test_a_fifo_and_a_directory_are_not_documents_and_do_not_block(library: Library) -> None:
    os.mkfifo(library.root / "fifo.pdf")
    (library.root / "dir.pdf").mkdir()
    assert refusal(library, "fifo.pdf") == "not_found"
    assert refusal(library, "dir.pdf") == "not_found"
    assert [entry.doc_id for entry in library.listing()] == ["good.pdf"]


HARD_NAMES = [
    b"new\nline.pdf",
    b"tab\t.pdf",
    b"\x1b[31mred.pdf",
    b"quote\"'.pdf",
    "bidi\u202efdp.pdf".encode(),
    b"bytes\xff\xfe.pdf",
    b"percent%41.pdf",
    b"-rf.pdf",
    b"  spaces  .pdf",
    "caf\u00e9.pdf".encode(),
    "cafe\u0301.pdf".encode(),
    b"sub/dir/deep.PDF",
]


@pytest.mark.parametrize("name", HARD_NAMES)
def test_every_listed_name_opens_the_file_it_was_made_from(library: Library, name: bytes) -> None:
    path = library.root / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(GOOD + name)
    ids = [entry.doc_id for entry in library.listing() if entry.doc_id != "good.pdf"]
    assert len(ids) == 1
    ids[0].encode("utf-8")
    with library.open(ids[0]) as opened:
        assert library.hash(opened) == hashlib.sha256(GOOD + name).hexdigest()


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (b"hello", "not_a_pdf"), (GOOD + b"\0" * 100_000, "too_large")],
)
def test_a_file_that_cannot_be_a_document_is_refused_before_any_worker_sees_it(
    library: Library, content: bytes, code: str
) -> None:
    (library.root / "bad.pdf").write_bytes(content)
    assert refusal(library, "bad.pdf") == code


def test_an_upload_is_opened_by_its_hash_and_never_listed(library: Library) -> None:
    with library.open(f"upload/{SHA}") as file:
        assert library.hash(file) == SHA
    assert [entry.doc_id for entry in library.listing()] == ["good.pdf"]


def test_a_changed_file_gets_a_new_hash(library: Library) -> None:
    with library.open("good.pdf") as file:
        before = library.hash(file)
        (library.root / "good.pdf").write_bytes(GOOD + b"\n")
        assert not file.unchanged()
    with library.open("good.pdf") as file:
        assert library.hash(file) != before


def test_a_socket_is_not_a_document(library: Library) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(library.root / "socket.pdf"))
        assert refusal(library, "socket.pdf") == "not_found"
        assert [entry.doc_id for entry in library.listing()] == ["good.pdf"]


def test_a_symlink_to_a_device_is_outside(library: Library) -> None:
    (library.root / "zero.pdf").symlink_to("/dev/zero")
    (library.root / "own.pdf").symlink_to("/proc/self/environ")
    assert refusal(library, "zero.pdf") == "outside_library"
    assert refusal(library, "own.pdf") == "outside_library"
    assert [entry.doc_id for entry in library.listing()] == ["good.pdf"]


def test_directories_that_loop_or_are_deep_end_the_listing_nowhere(library: Library) -> None:
    (library.root / "self").symlink_to(".")
    deepest = library.root.joinpath(*["d"] * 60)
    deepest.mkdir(parents=True)
    (deepest / "deep.pdf").write_bytes(GOOD)
    assert [entry.doc_id for entry in library.listing()] == ["good.pdf"]


def test_a_directory_swapped_for_a_link_out_between_look_and_open_is_refused(library: Library) -> None:
    (library.root / "sub").mkdir()
    (library.root / "sub" / "secret.pdf").write_bytes(GOOD + b"mine")
    (library.root / "sub").rename(library.root / "moved")
    (library.root / "sub").symlink_to("..")
    assert refusal(library, "sub/secret.pdf") == "outside_library"


def test_a_file_cut_while_it_is_open_is_read_as_it_is_then(library: Library) -> None:
    with library.open("good.pdf") as file:
        os.truncate(library.root / "good.pdf", 100)
        assert read_bytes(file.descriptor) == GOOD[:100]
        assert not file.unchanged()


def test_a_file_taken_away_while_it_is_open_is_still_read(library: Library) -> None:
    with library.open("good.pdf") as file:
        (library.root / "good.pdf").unlink()
        assert library.hash(file) == SHA
    assert refusal(library, "good.pdf") == "not_found"


def test_pages_that_follow_the_first_neither_walk_the_disk_nor_open_known_files_again(tmp_path: Path) -> None:
    library = Library(tmp_path, None, replace(LIMITS, listing_page=2))
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        (tmp_path / name).write_bytes(GOOD)
    first, total, cursor = library.page(None)
    (tmp_path / "d.pdf").write_bytes(GOOD)
    assert ([entry.doc_id for entry in first], total, cursor) == (["a.pdf", "b.pdf"], 3, "b.pdf")
    assert [entry.doc_id for entry in library.page(cursor)[0]] == ["c.pdf"]
    rows = [library.describe(entry) for entry in first]
    (tmp_path / "a.pdf").unlink()
    assert [library.describe(entry) for entry in first] == rows
    assert [entry.doc_id for entry in library.page(None)[0]] == ["b.pdf", "c.pdf"]
    assert [entry.doc_id for entry in library.page("c.pdf")[0]] == ["d.pdf"]
