"""One worker process: takes a job with open descriptors, runs it, sends frames back; forked, never started.

A frame is a kind and a length (`FRAME`), then the payload: progress and failures as JSON; an answer as a JSON head
with the lengths of the parts that follow it. The process reads no path: what it works on arrives as descriptors.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import socket
import struct
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import orjson

from mcp_pdf import isolation, jobs
from mcp_pdf.errors import INTERNAL, PdfError

if TYPE_CHECKING:
    from mcp_pdf.limits import WorkerLimits

FRAME: Final = struct.Struct("=cI")
PROGRESS, ANSWER, FAILURE, READY = b"P", b"A", b"E", b"R"
PAGE_BYTES: Final = resource.getpagesize()


@dataclass(slots=True)
class _Channel:
    """The worker's end of the socket to the server."""

    socket: socket.socket
    statm: int

    def send(self, kind: bytes, *parts: bytes) -> None:
        """By write(2): sendto is among the calls that are refused here."""
        for part in (FRAME.pack(kind, sum(map(len, parts))), *parts):
            left = memoryview(part)
            while left:
                left = left[os.write(self.socket.fileno(), left) :]

    def progress(self, done: int, total: int, text: str) -> None:
        self.send(PROGRESS, orjson.dumps([done, total, text]))

    def resident_bytes(self) -> int:
        return int(os.pread(self.statm, 128, 0).split()[1]) * PAGE_BYTES


def _limit(limits: WorkerLimits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.address_space_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits.open_files,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_size_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _raise_cpu_limit(cpu_s: int) -> None:
    """RLIMIT_CPU counts over the life of a process: grant each job its own share."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _read_all(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _failure(exc: BaseException) -> dict[str, Any]:
    """What an exception means to the caller; the server logs where a foreign one arose, but never its text, which
    may quote the document."""
    if isinstance(exc, PdfError):
        return exc.body()
    if isinstance(exc, MemoryError | RecursionError):
        return PdfError("limit_exceeded", "The document needs more than one job may use.").body()
    frames = "".join(traceback.format_tb(exc.__traceback__)[-8:])
    return INTERNAL.body() | {"trace": f"{type(exc).__name__}\n{frames}"}


def _work(channel: _Channel, descriptors: list[int]) -> bool:
    """Runs one job; False when the process should not take another."""
    request: dict[str, Any] = orjson.loads(_read_all(descriptors[0]))
    pages = _read_all(descriptors[2]) if len(descriptors) > 2 else b""
    try:
        answer = jobs.run(request, descriptors[1] if len(descriptors) > 1 else -1, pages, channel.progress)
    except Exception as exc:  # noqa: BLE001  the edge of the process: any fault of an engine becomes a failure frame
        channel.send(FAILURE, orjson.dumps(_failure(exc)))
        return not isinstance(exc, MemoryError)
    head = {"parts": [len(part) for part in answer.parts], "names": answer.names, "rss": channel.resident_bytes()}
    encoded = orjson.dumps(head)
    channel.send(ANSWER, struct.pack("=I", len(encoded)), encoded, *answer.parts)
    return True


def main(descriptor: int, limits: WorkerLimits, network: str, engine: str | None) -> NoReturn:
    """Serves jobs from the socket until the server closes it. An OCR engine reads its models before the process is
    confined, and before it meets a document."""
    isolation.die_with_parent()
    if engine is not None:
        from mcp_pdf.pdf import ocr

        ocr.load(engine)
    granted = {"dumpable": isolation.undumpable(), "network": network}
    channel = _Channel(socket.socket(fileno=descriptor), os.open("/proc/self/statm", os.O_RDONLY))
    jobs.memory_file = os.open("/proc/self/smaps_rollup", os.O_RDONLY)
    granted["landlock"] = isolation.no_files(isolation.readable_roots())
    granted["seccomp"] = isolation.no_system_calls()
    _limit(limits)
    channel.send(READY, orjson.dumps(granted))
    more = True
    while more:
        message, descriptors, _flags, _address = socket.recv_fds(channel.socket, 1, 4)
        if not message:
            break
        _raise_cpu_limit(limits.cpu_s)
        try:
            more = _work(channel, list(descriptors))
        finally:
            for number in descriptors:
                os.close(number)
    os._exit(0)
