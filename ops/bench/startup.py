"""How soon the service is ready, against a bare `import mcp` of the same run; and what it holds idle.

ready_s: from starting `serve` to 200 on /health/ready, median of the rounds. x_of_bare_import: that over the median
time of a fresh interpreter that only imports mcp. idle_pss_mb: proportional memory of agent, mcp_pdf, forkserver and
two workers together; each process reports its own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bare_import_s() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import mcp"], check=True)
    return time.perf_counter() - began


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def one_round(cases: Path) -> tuple[float, float]:
    """(seconds to ready, MB of proportional memory)."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
        environment |= {"PORT": str(port), "DATA_DIR": data, "MCP_PDF_SERVER_DIR": str(cases)}
        environment |= {"MCP_PDF_WORKERS": "2", "LOG_LEVEL": "WARNING"}
        began = time.perf_counter()
        service = subprocess.Popen([sys.executable, "-m", "agent", "serve"], env=environment, cwd=ROOT)
        try:
            while get(port, "/health/ready")[0] != 200:
                if service.poll() is not None or time.perf_counter() - began > 60:
                    raise SystemExit("the service did not become ready")
                time.sleep(0.01)
            ready_s = time.perf_counter() - began
            memory = json.loads(get(port, "/admin/memory")[1])
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(40)
    parts = memory["mcp_pdf"]
    total_kb = memory["agent"] + parts["server"] + parts["forkserver"] + sum(parts["workers"])
    return ready_s, total_kb / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round in place of five")
    parser.add_argument("--cases", type=Path, default=ROOT / "agent" / "samples", help="directory of PDFs")
    options = parser.parse_args()
    rounds = 1 if options.quick else 5
    bare_import_s()  # the disk is warm for both
    bare = [bare_import_s() for _ in range(rounds)]
    measured = [one_round(options.cases) for _ in range(rounds)]
    bare_s = statistics.median(bare)
    ready_s = statistics.median(seconds for seconds, _ in measured)
    pss_mb = statistics.median(mb for _, mb in measured)
    print("| what | median |\n|---|--:|")
    print(f"| bare import of mcp | {bare_s:.2f} s |")
    print(f"| serve to ready | {ready_s:.2f} s |")
    print(f"| idle memory | {pss_mb:.0f} MB |")
    print(f"ready_s={ready_s:.3f} x_of_bare_import={ready_s / bare_s:.2f} idle_pss_mb={pss_mb:.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
