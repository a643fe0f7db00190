"""The events that the code logs, read from its calls of `log` and `audit`."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEVELS = {name: name.upper() for name in ("debug", "info", "warning", "error")} | {"exception": "ERROR"}


@dataclass(frozen=True)
class Event:
    """As the table names it: all levels, and all fields that some call of it has."""

    name: str
    levels: str
    fields: str


def events() -> list[Event]:
    """Every event of `agent` and `mcp_pdf`, in the order of their names."""
    levels: dict[str, set[str]] = defaultdict(set)
    fields: dict[str, set[str]] = defaultdict(set)
    for package in ("agent", "mcp_pdf"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for name, call_levels, call_fields in _calls(ast.parse(path.read_text(encoding="utf-8"))):
                levels[name] |= call_levels
                fields[name] |= call_fields
    return [
        Event(n, " ".join(sorted(levels[n])), " ".join(f"`{f}`" for f in sorted(fields[n]))) for n in sorted(levels)
    ]


def _calls(tree: ast.Module) -> Iterator[tuple[str, set[str], set[str]]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "audit")):
            continue
        if node.func.attr in LEVELS:
            yield _text(node.args[0]), {LEVELS[node.func.attr]}, _fields(node)
        elif node.func.attr == "log":
            named = {n.attr for n in ast.walk(node.args[0]) if isinstance(n, ast.Attribute)} & set(LEVELS.values())
            yield _text(node.args[1]), named, _fields(node)


def _text(node: ast.expr) -> str:
    """The event's name: what stands before a colon, where a library's words follow."""
    assert isinstance(node, ast.Constant), ast.unparse(node)
    return str(node.value).split(":")[0]


def _fields(call: ast.Call) -> set[str]:
    extra = next((k.value for k in call.keywords if k.arg == "extra"), None)
    if extra is None:
        return set()
    assert isinstance(extra, ast.Dict), ast.unparse(extra)
    return {str(key.value) for key in extra.keys if isinstance(key, ast.Constant)}
