"""`extract`: one shot, no server; progress on stderr, results on stdout, on request with their pages as HTML."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from agent.cli.one_shot import OneShot, one_shot
from agent.cli.sheets import Sheets
from agent.cli.wish import wish_of
from agent.config import Config
from agent.errors import AgentError


def extract(options: argparse.Namespace) -> int:
    """1 when any file failed. Several files give a JSON line each."""
    return asyncio.run(_extract(options))


async def _extract(options: argparse.Namespace) -> int:
    wish = wish_of(options)
    password = options.password_file.read_text(encoding="utf-8").rstrip("\n") if options.password_file else None
    sheets = Sheets(options.html) if options.html else None
    failed = 0
    async with one_shot(Config.from_env(os.environ)) as work:
        for path in options.files:
            result = await _one(work, path, wish, password)
            failed += "error" in result
            _show(result, options.format, several=len(options.files) > 1)
            if sheets is not None and "error" not in result:
                await sheets.add(work, path, result, password)
    if sheets is not None:
        sheets.write()
    return 1 if failed else 0


async def _one(work: OneShot, path: Path, wish: dict[str, Any], password: str | None) -> dict[str, Any]:
    async def tell(words: str) -> None:
        print(f"{path.name}: {words}", file=sys.stderr)

    try:
        return await work.extract(path, wish, password=password, progress=tell)
    except AgentError as exc:
        print(f"{path.name}: {exc.message}" + (f" {exc.hint}" if exc.hint else ""), file=sys.stderr)
        return {"document": {"id": path.name}, "error": exc.body()}


def _show(result: dict[str, Any], style: str, *, several: bool) -> None:
    if "error" in result or style == "json":
        print(orjson.dumps(result, option=0 if several else orjson.OPT_INDENT_2).decode())
    elif style == "csv":
        print(_csv(result), end="")
    else:
        for one in (result, *result.get("more", ())):  # a file may hold several documents
            _table(one)


def _table(result: dict[str, Any]) -> None:
    document = result["document"]
    print(f"{document['id']}  {document.get('document_type')}  {document['pages']} page(s)")
    for pointer, value, proof in leaves(result):
        where = f"page {proof['page']}" if proof.get("page") else ""
        sure = proof.get("confidence") or proof.get("reason", "")
        print(f"  {pointer:32} {'' if value is None else value!s:40.40} {where:8} {sure}")
    for check in result["checks"]:
        print(f"  check {check['name']}: {'passed' if check['passed'] else 'FAILED'}")


def _csv(result: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["document", "field", "value", "page", "confidence"])
    for one in (result, *result.get("more", ())):
        for pointer, value, proof in leaves(one):
            sure = proof.get("confidence") or proof.get("reason")
            row = [one["document"]["id"], pointer, value, proof.get("page"), sure]
            writer.writerow([harmless(cell) for cell in row])
    return out.getvalue()


def harmless(cell: Any) -> str:
    """A spreadsheet must not run a value: what starts like a formula gets a quote before it."""
    text = "" if cell is None else str(cell)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def leaves(result: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """(JSON Pointer, value, evidence) of every leaf, in the order of the values."""

    def walk(node: Any, pointer: str) -> Iterator[tuple[str, Any]]:
        if isinstance(node, dict) and node:
            for key, child in node.items():
                yield from walk(child, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
        elif isinstance(node, list) and node:
            for at, child in enumerate(node):
                yield from walk(child, f"{pointer}/{at}")
        else:
            yield pointer, node

    for pointer, value in walk(result["values"], ""):
        yield pointer, value, result["evidence"].get(pointer, {})
