"""Documents as resources: listed page by page as the directory is now, read as text, refused with the tools' codes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError

from mcp_pdf.errors import PdfError
from mcp_pdf.resources import read_uri, uri_of
from tests.mcp_pdf.hostile import GOOD, many_pages
from tests.mcp_pdf.serving import Serving, serving


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("resources")


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Serving]:
    with serving(place, MCP_PDF_WORKERS="1") as served:
        yield served


def listed(server: Serving) -> dict[str, Any]:
    found: dict[str, Any] = {}
    cursor = None
    while True:
        page = server.portal.call(lambda at=cursor: server.client.list_resources(cursor=at))
        found |= {one.uri: one for one in page.resources}
        cursor = page.next_cursor
        if cursor is None:
            return found


def read(server: Serving, uri: str) -> Any:
    return server.portal.call(lambda: server.client.read_resource(uri))


def test_the_listing_is_paginated_and_follows_the_directory(server: Serving, place: Path) -> None:
    for number in range(230):
        (place / f"{number:03}.pdf").write_bytes(GOOD)
    assert len(server.portal.call(server.client.list_resources).resources) == 100
    assert len(listed(server)) == 230
    (place / "sub").mkdir()
    (place / "sub" / "new one.pdf").write_bytes(GOOD)
    for number in range(1, 230):
        (place / f"{number:03}.pdf").unlink()
    assert list(listed(server)) == ["pdf:///000.pdf", "pdf:///sub/new%20one.pdf"]


def test_equal_content_has_the_same_hash_and_other_content_another(server: Serving, place: Path) -> None:
    (place / "twin.pdf").write_bytes(GOOD)
    (place / "other.pdf").write_bytes(GOOD + b"\n")
    hashes = {uri: one.meta["sha256"] for uri, one in listed(server).items()}
    assert hashes["pdf:///000.pdf"] == hashes["pdf:///twin.pdf"] == hashlib.sha256(GOOD).hexdigest()
    assert hashes["pdf:///other.pdf"] != hashes["pdf:///twin.pdf"]


def test_a_file_that_is_no_document_is_not_a_resource(server: Serving, place: Path) -> None:
    (place / "empty.pdf").write_bytes(b"")
    (place / "text.pdf").write_bytes(b"hello")
    assert not {"pdf:///empty.pdf", "pdf:///text.pdf"} & listed(server).keys()


def test_a_document_is_read_page_by_page(server: Serving, place: Path) -> None:
    (place / "long.pdf").write_bytes(many_pages(30))
    whole = read(server, "pdf:///long.pdf")
    assert [one.uri for one in whole.contents][:2] == ["pdf:///long.pdf?pages=1", "pdf:///long.pdf?pages=2"]
    assert (len(whole.contents), whole.meta["page_count"], whole.meta["next_pages"]) == (20, 30, "21-30")
    (page,) = read(server, "pdf:///long.pdf?pages=29").contents
    assert (page.text, page.mime_type) == ("Total due 42.00 EUR", "text/plain")


def test_the_template_tells_how_to_write_an_address(server: Serving) -> None:
    (template,) = server.portal.call(server.client.list_resource_templates).resource_templates
    assert template.uri_template == "pdf:///{+doc_id}{?pages}"


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("pdf:///none.pdf", "not_found"),
        ("pdf:///../x.pdf", "outside_library"),
        ("pdf:///%2e%2e/x.pdf", "outside_library"),
        ("pdf:////etc/passwd", "outside_library"),
        ("pdf:///000.pdf?pages=x", "invalid_request"),
        ("pdf:///000.pdf?password=x", "invalid_request"),
        ("pdf://host/000.pdf", "invalid_request"),
        ("file:///etc/passwd", "invalid_request"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_the_code(server: Serving, place: Path, uri: str, code: str) -> None:
    with pytest.raises(MCPError) as caught:
        read(server, uri)
    assert caught.value.error.code == -32602
    assert caught.value.error.data["code"] == code
    assert str(place) not in str(caught.value.error)


@pytest.mark.parametrize("doc_id", ["a b.pdf", "100%.pdf", "what?#.pdf", "é/日本.pdf", "%FF.pdf", "n\nl.pdf", " .pdf "])
def test_every_document_has_an_address_that_leads_back_to_it(doc_id: str) -> None:
    assert read_uri(uri_of(doc_id)) == (doc_id, None)


def test_an_address_of_another_scheme_is_refused() -> None:
    with pytest.raises(PdfError):
        read_uri("http:///x.pdf")
