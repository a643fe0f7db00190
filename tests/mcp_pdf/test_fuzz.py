"""Mutated documents: a result or a stable code for each, the same server throughout, no worker left over."""

from __future__ import annotations

import json
import random
from pathlib import Path

from mcp_pdf.errors import CODES
from tests.mcp_pdf.mutation import mutated, seeds
from tests.mcp_pdf.serving import alive, eventually, serving

INPUTS = 300
AT_ONCE = 10
TOOLS = ("read_doc_contents", "extract_fields", "get_document_info", "read_form_fields", "extract_tables")


def test_no_mutated_document_ends_the_server_or_leaks_a_worker(tmp_path: Path) -> None:
    chance = random.Random(20261124)  # noqa: S311  repeatable, not secret
    corpus = seeds()
    with serving(tmp_path, MCP_PDF_OCR="off", MCP_PDF_JOB_SECONDS="2") as server:
        first = server.call("server_status")
        for start in range(0, INPUTS, AT_ONCE):
            calls = []
            for number in range(start, start + AT_ONCE):
                (tmp_path / f"{number % AT_ONCE}.pdf").write_bytes(mutated(corpus, chance))
                calls.append((chance.choice(TOOLS), {"doc_id": f"{number % AT_ONCE}.pdf"}))
            for call, result in zip(calls, server.together(calls), strict=True):
                body = json.loads(result.content[0].text)
                assert not result.is_error or body["code"] in CODES - {"internal"}, (start, call, body)
        last = server.call("server_status")
        assert last["forkserver_pid"] == first["forkserver_pid"]
        assert len(last["workers"]["pids"]) <= last["workers"]["size"]
    assert eventually(lambda: not any(map(alive, last["workers"]["pids"])))
