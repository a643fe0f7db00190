"""How much of what documents say is extracted, and how much of that is right: a cases file through the real server.

    .venv/bin/python ops/bench/extraction.py [--quick] [--cases CASES.jsonl] [--real-visual] [--half 0|1]

Every case is one `extract_fields` call to an `mcp_pdf` process on stdio; `score.py` judges the answers. Without --cases
the bundled samples are the cases. --quick takes at most a minute. --real-visual leaves out synthetic cases and those
with a structured source; --half takes one half of the templates, so that what is tuned on one can be shown on the
other; the table shows both. --strictness is that of the request.

f1, wrong_rate: over all values asked for, strictly. row_f1: over line items. high_precision, high_recall: of the values
whose evidence says `high`. cpu_ms_per_page: median over documents with a text layer of the CPU that server and workers
took a page, end to end.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import score  # noqa: E402  # it lies beside this file
from sample_cases import sample_cases  # noqa: E402

SAMPLES = ROOT / "agent" / "samples"
QUICK_S = 45.0
SLOWEST = 5


@dataclass
class Run:
    """Answers by case and what each took."""

    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    cpu_ms_per_page: dict[str, float] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)


def read_cases(options: argparse.Namespace) -> tuple[list[dict[str, Any]], Path]:
    """The chosen cases and the directory of their files."""
    if options.cases is None:
        cases, directory = sample_cases(), SAMPLES
    else:
        cases = [json.loads(line) for line in options.cases.read_text(encoding="utf-8").splitlines() if line.strip()]
        directory = options.cases.parent
    if options.real_visual:
        cases = [c for c in cases if not c["synthetic"] and c["variant"] not in score.STRUCTURED]
    if options.half is not None:
        cases = [c for c in cases if half_of(c["template"]) == options.half]
    return cases, directory


def half_of(template: str) -> int:
    """Which half of the templates one belongs to: by its hash, so that it stays there when cases are added."""
    return hashlib.sha256(template.encode()).digest()[0] % 2


def cpu_s(pids: list[int]) -> float:
    """CPU seconds of all threads of these processes, by the scheduler's nanoseconds."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(task.read_text(encoding="ascii").split()[0])
    return total / 1e9


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


async def through_mcp(cases: list[dict[str, Any]], directory: Path, options: argparse.Namespace) -> Run:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_pdf", "--dir", str(directory)],
        env={"PYTHONPATH": str(ROOT), "MCP_PDF_WORKERS": "1"},
        cwd=ROOT,
    )
    run = Run()
    began = time.monotonic()
    async with Client(server) as client:
        status = json.loads((await client.call_tool("server_status", {})).content[0].text)
        servers = [status["forkserver_pid"], parent_of(status["forkserver_pid"])]
        for case in cases:
            if options.quick and time.monotonic() - began > QUICK_S:
                break
            workers = json.loads((await client.call_tool("server_status", {})).content[0].text)["workers"]["pids"]
            pids = [*servers, *workers]
            before = cpu_s(pids)
            wish = {"doc_id": case["file"], "fields": case["fields"], "strictness": options.strictness}
            answer = await client.call_tool("extract_fields", wish)
            body = json.loads(answer.content[0].text)
            if answer.is_error:
                run.failed[body["code"]] += 1
                body = {"values": {}, "evidence": {}, "usage": {"pages": 1}}
            run.results[case["case_id"]] = body
            run.cpu_ms_per_page[case["case_id"]] = 1000 * (cpu_s(pids) - before) / max(1, body["usage"]["pages"])
    return run


def judged(cases: list[dict[str, Any]], run: Run, confidence: str | None = None) -> Iterator[Any]:
    """(case, outcomes by field, row counter) of each case that was run."""
    for case in cases:
        body = run.results.get(case["case_id"])
        if body is None:
            continue
        values = body["values"]
        if confidence is not None:
            values = {k: v for k, v in values.items() if score.sure(body["evidence"], k, confidence)}
        yield (case, *score.judge(case, values))


def show(cases: list[dict[str, Any]], run: Run) -> None:
    """The table by family, then the slowest cases."""
    groups = defaultdict(list)
    for one in judged(cases, run):
        groups[f"{one[0]['family']}/{one[0]['variant']}"].append(one)
    for name in sorted(groups):
        score.show(name, groups[name])
    every = [one for group in groups.values() for one in group]
    for half in (0, 1):  # of the templates: rules that know an issuer would show as a gap between the two
        if some := [one for one in every if half_of(one[0]["template"]) == half]:
            score.show(f"half {half} of the templates", some)
    score.show("all", every)
    slow = sorted(run.cpu_ms_per_page.items(), key=lambda pair: -pair[1])[:SLOWEST]
    for case_id, took in slow:
        print(f"slow  {case_id:30s} {took:9.1f} CPU ms a page")
    for code, count in run.failed.items():
        print(f"error {code:30s} {count:9d} cases")


def has_text(case: dict[str, Any], body: dict[str, Any]) -> bool:
    """Whether a case was read without recognising pictures of text."""
    read = any(entry.get("source") == "ocr" for entry in body["evidence"].values())
    return case["variant"] != "scan" and not read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--real-visual", action="store_true")
    parser.add_argument("--strictness", default="balanced", choices=["precise", "balanced", "eager"])
    parser.add_argument("--half", type=int, choices=[0, 1])
    options = parser.parse_args()
    cases, directory = read_cases(options)
    if options.quick:  # spread over the file, which is sorted by family
        cases = [case for start in range(7) for case in cases[start::7]]
    run = asyncio.run(through_mcp(cases, directory, options))
    show(cases, run)
    slots, rows = score.total(list(judged(cases, run)))
    figures = score.figures(slots, rows)
    sure = score.figures(score.total(list(judged(cases, run, "high")))[0])
    of_text = [
        run.cpu_ms_per_page[c["case_id"]]
        for c in cases
        if c["case_id"] in run.results and has_text(c, run.results[c["case_id"]])
    ]
    print(
        f"f1={figures['f1']:.4f} wrong_rate={figures['wrong_rate']:.4f} row_f1={figures['row_f1']:.4f} "
        f"row_precision={figures['row_precision']:.4f} high_precision={sure['precision']:.4f} "
        f"high_recall={sure['recall']:.4f} cpu_ms_per_page={statistics.median(of_text) if of_text else 0:.1f} "
        f"n_cases={len(run.results)}"
    )


if __name__ == "__main__":
    main()
