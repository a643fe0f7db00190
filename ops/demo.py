"""The demonstration behind `ops/demo`: the real service, one A2A request, the typed result with its evidence."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READY_S = 60
ASK = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "SendMessage",
    "params": {
        "message": {
            "messageId": "demo-1",
            "role": "ROLE_USER",
            "parts": [{"data": {"documents": ["invoice.pdf"], "document_type": "invoice"}}],
        }
    },
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int, data: str) -> subprocess.Popen[bytes]:
    own = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    environment = own | {
        "PORT": str(port),
        "DATA_DIR": data,
        "MCP_PDF_SERVER_DIR": str(ROOT / "agent" / "samples"),
        "LOG_LEVEL": "WARNING",
    }
    return subprocess.Popen([sys.executable, "-m", "agent", "serve"], cwd=ROOT, env=environment)


def wait_ready(port: int, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if service.poll() is not None:
            raise SystemExit(f"the service ended with exit code {service.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.05)
    raise SystemExit(f"the service was not ready within {READY_S} s")


def ask(port: int) -> dict[str, object]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/",
        json.dumps(ASK).encode(),
        {"Content-Type": "application/json", "A2A-Version": "1.0"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        body = json.load(answer)
    if "error" in body:
        raise SystemExit(f"the service refused: {body['error']}")
    task: dict[str, object] = body["result"]["task"]
    return task


def show(task: dict) -> None:
    state = task["status"]["state"]
    print(f"task {task['id']}: {state}\n")
    if state != "TASK_STATE_COMPLETED":
        raise SystemExit(json.dumps(task["status"], indent=2))
    values, rest = (part["data"] for part in task["artifacts"][0]["parts"])
    print("values")
    print(json.dumps(values, indent=2, ensure_ascii=False))
    print("\nevidence")
    for pointer, proof in rest["evidence"].items():
        if "reason" in proof:
            print(f"  {pointer:28} null: {proof['reason']}")
            continue
        box = " ".join(f"{x:.0f}" for x in proof["boxes"][0]) if proof.get("boxes") else "-"
        where = f"page {proof['page']} box {box}" if proof.get("page") else "not on a page"
        print(f"  {pointer:28} {proof['text']!r:34} {where:34} {proof['match']}, {proof['confidence']}")
    for check in rest["checks"]:
        print(f"check {check['name']}: {'passed' if check['passed'] else 'FAILED'}")
    usage = rest["usage"]
    print(f"\n{usage['pages']} page(s) in {usage['seconds']} s, model: {usage['model']}")


def main() -> int:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="extraction-demo-") as data:
        service = start(port, data)
        try:
            wait_ready(port, service)
            print(f"the service is ready at http://127.0.0.1:{port}/ with the sample documents\n")
            show(ask(port))
        finally:
            service.send_signal(signal.SIGTERM)
            code = service.wait(40)
        print(f"the service stopped with exit code {code}")
        return code


if __name__ == "__main__":
    raise SystemExit(main())
