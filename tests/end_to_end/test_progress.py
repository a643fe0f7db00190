"""The PDF server tells each step; the agent passes on what is not too soon after the last."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agent.pdf_client.command import ServerCommand, child_environment
from agent.pdf_client.session import PdfClient
from tests.service import SAMPLES


async def test_reading_extracting_and_checking_are_told_in_order(tmp_path: Path) -> None:
    settings = {"MCP_PDF_SERVER_DIR": str(SAMPLES), "MCP_PDF_CACHE_DIR": str(tmp_path), "MCP_PDF_WORKERS": "1"}
    command = ServerCommand((sys.executable, "-m", "mcp_pdf"), child_environment(os.environ, settings), SAMPLES)
    heard: list[str] = []

    async def hear(done: float, total: float | None, words: str) -> None:
        del done, total
        heard.append(words)

    async with PdfClient(command) as client:
        await client.call("extract_fields", {"doc_id": "purchase_order.pdf"}, timeout_s=60, progress=hear)
    assert heard == ["reading page 1 of 2", "extracting", "checking"]
