"""What the runbooks tell somebody at night to do exists: commands, options, addresses, metrics, log lines, files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from aiohttp import web

from agent import cli
from agent.app import make_app
from agent.cli.pdf_server import pdf_server
from agent.config import Config
from agent.settings import table
from agent.telemetry.metrics import documentation

ROOT = Path(__file__).parents[2]
RUNBOOKS = sorted((ROOT / "ops" / "runbooks").glob("*.md"))
TEXT = {path: path.read_text(encoding="utf-8") for path in RUNBOOKS}
ALL = "\n".join(TEXT.values())
SETTINGS = set(re.findall(r"^\| `([A-Z_]+)`", table(Config), re.MULTILINE))


def blocks(text: str) -> list[str]:
    """The command lines of fenced blocks, continued ones joined, comments left out."""
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    return [re.sub(r"\s+# .*", "", line).strip() for line in fenced.splitlines()]


def own_commands() -> list[str]:
    """`extraction-agent …` in blocks and in running text; after `-n` it is the name of the namespace."""
    lines = [re.sub(r"(-n|namespace) extraction-agent\b", "", line) for text in TEXT.values() for line in blocks(text)]
    found = [called[1] for line in lines if (called := re.search(r"(?<![\w/-])extraction-agent ([a-z].*)", line))]
    return [*found, *re.findall(r"`extraction-agent ([a-z][^`…]*)`", ALL)]


@pytest.mark.parametrize("line", sorted(set(own_commands())))
def test_a_command_of_the_service_is_taken_by_its_command_line(line: str) -> None:
    words = shlex.split(re.split("[;|]", line, maxsplit=1)[0])
    assert cli.parser().parse_args(words).command in cli.COMMANDS


def test_the_runbooks_use_the_commands_that_matter() -> None:
    assert {line.split()[0] for line in own_commands()} >= {"doctor", "config", "keys", "purge", "healthcheck", "send"}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[re.Pattern[str]]:
    config = Config.from_env({"DATA_DIR": str(tmp_path_factory.mktemp("data"))})
    app: web.Application = make_app(config, pdf_server(config))
    return [re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(r.canonical))) for r in app.router.resources()]


def test_addresses_are_routes_of_the_service(routes: list[re.Pattern[str]]) -> None:
    paths = set(re.findall(r"(?:127\.0\.0\.1:8080|`|GET |POST )(/(?:admin|health|metrics)[/\w$-]*)", ALL))
    assert len(paths) > 5
    assert {path for path in paths if not any(route.fullmatch(path) for route in routes)} - {"/admin"} == set()


def test_metrics_are_those_of_the_service() -> None:
    known = {row.name for row in documentation()}
    prefixes = r"(?:extraction|mcp|llm|http|push|pdf_worker|cache|rate_limited|event_loop|log_lines|pool)"
    named = set(re.findall(rf"\b({prefixes}_\w+_(?:total|seconds|bytes|depth|requests)|mcp_up)(?:_bucket)?\b", ALL))
    assert len(named) > 10
    assert {name.removesuffix("_bucket") for name in named} <= known


def test_settings_are_those_of_the_service() -> None:
    of_others = {
        "LOCAL_PDF_DIR",
        "MCP_PDF_OCR",
        "SHA256",
        "SYS_PTRACE",
        "TASK",
        "KEY",
        "NEW",
        "POD",
        "NAME",
        "PASSWORD",
    }
    named = set(re.findall(r"`((?:[A-Z]+_)+[A-Z]+)(?:=[^`]*)?`", ALL))
    files = {name for name in named if name.removesuffix("_FILE") in SETTINGS}
    assert len(named) > 20
    assert named - SETTINGS - files <= of_others


def test_log_lines_are_those_of_the_service() -> None:
    sources = "\n".join(
        p.read_text(encoding="utf-8") for part in ("agent", "mcp_pdf") for p in (ROOT / part).rglob("*.py")
    )
    named = set(re.findall(r"log lines? `([a-z_]+\.[a-z_]+)`|audit line `([a-z_]+\.[a-z_]+)`", ALL))
    names = {name for pair in named for name in pair if name}
    assert len(names) >= 4
    assert all(f'"{name}"' in sources for name in names)


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_files_and_pages_are_there(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT[path]):
        assert (path.parent / link).is_file(), link
    for file in re.findall(r"(?<![\w/])((?:ops|tests|agent)/[\w./-]*\w)", TEXT[path]):
        assert (ROOT / file).exists(), file


def test_every_page_is_in_the_index() -> None:
    index = TEXT[ROOT / "ops" / "runbooks" / "README.md"]
    assert all(f"({path.name})" in index for path in RUNBOOKS if path.name != "README.md")
