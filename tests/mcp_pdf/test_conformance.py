"""The protocol's own kits: conformance scenarios over HTTP, the inspector's command line over stdio."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_pdf.tools import TOOLS
from tests.mcp_pdf.serving import SAMPLES, serving_http

ROOT = Path(__file__).parents[2]
# The other server scenarios ask for fixtures by name (test_simple_text, test://…, prompts) that this server has not.
SCENARIOS = (
    "server-initialize",
    "ping",
    "tools-list",
    "tools-call-error",
    "resources-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
)


@pytest.fixture(scope="module")
def kits() -> Path:
    """The directory of the kits' programs."""
    subprocess.run([ROOT / "ops" / "kits" / "install"], check=True, timeout=600)
    return Path(sys.prefix) / "kits" / "node_modules" / ".bin"


def node(kits: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1", "FORCE_COLOR": "0"}
    command = [str(Path(sys.prefix) / "bin" / "node"), str(kits / arguments[0]), *arguments[1:]]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving_http(SAMPLES) as address:
        yield address


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_conformance_scenario_passes_over_http(kits: Path, url: str, scenario: str) -> None:
    shown = node(kits, "conformance", "server", "--url", url, "--scenario", scenario)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "0 failed, 0 warnings" in shown.stdout


def inspect(kits: Path, method: str, *arguments: str) -> tuple[int, Any]:
    server = [sys.executable, "-m", "mcp_pdf", "--dir", str(SAMPLES), "--workers", "1"]
    shown = node(kits, "mcp-inspector", "--cli", *server, "--connect-timeout", "60000", "--method", method, *arguments)
    assert shown.stdout, shown.stderr
    return shown.returncode, json.JSONDecoder().raw_decode(shown.stdout)[0]


def test_the_inspector_lists_the_tools_without_complaint(kits: Path) -> None:
    code, listed = inspect(kits, "tools/list", "--strict")
    assert code == 0
    assert [tool["name"] for tool in listed["tools"]] == [tool.name for tool in TOOLS]


def test_the_inspector_calls_a_tool(kits: Path) -> None:
    code, result = inspect(kits, "tools/call", "--tool-name", "read_doc_contents", "--tool-arg", "doc_id=invoice.pdf")
    assert code == 0
    assert "1,190.00" in result["content"][0]["text"]


def test_the_inspector_sees_a_failure_as_the_tool_s_own(kits: Path) -> None:
    code, result = inspect(kits, "tools/call", "--tool-name", "read_doc_contents", "--tool-arg", "doc_id=none.pdf")
    assert code == 5
    assert result["isError"]
    assert json.loads(result["content"][0]["text"])["code"] == "not_found"


def test_the_inspector_reads_a_document_as_a_resource(kits: Path) -> None:
    code, read = inspect(kits, "resources/read", "--uri", "pdf:///invoice.pdf")
    assert code == 0
    assert "1,190.00" in read["contents"][0]["text"]
