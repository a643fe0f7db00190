#!/usr/bin/env python3
"""Tasks with a model: how near the service comes to the schedule that the model and its limits allow.

A local server of the Gemini REST API answers after 800 ms; the real service asks it through the real SDK. Reported:
the wall time of 200 concurrent tasks, in each of five rounds, against the ideal schedule of their calls under the rate
limit, the agent's CPU, its memory, tasks lost to storms of 429, lies that end as `high`, and what mode `auto` saves
against mode `model`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import aiohttp

from agent.model.limiter import BURST_S
from tests.gemini_server import KEY, GeminiServer, Seen, Turn, after, answer, in_thread, too_many
from tests.service import SAMPLES, Service, running

CALL_S = 0.8
RPM = 600  # ten calls a second: what two cores shared with the server and this program bear
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
STORM_RETRY_S = 0.5

WISHES: dict[str, list[str]] = {
    "invoice.pdf": ["invoice_number", "issue_date", "due_date", "net_total", "tax_total", "total", "iban"],
    "rechnung.pdf": ["invoice_number", "issue_date", "seller_name", "net_total", "total", "iban"],
    "facture.pdf": ["invoice_number", "issue_date", "due_date", "net_total", "total"],
    "invoice_facturx.pdf": ["invoice_number", "issue_date", "buyer_name", "total", "line_items"],
    "purchase_order.pdf": ["order_number", "issue_date", "buyer_name", "total"],
    "receipt.pdf": ["merchant_name", "issue_date", "total"],
}
LIES = [
    {"invoice_number": "INV-0000-0000", "total": "4711.00"},
    {"net_total": "1190.00", "total": "1000.00"},
    {"issue_date": "2026-10-14", "due_date": "2026-09-14"},
    {"invoice_number": "RE-10293", "iban": "DE02120300000000202051"},
]


def cpu_s(pid: int) -> float:
    """Processor time of one process, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_KB / 1024


