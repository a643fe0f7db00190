"""A small MCP server on raw pipes that misbehaves on request. No SDK: it is up in a blink."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

TOOLS = (
    "echo",
    "environment",
    "fail",
    "refuse",
    "prose",
    "big",
    "count",
    "park",
    "stop",
    "die",
    "close",
    "junk",
    "brood",
)
marks = os.environ.get("MCP_PDF_MARKS", "")  # a directory where things leave a trace for the test


def mark(name: str, text: str = "") -> None:
    if marks:
        with open(os.path.join(marks, name), "a", encoding="utf-8") as file:  # noqa: PTH118, PTH123 - starts in a blink
            file.write(text + "\n")


def say(**message: Any) -> None:
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    sys.stdout.buffer.flush()


def reply(to: Any, text: str, *, is_error: bool = False) -> None:
    say(id=to, result={"content": [{"type": "text", "text": text}], "isError": is_error})


def call(request: dict[str, Any]) -> None:
    to, name = request["id"], request["params"]["name"]
    arguments = request["params"].get("arguments") or {}
    match name:
        case "server_status":
            reply(to, json.dumps({"pid": os.getpid()}))
        case "echo":
            reply(to, json.dumps({"pid": os.getpid(), "size": len(json.dumps(arguments))}))
        case "environment":
            reply(to, json.dumps(dict(os.environ)))
        case "fail":
            reply(
                to,
                '{"code":"not_a_pdf","message":"This is no PDF.","hint":"Send one.","retryable":false}',
                is_error=True,
            )
        case "refuse":
            reply(to, "Unknown tool", is_error=True)
        case "prose":
            reply(to, "not json")
        case "big":
            reply(to, json.dumps("x" * arguments["size"]))
        case "junk":
            sys.stdout.write("a stray line\n")
            reply(to, "{}")
        case "count":
            token = request["params"]["_meta"]["progressToken"]
            for page in (1, 2, 3):
                params = {"progressToken": token, "progress": page, "total": 3, "message": f"reading page {page} of 3"}
                say(method="notifications/progress", params=params)
            reply(to, "{}")
        case _:
            misbehave(name, arguments)


def misbehave(name: str, arguments: dict[str, Any]) -> None:
    """None of these is answered, the first time."""
    match name:
        case "park":
            mark("parked")
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "close":
            os.close(1)
        case "brood":
            subprocess.Popen(["sleep", "300"], stdin=subprocess.DEVNULL)
            mark("brooding")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    if mode == "exit":
        print("the reason it gives", file=sys.stderr)
        sys.exit(3)
    mark("starts", str(os.getpid()))
    for line in sys.stdin.buffer:
        message = json.loads(line)
        method = message.get("method")
        if mode == "mute" or (mode == "deaf" and method == "tools/list"):
            continue
        if method == "initialize":
            version = message["params"]["protocolVersion"]
            capabilities: dict[str, Any] = {"tools": {}}
            info = {"name": "scripted", "version": "1"}
            say(id=message["id"], result={"protocolVersion": version, "capabilities": capabilities, "serverInfo": info})
        elif method == "tools/list":
            tools = [{"name": name, "description": name, "inputSchema": {"type": "object"}} for name in TOOLS]
            say(id=message["id"], result={"tools": tools})
        elif method == "tools/call":
            call(message)
        elif method == "notifications/cancelled":
            mark("cancelled")
        elif "id" in message:
            say(id=message["id"], error={"code": -32601, "message": "Method not found"})


mode = sys.argv[1] if len(sys.argv) > 1 else ""
if __name__ == "__main__":
    main()
