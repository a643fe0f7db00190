"""Which processes belong to an agent, read from /proc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, thread.read_text(encoding="ascii").split())
        except (FileNotFoundError, ProcessLookupError):
            continue  # the thread ended while it was read
    return found


def descendants(pid: int) -> Iterator[int]:
    for child in children(pid):
        yield child
        yield from descendants(child)


def pdf_server(agent: int) -> int:
    """The `mcp_pdf` process of an agent. Raises LookupError: it has none at the moment."""
    for pid in children(agent):
        if b"mcp_pdf" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise LookupError(f"process {agent} has no PDF server")


def pdf_worker(agent: int) -> int:
    """A process that parses: a grandchild of `mcp_pdf`, below its fork server. Raises LookupError."""
    for fork_server in children(pdf_server(agent)):
        for worker in children(fork_server):
            return worker
    raise LookupError(f"process {agent} has no PDF worker")
