"""The server over stdio as a client sees it: tools, errors, cache, cancellation, and processes that always end."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from PIL import Image
from pypdf import PdfWriter

from mcp_pdf.tools import TOOLS
from tests.mcp_pdf.hostile import GOOD, deflated, many_pages, page, pdf
from tests.mcp_pdf.serving import SAMPLES, Serving, alive, eventually, serving

# A page that keeps a worker busy for seconds: many words in one place.
BUSY = pdf(page(deflated(b"BT /F1 9 Tf 9 9 Td " + b"(word ) Tj " * 900_000 + b"ET")))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("server")
    for sample in SAMPLES.glob("*.pdf"):
        (place / sample.name).write_bytes(sample.read_bytes())
    (place / "sixty.pdf").write_bytes(many_pages(60))
    both = PdfWriter()
    for name in ("invoice.pdf", "rechnung.pdf"):
        both.append(SAMPLES / name)
    both.write(place / "both.pdf")
    return place


@pytest.fixture(scope="module")
def server(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(
        place, MCP_PDF_CACHE_DIR=str(tmp_path_factory.mktemp("cache")), UPLOAD_DIR=str(place / "up")
    ) as served:
        yield served


def test_every_tool_is_listed_with_words_a_schema_and_annotations(server: Serving) -> None:
    listed = {tool.name: tool for tool in server.portal.call(server.client.list_tools).tools}
    assert sorted(listed) == sorted(tool.name for tool in TOOLS)
    for tool in TOOLS:
        assert len(listed[tool.name].description or "") > 20
        assert listed[tool.name].annotations.read_only_hint is tool.read_only
        if "doc_id" in tool.properties and tool.read_only:
            assert "password" in tool.properties


def test_an_invoice_is_extracted_with_proof(server: Serving) -> None:
    found = server.call("extract_fields", doc_id="invoice.pdf", fields=["invoice_number", "total"])
    assert found["values"] == {"invoice_number": "INV-2026-0042", "total": "1190.00"}
    assert found["document"]["id"] == "invoice.pdf"
    assert found["evidence"]["/total"]["page"] == 1
    assert found["evidence"]["/total"]["boxes"]


def test_a_file_of_two_invoices_gives_both(server: Serving) -> None:
    found = server.call("extract_fields", doc_id="both.pdf", fields=["invoice_number", "total"])
    (second,) = found["more"]
    assert (found["page_range"], second["page_range"]) == ("1", "2")
    assert found["values"] == {"invoice_number": "INV-2026-0042", "total": "1190.00"}
    assert second["values"]["total"] == "4299.95"
    assert second["document"]["id"] == "both.pdf"
    assert second["evidence"]["/total"]["page"] == 2


def test_the_effective_schema_is_told_on_request(server: Serving) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    found = server.call("extract_fields", doc_id="invoice.pdf", schema=schema, effective_schema=True)
    assert found["values"] == {"total": 1190.0}
    assert found["effective_schema"]["properties"]["total"]["type"] == ["number", "null"]


def test_located_values_have_boxes_and_invented_ones_do_not(server: Serving) -> None:
    found = server.call("locate_values", doc_id="invoice.pdf", values={"a": "INV-2026-0042", "b": "Nowhere 77-X"})
    assert found["evidence"]["/a"]["boxes"]
    assert found["evidence"]["/b"]["match"] == "unlocated"


def test_a_long_document_is_read_in_parts_that_say_where_to_go_on(server: Serving) -> None:
    first = server.call("read_doc_contents", doc_id="sixty.pdf")
    assert (len(first["pages"]), first["truncated"], first["next_pages"]) == (20, True, "21-60")
    rest = server.call("read_doc_contents", doc_id="sixty.pdf", pages="55-", layout="boxes")
    assert [one["page"] for one in rest["pages"]] == list(range(55, 61))
    assert rest["pages"][0]["words"][0][0] == "Total"
    assert server.call("classify_document", doc_id="sixty.pdf")["document"]["id"] == "sixty.pdf"


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "word"),
    [
        ("nothing", {}, "invalid_request", "nothing"),
        ("read_doc_contents", {}, "invalid_request", "doc_id"),
        ("read_doc_contents", {"doc_id": 7}, "invalid_request", "doc_id"),
        ("read_doc_contents", {"doc_id": "invoice.pdf", "pages": "3-x"}, "invalid_request", "pages"),
        ("read_doc_contents", {"doc_id": "invoice.pdf", "pages": "9"}, "invalid_request", "page 9"),
        ("read_doc_contents", {"doc_id": "invoice.pdf", "surprise": 1}, "invalid_request", "surprise"),
        ("extract_fields", {"doc_id": "invoice.pdf", "fields": ["a"], "schema": {}}, "invalid_request", "fields"),
        ("release_document", {"sha256": "x"}, "invalid_request", "sha256"),
    ],
)
def test_a_malformed_call_is_told_what_is_wrong(
    server: Serving, tool: str, arguments: dict[str, object], code: str, word: str
) -> None:
    body = server.fail(tool, **arguments)
    assert body["code"] == code
    assert word in body["message"]


def test_a_second_question_does_not_parse_again_until_the_document_is_forgotten(server: Serving) -> None:
    server.call("read_doc_contents", doc_id="receipt.pdf")
    jobs = server.call("server_status")["jobs_done"]
    server.call("read_doc_contents", doc_id="receipt.pdf")
    server.call("read_doc_contents", doc_id="receipt.pdf", layout="boxes")
    assert server.call("server_status")["jobs_done"] == jobs
    assert server.call("forget_document", doc_id="receipt.pdf") == {"forgotten": True}
    server.call("read_doc_contents", doc_id="receipt.pdf")
    assert server.call("server_status")["jobs_done"] == jobs + 1


def test_the_server_process_never_loads_a_pdf_engine() -> None:
    code = (
        "import sys, mcp_pdf.server, mcp_pdf.http, mcp_pdf.__main__\n"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('pypdfium2', 'pypdfium2_raw', 'pypdf', 'lxml', 'PIL') or name.startswith(('mcp_pdf.pdf', 'mcp_pdf.ex'))])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.strip() == "[]"


def test_a_form_s_fields_and_a_document_s_attachments_are_read(server: Serving) -> None:
    fields = server.call("read_form_fields", doc_id="supplier_form.pdf")["fields"]
    assert any(one["value"] for one in fields)
    listed = server.call("read_attachments", doc_id="invoice_facturx.pdf")["attachments"]
    assert len(listed) == 1
    content = server.call("read_attachments", doc_id="invoice_facturx.pdf", index=0)
    assert b"CrossIndustryInvoice" in base64.b64decode(content["base64"])
    assert server.fail("read_attachments", doc_id="invoice.pdf", index=3)["code"] == "not_found"


def test_a_page_is_shown_with_the_box_of_a_value_marked(server: Serving) -> None:
    found = server.call("extract_fields", doc_id="invoice.pdf", fields=["total"])["evidence"]["/total"]
    asked = {"doc_id": "invoice.pdf", "page": found["page"], "highlight": found["boxes"]}
    image, words = server.raw("render_page", **asked).content
    told = json.loads(words.text)
    assert image.mime_type == told["mime_type"] == "image/jpeg"
    assert told["page_size"] == found["page_size"]
    picture = Image.open(io.BytesIO(base64.b64decode(image.data)))
    assert picture.size == (told["width"], told["height"])
    x0, y0, _x1, y1 = (edge * told["dpi"] / 72 for edge in found["boxes"][0])
    red, green, blue = picture.getpixel((int(x0), int((y0 + y1) / 2)))
    assert min(red, green) > blue + 80  # yellow
    assert server.fail("render_page", doc_id="invoice.pdf", page=9)["code"] == "invalid_request"


def test_tables_come_with_the_boxes_of_their_cells(server: Serving) -> None:
    found = server.call("extract_tables", doc_id="invoice.pdf")
    amounts = [row["cells"][-1] for table in found["tables"] for row in table["rows"] if row["kind"] == "body"]
    assert amounts
    assert all(cell["box"] for cell in amounts)
    assert found["truncated"] is False


def test_document_info_tells_pages_and_grades(server: Serving) -> None:
    info = server.call("get_document_info", doc_id="invoice.pdf")
    assert info["pages"] == 1
    assert info["page_grades"] == {"1": "text"}


def test_isolation_is_reported(server: Serving) -> None:
    isolation = server.call("server_status")["isolation"]
    assert sorted(isolation) == ["dumpable", "landlock", "network", "seccomp"]
    assert all(state == "active" or state.startswith("unavailable: ") for state in isolation.values())


def test_a_cancelled_call_ends_its_worker_and_the_next_call_is_served(server: Serving, place: Path) -> None:
    (place / "busy.pdf").write_bytes(BUSY)
    before = server.workers

    async def cancelled() -> None:
        with anyio.move_on_after(1.0):
            await server.client.call_tool("read_doc_contents", {"doc_id": "busy.pdf"})

    server.portal.call(cancelled)
    assert eventually(lambda: not all(map(alive, before)))
    assert server.call("read_doc_contents", doc_id="invoice.pdf")["page_count"] == 1


def test_a_killed_worker_is_replaced_unseen(server: Serving) -> None:
    for pid in server.workers:
        os.kill(pid, signal.SIGKILL)
    assert server.call("extract_fields", doc_id="invoice.pdf", fields=["total"])["values"] == {"total": "1190.00"}


def test_a_killed_forkserver_takes_its_workers_along_and_is_replaced(server: Serving) -> None:
    status = server.call("server_status")
    os.kill(status["forkserver_pid"], signal.SIGKILL)
    assert eventually(lambda: not any(map(alive, status["workers"]["pids"])))
    assert server.call("extract_fields", doc_id="rechnung.pdf")["values"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_survives_the_server(place: Path, number: signal.Signals) -> None:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath, "MCP_PDF_WORKERS": "2"}
    command = [sys.executable, "-m", "mcp_pdf", "--dir", str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert eventually(lambda: len(_below(process.pid)) == 3)
        family = _below(process.pid)
        process.send_signal(number)
        process.wait(10)
        assert eventually(lambda: not any(map(alive, family)))


def test_the_end_of_stdin_ends_the_server_and_its_workers(place: Path) -> None:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath, "MCP_PDF_WORKERS": "2"}
    command = [sys.executable, "-m", "mcp_pdf", "--dir", str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert eventually(lambda: len(_below(process.pid)) == 3)
        family = _below(process.pid)
        process.stdin.close()
        assert process.wait(10) == 0
        assert eventually(lambda: not any(map(alive, family)))


def _below(pid: int) -> list[int]:
    """All descendants of a process."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    children = [int(child) for child in text.split()]
    return [*children, *(grandchild for child in children for grandchild in _below(child))]