async def send_all(url: str, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All at once; each request waits for its task's end."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int, data: dict[str, Any]) -> dict[str, Any]:
            message = {"messageId": f"m{number}", "role": "ROLE_USER", "parts": [{"data": data}]}
            body = {"jsonrpc": "2.0", "id": number, "method": "SendMessage", "params": {"message": message}}
            async with session.post(url, json=body, headers={"A2A-Version": "1.0"}) as response:
                found: dict[str, Any] = (await response.json())["result"]["task"]
                return found

        return await asyncio.gather(*(one(n, data) for n, data in enumerate(requests)))


def send(service: Service, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return asyncio.run(send_all(service.url, requests))


def result(task: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    values, rest = (part["data"] for part in task["artifacts"][0]["parts"])
    return values, rest


def lost(tasks: list[dict[str, Any]], name: str, value: str) -> int:
    """Tasks that did not complete, or completed without what the model gave."""
    good = sum(t["status"]["state"] == "TASK_STATE_COMPLETED" and result(t)[0].get(name) == value for t in tasks)
    return len(tasks) - good


def one_call() -> dict[str, Any]:
    """A wish whose last value only a model finds on the page: one call a task."""
    return {"documents": ["invoice.pdf"], "fields": ["invoice_number", "total", "calibrated_device"]}


GIVEN = {"calibrated_device": "Pressure sensor PS-200"}


def load(service: Service, server: GeminiServer, count: int, rounds: int) -> dict[str, float]:
    """`count` tasks at once in each of the rounds, each task with one call, under the limiter."""
    server.script = lambda _: after(CALL_S, answer(GIVEN))
    send(service, [one_call()] * 20)  # page words cached, connections open
    time.sleep(2 * BURST_S)  # the limiter's burst is whole again
    assert service.process is not None
    pid = service.process.pid
    rows = []
    missing = 0
    for _ in range(rounds):
        before, cpu, began = len(server.requests), cpu_s(pid), time.monotonic()
        tasks = send(service, [one_call()] * count)
        wall = time.monotonic() - began
        calls = len(server.requests) - before
        places = RPM / 60 * BURST_S
        ideal = max(0.0, calls - places) * 60 / RPM + CALL_S
        rows.append((wall / ideal, (cpu_s(pid) - cpu) / count * 1000, rss_mb(pid)))
        missing += lost(tasks, *next(iter(GIVEN.items())))
        print(f"{count} tasks, {calls} calls: {wall:.2f} s, ideal {ideal:.2f} s, load {os.getloadavg()[0]:.1f}, "
              f"CPU {rows[-1][1]:.1f} ms a task, {rows[-1][2]:.0f} MB")  # fmt: skip
        time.sleep(2 * BURST_S)
    return {
        "x_of_ideal_wall": max(row[0] for row in rows),
        "agent_cpu_ms_per_task": statistics.median(row[1] for row in rows),
        "agent_cpu_ms_worst_round": max(row[1] for row in rows),
        "rss_growth_mb": rows[-1][2] - rows[1][2],
        "lost": missing,
    }


def storm(service: Service, server: GeminiServer, count: int) -> int:
    """Tasks lost while the server bears half the configured pace and refuses all beyond it with 429."""
    answered: deque[float] = deque(maxlen=RPM // 60 // 2)

    def script(_: Seen) -> Turn:
        now = time.monotonic()
        if len(answered) == answered.maxlen and now - answered[0] < 1:
            return too_many(STORM_RETRY_S)
        answered.append(now)
        return after(CALL_S, answer(GIVEN))

    server.script = script
    before = len(server.requests)
    missing = lost(send(service, [one_call()] * count), *next(iter(GIVEN.items())))
    print(f"storm: {count} tasks, {len(server.requests) - before - count} refused calls, {missing} tasks lost")
    return missing


def lies(service: Service, server: GeminiServer) -> tuple[int, int]:
    """(lies told, lies that came out as `high`)."""
    told = high = 0
    for lie in LIES:
        for document in ("invoice.pdf", "facture.pdf", "receipt.pdf"):
            truth, _ = result(send(service, [{"documents": [document], "fields": list(lie), "mode": "embedded"}])[0])
            server.script = lambda _, lie=lie: answer(lie)
            request = {"documents": [document], "fields": list(lie), "mode": "model", "strictness": "eager"}
            values, rest = result(send(service, [request])[0])
            for name, value in lie.items():
                if truth.get(name) == value:
                    continue
                told += 1
                proof = rest["evidence"][f"/{name}"]
                high += values[name] == value and proof.get("confidence") == "high"
    return told, high


def saving(service: Service, server: GeminiServer) -> tuple[float, float]:
    """Percent of calls and of tokens that `auto` saves against `model`, over the sample documents."""
    server.script = lambda seen: answer(dict.fromkeys(seen.schema["properties"]))
    print(f"\n{'document':22} {'calls model':>11} {'auto':>5} {'tokens model':>13} {'auto':>7}")
    sums = {"model": [0, 0], "auto": [0, 0]}
    for document, fields in WISHES.items():
        row = {}
        for mode, found in sums.items():
            usage = result(send(service, [{"documents": [document], "fields": fields, "mode": mode}])[0])[1]["usage"]
            row[mode] = usage["model_calls"], usage["input_tokens"] + usage["output_tokens"]
            found[0] += row[mode][0]
            found[1] += row[mode][1]
        print(f"{document:22} {row['model'][0]:11} {row['auto'][0]:5} {row['model'][1]:13} {row['auto'][1]:7}")
    calls, tokens = (100 * (1 - sums["auto"][at] / sums["model"][at]) for at in (0, 1))
    return calls, tokens


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="60 tasks at once in two rounds, not 200 in five")
    count, rounds = (60, 2) if parser.parse_args().quick else (200, 5)
    settings = {
        "GOOGLE_API_KEY": KEY, "GEMINI_RPM": str(RPM), "MAX_CONCURRENT_TASKS": "200", "ENABLE_CACHE": "false",
        "DAILY_TOKEN_BUDGET": "500000000", "LLM_TIMEOUT": "30",
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, in_thread() as server:
        settings["GEMINI_BASE_URL"] = server.url
        with running(Path(folder) / "data", library=SAMPLES, settings=settings) as service:
            service.wait(lambda: service.get("/health/ready")[1]["checks"]["llm"])
            figures = load(service, server, count, rounds)
            calls, tokens = saving(service, server)
            told, high = lies(service, server)
            print(f"\n{told} lies told, {high} of them came out as high")
            figures["lost"] += storm(service, server, count // 2)
    figures |= {"lies_with_high_confidence": high, "calls_saved_percent": calls, "tokens_saved_percent": tokens}
    print(" ".join(f"{name}={value:.3g}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
