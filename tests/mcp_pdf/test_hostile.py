"""No file can hurt: for each family the text or a stable code, in time, and the next request is served."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_pdf.hostile import FAMILIES, GOOD
from tests.mcp_pdf.serving import Serving, serving

DEADLINE_S = 25.0  # 15 s of a job, waiting, and a machine under load


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Serving]:
    (place / "library").mkdir()
    (place / "library" / "good.pdf").write_bytes(GOOD)
    with serving(place / "library", MCP_PDF_CACHE_DIR=str(place / "cache")) as served:
        yield served


def outcome(server: Serving, tool: str, **arguments: Any) -> tuple[str, str]:
    result = server.raw(tool, **arguments)
    text = result.content[0].text
    return (json.loads(text)["code"] if result.is_error else "text"), text


@pytest.mark.parametrize("family", FAMILIES)
def test_a_hostile_file_gets_text_or_a_stable_code_and_the_next_request_is_served(
    server: Serving, place: Path, family: str
) -> None:
    make, expected = FAMILIES[family]
    name = family.replace(" ", "-") + ".pdf"
    (place / "library" / name).write_bytes(make())
    for tool in ("read_doc_contents", "extract_fields"):
        began = time.monotonic()
        code, text = outcome(server, tool, doc_id=name)
        assert code in expected | {"quarantined"}, text[:300]
        assert time.monotonic() - began < DEADLINE_S
        assert "Traceback" not in text
        assert str(place) not in text
    assert "42.00" in server.call("read_doc_contents", doc_id="good.pdf")["pages"][0]["text"]


def test_nothing_is_written_outside_the_cache(server: Serving, place: Path) -> None:
    outcome(server, "get_document_info", doc_id="good.pdf")
    assert sorted(path.name for path in place.iterdir()) == ["cache", "library"]
    assert all(path.suffix == ".pdf" for path in (place / "library").iterdir())
