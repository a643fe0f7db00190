"""The shape that keeps the code readable in an hour: short modules, short functions, no vague names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path
    for part in ("agent", "mcp_pdf", "ops", "tests")
    for path in (ROOT / part).rglob("*.py")
    if "node_modules" not in path.parts and not any(name.startswith(".") for name in path.relative_to(ROOT).parts)
)
VAGUE = {"utils", "helpers", "manager", "service", "base", "common", "misc"}


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_one_noun_that_can_be_read_at_once(path: Path) -> None:
    of_the_product = path.relative_to(ROOT).parts[0] in ("agent", "mcp_pdf")
    module_lines, function_lines = (350, 45) if of_the_product else (400, 60)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= module_lines
    long = [f.name for f in _functions(path) if (f.end_lineno or f.lineno) - f.lineno >= function_lines]
    assert not long, f"functions over {function_lines} lines: {long}"


def test_modules_are_named_for_what_they_hold() -> None:
    named = {
        path.stem: path
        for path in MODULES
        if path.is_relative_to(ROOT / "agent") or path.is_relative_to(ROOT / "mcp_pdf")
    }
    assert not VAGUE & named.keys()
