"""Search over the library: hits with boxes, an index that follows the files, and what is never searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_pdf.search_index import SearchIndex, terms
from tests.mcp_pdf.hostile import GOOD
from tests.mcp_pdf.serving import Serving, serving
from tests.pdf import papers


def saying(*pages: str) -> bytes:
    def draw(canvas: papers.Canvas) -> None:
        for text in pages:
            canvas.setFont("Helvetica", 12)
            canvas.drawString(72, 700, text)
            canvas.showPage()

    return papers.drawn(draw)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("library")
    (library / "lease.pdf").write_bytes(saying("The landlord Müller lets a flat", "Deposit: three rents, due in May"))
    (library / "copy.pdf").write_bytes((library / "lease.pdf").read_bytes())
    (library / "loan.pdf").write_bytes(saying("The bank lends money against a deposit"))
    (library / "broken.pdf").write_bytes(b"%PDF-1.7\n")
    locked = papers.changed(saying("A secret recipe"), lambda writer: writer.encrypt("open", algorithm="AES-256"))
    (library / "locked.pdf").write_bytes(locked)
    return library


@pytest.fixture(scope="module")
def server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    uploads, cache = tmp_path_factory.mktemp("uploads"), tmp_path_factory.mktemp("cache")
    (uploads / ("0" * 64)).write_bytes(GOOD)
    with serving(library, UPLOAD_DIR=str(uploads), MCP_PDF_CACHE_DIR=str(cache)) as served:
        yield served


def test_hits_name_document_page_snippet_and_the_box_of_the_word(server: Serving) -> None:
    found = server.call("search_documents", query="muller")
    (hit,) = found["hits"]
    assert (hit["doc_id"], hit["page"], hit["same_content"]) == ("copy.pdf", 1, ["lease.pdf"])
    assert "«Müller»" in hit["snippet"]
    (box,) = hit["boxes"]
    words = server.call("read_doc_contents", doc_id="lease.pdf", pages="1", layout="boxes")["pages"][0]["words"]
    assert [word[0] for word in words if word[1:] == box] == ["Müller"]
    assert found["complete"]
    assert {one["doc_id"]: one["problem"] for one in found["unsearched"]} == {
        "broken.pdf": "damaged_pdf",
        "locked.pdf": "password_required",
    }


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("deposit", [("copy.pdf", 2), ("loan.pdf", 1)]),
        ("deposit rents", [("copy.pdf", 2)]),
        ('"three rents"', [("copy.pdf", 2)]),
        ('"rents three" zebra', []),
        ("bank zebra", [("loan.pdf", 1)]),
        ("dep*", [("copy.pdf", 2), ("loan.pdf", 1)]),
        ('NEAR(" OR -', []),
    ],
)
def test_all_words_count_before_any_word_does_and_operators_mean_nothing(
    server: Serving, query: str, hits: list[tuple[str, int]]
) -> None:
    found = server.call("search_documents", query=query)["hits"]
    assert sorted((hit["doc_id"], hit["page"]) for hit in found) == hits


def test_one_document_can_be_searched_a_locked_one_with_its_password(server: Serving) -> None:
    assert [hit["page"] for hit in server.call("search_documents", query="deposit", doc_id="lease.pdf")["hits"]] == [2]
    (hit,) = server.call("search_documents", query="recipe", doc_id="locked.pdf", password="open")["hits"]
    assert (hit["page"], hit["snippet"]) == (1, "A secret recipe")
    assert server.call("search_documents", query="recipe")["hits"] == []


def test_the_index_follows_new_changed_and_removed_files(server: Serving, library: Path) -> None:
    path = library / "new.pdf"
    path.write_bytes(saying("An armadillo"))
    assert [hit["doc_id"] for hit in server.call("search_documents", query="armadillo")["hits"]] == ["new.pdf"]
    path.write_bytes(saying("A buffalo"))
    assert server.call("search_documents", query="armadillo")["hits"] == []
    assert [hit["doc_id"] for hit in server.call("search_documents", query="buffalo")["hits"]] == ["new.pdf"]
    path.unlink()
    assert server.call("search_documents", query="buffalo")["hits"] == []


def test_uploads_are_never_searched(server: Serving) -> None:
    assert server.call("search_documents", query="42.00")["hits"] == []
    upload = "upload/" + "0" * 64
    assert server.fail("search_documents", query="42.00", doc_id=upload)["code"] == "invalid_request"


@pytest.mark.parametrize("query", ["…", "- ( )"])
def test_a_query_without_a_word_is_refused(server: Serving, query: str) -> None:
    assert server.fail("search_documents", query=query)["code"] == "invalid_request"


def test_a_broken_index_is_built_anew(tmp_path: Path) -> None:
    (tmp_path / "search-1.sqlite").write_bytes(b"no database at all" * 100)
    index = SearchIndex(tmp_path, 1 << 20)
    index.add("a" * 64, [(1, "words")])
    assert [hit.page for hit in index.find(["a" * 64], "word", 0, 5)] == [1]
    index.close()


def test_pages_of_hits_follow_one_another() -> None:
    index = SearchIndex(None, 1 << 20)
    index.add("a" * 64, [(number, f"word {number}") for number in range(1, 46)])
    pages = [hit.page for offset in (0, 20, 40) for hit in index.find(["a" * 64], "word", offset, 20)]
    assert sorted(pages) == list(range(1, 46))
    index.close()


def test_terms_are_words_and_phrases() -> None:
    assert terms('alpha "beta gamma" AND del-ta') == ["alpha", "beta gamma", "AND", "del", "ta"]