def test_a_file_that_ends_its_worker_twice_is_quarantined_over_restarts_until_released(tmp_path: Path) -> None:
    library, cache = tmp_path / "library", tmp_path / "cache"
    library.mkdir()
    cache.mkdir()
    (library / "good.pdf").write_bytes(GOOD)
    with serving(library, MCP_PDF_CACHE_DIR=str(cache)) as server:
        sha256 = server.call("list_available_pdfs")["documents"][0]["sha256"]
    (cache / "quarantine.json").write_text(json.dumps({sha256: {"kills": 2}}), encoding="ascii")
    with serving(library, MCP_PDF_CACHE_DIR=str(cache)) as server:
        assert server.fail("read_doc_contents", doc_id="good.pdf")["code"] == "quarantined"
        assert server.call("release_document", sha256=sha256) == {"released": True}
        assert server.call("read_doc_contents", doc_id="good.pdf")["page_count"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "MCP_PDF_SERVER_DIR"),
        (["--dir", "/nowhere/at/all"], "/nowhere/at/all"),
        (["--dir", "/usr", "--transport", "http", "--host", "0.0.0.0"], "MCP_PDF_TOKEN"),
        (["--dir", "/usr", "--workers", "many"], "MCP_PDF_WORKERS"),
    ],
)
def test_wrong_settings_end_the_start_with_a_sentence(arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "mcp_pdf", *arguments]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert shown.returncode == 2
    assert words in shown.stderr
