"""Mutated documents by the thousand through the real server: no crash of it, no worker left over, no internal error.

    .venv/bin/python ops/bench/fuzz.py [--quick] [--count N] [--seconds S] [--seed N] [--keep DIRECTORY]

Seeds are the bundled samples, packed and unpacked, and the small hostile files of the tests. Ends after N inputs or S
seconds, whichever is first. An input that brings an internal error is kept in DIRECTORY. Exit code 1 when any figure
that must be 0 is not.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.mcp_pdf.mutation import mutated, seeds  # noqa: E402  # the root must be on the path first
from tests.mcp_pdf.serving import Serving, alive, eventually, serving  # noqa: E402

AT_ONCE = 8
TOOLS = (
    "read_doc_contents", "extract_fields", "get_document_info", "read_form_fields", "read_attachments",
    "extract_tables", "render_page",
)  # fmt: skip


@dataclass
class Outcome:
    """What came of the inputs so far."""

    inputs: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    internal: int = 0
    slowest_s: float = 0.0


def fuzz(server: Serving, directory: Path, options: argparse.Namespace) -> Outcome:
    chance = random.Random(options.seed)  # noqa: S311  repeatable, not secret
    corpus, outcome = seeds(), Outcome()
    end = time.monotonic() + options.seconds
    while outcome.inputs < options.count and time.monotonic() < end:
        inputs = [mutated(corpus, chance) for _ in range(min(AT_ONCE, options.count - outcome.inputs))]
        calls: list[tuple[str, dict[str, Any]]] = []
        for number, data in enumerate(inputs):
            (directory / f"{number}.pdf").write_bytes(data)
            tool = chance.choice(TOOLS)
            calls.append((tool, {"doc_id": f"{number}.pdf"} | ({"page": 1} if tool == "render_page" else {})))
        began = time.monotonic()
        results = server.together(calls)
        outcome.slowest_s = max(outcome.slowest_s, time.monotonic() - began)
        for (tool, _), data, result in zip(calls, inputs, results, strict=True):
            code = json.loads(result.content[-1].text)["code"] if result.is_error else "result"
            outcome.codes[code] += 1
            if code == "internal":
                outcome.internal += 1
                keep(options.keep, f"{options.seed}-{outcome.inputs}-{tool}.pdf", data)
        outcome.inputs += len(inputs)
    return outcome


def keep(directory: Path | None, name: str, data: bytes) -> None:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="500 inputs, 45 seconds at most")
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.count, options.seconds = min(options.count, 500), min(options.seconds, 45.0)
    with tempfile.TemporaryDirectory() as name, serving(Path(name), MCP_PDF_OCR="off") as server:
        first = server.call("server_status")
        outcome = fuzz(server, Path(name), options)
        last = server.call("server_status")
    crashes = int(first["forkserver_pid"] != last["forkserver_pid"])
    pids = last["workers"]["pids"]
    leaked = max(0, len(pids) - last["workers"]["size"])
    if not eventually(lambda: not any(map(alive, pids))):
        leaked += sum(map(alive, pids))
    for code, count in outcome.codes.most_common():
        print(f"{code:24} {count:6}")
    print("worker restarts:", last["worker_restarts"])
    print(
        f"inputs={outcome.inputs} internal={outcome.internal} server_crashes={crashes} workers_leaked={leaked} "
        f"slowest_batch_s={outcome.slowest_s:.1f}"
    )
    return int(bool(outcome.internal or crashes or leaked))


if __name__ == "__main__":
    raise SystemExit(main())
