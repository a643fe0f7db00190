"""No file can hurt: for each family text or a stable code from every tool, in time, and the next request is served."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_pdf.errors import CODES
from tests.mcp_pdf.hostile import FAMILIES, GOOD, Family
from tests.mcp_pdf.serving import Serving, serving

JOB_S = 2
DEADLINE_S = 30.0  # two rounds of jobs that take all their time, and a machine under load
TOOLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("extract_fields", {"document_type": "invoice"}),
    ("get_document_info", {}),
    ("read_form_fields", {}),
    ("read_attachments", {}),
    ("read_attachments", {"index": 0}),
    ("extract_tables", {"pages": "1"}),
    ("search_documents", {"query": "total"}),
    ("render_page", {"page": 1, "dpi": 40}),
)
FINE = CODES - {"internal", "not_a_pdf", "outside_library", "cancelled"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("hostile")
    (place / "library").mkdir()
    (place / "library" / "good.pdf").write_bytes(GOOD)
    (place / "neighbour").write_text("untouched", encoding="ascii")
    return place


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Serving]:
    cache = str(place / "cache")
    seconds = str(JOB_S)
    with serving(place / "library", MCP_PDF_CACHE_DIR=cache, MCP_PDF_OCR="off", MCP_PDF_JOB_SECONDS=seconds) as served:
        yield served


def text_of(result: Any) -> str:
    return str(result.content[-1].text)


def code_of(result: Any) -> str:
    return str(json.loads(text_of(result))["code"]) if result.is_error else "text"


def shows(family: Family, result: Any) -> bool:
    """Whether the pages say what they must, and nothing that they must not."""
    said = " ".join(page["text"] for page in json.loads(text_of(result))["pages"])
    return family.says in said and not (family.hides and family.hides in said)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_hostile_file_gets_text_or_a_stable_code_and_the_next_request_is_served(
    server: Serving, place: Path, name: str
) -> None:
    family = FAMILIES[name]
    (place / "library" / "hostile.pdf").write_bytes(family.make())
    asked = {"doc_id": "hostile.pdf"} | ({"password": family.password} if family.password else {})
    began = time.monotonic()
    read = server.raw("read_doc_contents", **asked)
    assert code_of(read) in family.codes, text_of(read)[:300]
    assert read.is_error or shows(family, read), text_of(read)[:300]
    tools = TOOLS[:2] if family.is_costly else TOOLS
    others = server.together([(tool, asked | arguments) for tool, arguments in tools])
    for (tool, _), result in zip(tools, others, strict=True):
        assert code_of(result) in FINE | family.codes | {"text"}, (tool, text_of(result)[:300])
    assert time.monotonic() - began < DEADLINE_S
    for result in (read, *others):
        assert "Traceback" not in text_of(result)
        assert str(place) not in text_of(result)
    assert server.call("extract_fields", doc_id="good.pdf", fields=["total"])["document"]["pages"] == 1


def test_the_files_left_no_trace_but_in_the_cache(server: Serving, place: Path) -> None:
    server.call("server_status")
    assert sorted(path.name for path in place.iterdir()) == ["cache", "library", "neighbour"]
    assert sorted(path.name for path in (place / "library").iterdir()) == ["good.pdf", "hostile.pdf"]
    assert (place / "neighbour").read_text(encoding="ascii") == "untouched"
    kept = {path.name.partition(".")[0].partition("-")[0] for path in (place / "cache").iterdir()}
    assert kept <= {"pages", "search", "quarantine"}
