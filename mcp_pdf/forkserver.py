"""The process that loads the PDF engines once and forks a worker for every request of the server.

It talks to the server over one SOCK_SEQPACKET socket: the server sends a kind of worker and the worker's end of a
socket; the answer is the pid with a pidfd. When a worker ends, its wait status follows. The server's death closes the
socket, which ends this process, whose death ends every worker (PR_SET_PDEATHSIG). Neither mcp nor asyncio is
imported here, so that the pages which workers share stay few.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Final

from mcp_pdf import isolation
from mcp_pdf.limits import OCR_WORKER, WorkerLimits, pdf_worker

# What every worker shares: imported here, so that no job pays for it and its memory is counted once.
PRELOAD: Final = (
    "mcp_pdf.worker",
    "mcp_pdf.jobs",
    "mcp_pdf.pdf.load",
    "mcp_pdf.extract.extraction",
    "pypdf",
    "lxml.etree",
)
FORKED, EXITED, MEMORY, FAILED = b"F", b"X", b"M", b"E"


def _memory_kb() -> int:
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:  # noqa: PTH123  pathlib costs memory here
        return next((int(line.split()[1]) for line in file if line.startswith("Pss:")), 0)


def _fork(control: socket.socket, kind: bytes, descriptor: int, network: str, limits: WorkerLimits) -> None:
    pid = os.fork()
    if pid == 0:
        control.close()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        from mcp_pdf import worker

        engine = None if kind == b"pdf" else kind.decode()
        worker.main(descriptor, limits if engine is None else OCR_WORKER, network, engine)  # never returns
    os.close(descriptor)
    handle = os.pidfd_open(pid)
    socket.send_fds(control, [FORKED + str(pid).encode()], [handle])
    os.close(handle)


def _reap(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        control.send(EXITED + b"%d %d" % (pid, status))


def _answer(control: socket.socket, network: str, limits: WorkerLimits) -> bool:
    """Handles one message; False when the server is gone."""
    try:
        message, descriptors, _flags, _address = socket.recv_fds(control, 64, 1)
    except OSError:
        return False
    if message == MEMORY:
        control.send(MEMORY + str(_memory_kb()).encode())
    elif message and descriptors:
        try:
            _fork(control, message, descriptors[0], network, limits)
        except OSError as exc:
            control.send(FAILED + str(exc.errno).encode())
    return bool(message)


def main(descriptor: int, job_s: int) -> None:
    """Serves until the server's end of the socket is closed; a PDF worker's job may take `job_s` of processor time."""
    isolation.die_with_parent()
    isolation.undumpable()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server decides when this ends
    control = socket.socket(fileno=descriptor)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for name in PRELOAD:
        importlib.import_module(name)
    network = isolation.private_network()
    limits = pdf_worker(job_s)
    gc.collect()
    gc.freeze()  # a collection in a worker then leaves the shared pages alone
    while True:
        ready, _, _ = select.select([control.fileno(), wake_read], [], [])
        if wake_read in ready:
            with suppress(BlockingIOError):
                os.read(wake_read, 4096)
            _reap(control)
        if control.fileno() in ready and not _answer(control, network, limits):
            os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
