"""The server's side of the forkserver and of one worker process: start, talk, kill, learn how it ended."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

FRAME: Final = struct.Struct("=cI")
PROGRESS, ANSWER, FAILURE, READY = b"P", b"A", b"E", b"R"
FORKED, EXITED, MEMORY = b"F", b"X", b"M"
EXIT_WAIT_S: Final = 2.0
START_WAIT_S: Final = 20.0
LOAD_WAIT_S: Final = 60.0  # for the models of an OCR engine, on a busy machine
MAX_READY_BYTES: Final = 65_536


class WorkerLost(Exception):
    """The process ended during a job; `status` is its wait status, None when nobody could tell."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"wait status {status}")
        self.status = status


class ForkserverLost(Exception):
    """The forkserver ended; a new one can be started."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a job sent back: named parts, and the size of the process afterwards."""

    parts: dict[str, bytes]
    resident_bytes: int


def start_forkserver(job_s: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Starts the process that preloads the engines; a job may take `job_s` of processor time.

    Needs no event loop: callers start it before heavy imports.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    root = str(Path(__file__).parent.parent)
    environment = {"PYTHONPATH": root, "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    environment |= {name: os.environ[name] for name in ("TESSDATA_PREFIX",) if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "mcp_pdf.forkserver", str(theirs.fileno()), str(job_s)],
        env=environment | {"MALLOC_ARENA_MAX": "1"},
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr if _is_open(2) else subprocess.DEVNULL,
        cwd="/",
    )
    theirs.close()
    ours.setblocking(False)
    return process, ours


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@dataclass(slots=True)
class Forkserver:
    """One forkserver process and the socket to it."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    exits: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    _answers: asyncio.Queue[tuple[bytes, bytes, int]] = field(default_factory=asyncio.Queue)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    lost: bool = False

    def listen(self) -> None:
        """Begins to receive; call once, in the event loop."""
        asyncio.get_running_loop().add_reader(self.control.fileno(), self._receive)

    def _receive(self) -> None:
        try:
            message, descriptors, _flags, _address = socket.recv_fds(self.control, 64, 1)
        except BlockingIOError:
            return
        except OSError:
            message, descriptors = b"", []
        kind, rest = message[:1], message[1:]
        if kind == EXITED:
            pid, status = map(int, rest.split())
            future = self.exits.pop(pid, None)
            if future is not None and not future.done():
                future.set_result(status)
        elif message:
            if kind == FORKED:  # before any news of its end can be handled
                self.exits[int(rest)] = asyncio.get_running_loop().create_future()
            self._answers.put_nowait((kind, rest, descriptors[0] if descriptors else -1))
        else:
            self._end()

    def _end(self) -> None:
        if self.lost:
            return
        self.lost = True
        asyncio.get_running_loop().remove_reader(self.control.fileno())
        self.control.close()
        self._answers.put_nowait((b"", b"", -1))
        for future in self.exits.values():
            future.cancel()
        self.exits.clear()

    async def _ask(self, message: bytes, descriptors: Sequence[int] = ()) -> tuple[bytes, bytes, int]:
        if self.lost:
            raise ForkserverLost
        async with self._lock:
            try:
                socket.send_fds(self.control, [message], list(descriptors))
            except OSError as exc:
                self._end()
                raise ForkserverLost from exc
            async with asyncio.timeout(START_WAIT_S):
                kind, rest, descriptor = await self._answers.get()
        if not kind:
            raise ForkserverLost
        return kind, rest, descriptor

    async def fork(self, kind: str) -> WorkerProcess:
        """A new worker of this kind, ready for its first job."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            answer, rest, handle = await self._ask(kind.encode(), [theirs.fileno()])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        if answer != FORKED:
            ours.close()
            raise ForkserverLost
        pid = int(rest)
        ended = self.exits.get(pid) or asyncio.get_running_loop().create_future()
        ours.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 20)
        worker = WorkerProcess(pid, handle, ours, reader, writer, ended)
        try:
            async with asyncio.timeout(START_WAIT_S if kind == "pdf" else LOAD_WAIT_S):
                _kind, payload = await worker.frame(MAX_READY_BYTES)
        except BaseException:
            worker.kill()
            raise
        worker.isolation = orjson.loads(payload)
        return worker

    async def memory_kb(self) -> int | None:
        """The forkserver's own report of its proportional memory."""
        try:
            kind, rest, _descriptor = await self._ask(MEMORY)
        except (ForkserverLost, TimeoutError):
            return None
        return int(rest) if kind == MEMORY else None

    def close(self) -> None:
        """Ends the forkserver and with it every worker."""
        with suppress(RuntimeError):
            self._end()
        self.process.kill()
        self.process.wait()


@dataclass(slots=True, eq=False)
class WorkerProcess:
    """One live worker: takes one job at a time."""

    pid: int
    handle: int  # pidfd: a kill by it cannot hit another process that got the same pid
    socket: socket.socket
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    exit: asyncio.Future[int]
    jobs: int = 0
    resident_bytes: int = 0
    isolation: dict[str, str] = field(default_factory=dict)
    dead: bool = False

    async def frame(self, most_bytes: int) -> tuple[bytes, bytes]:
        """The next frame. Raises WorkerLost when the process has ended or sends more than it may."""
        try:
            kind, length = FRAME.unpack(await self.reader.readexactly(FRAME.size))
            if length > most_bytes:
                raise EOFError(f"a frame of {length} bytes")
            return kind, await self.reader.readexactly(length)
        except (OSError, EOFError) as exc:
            raise WorkerLost(await self._status()) from exc

    async def _status(self) -> int | None:
        try:
            async with asyncio.timeout(EXIT_WAIT_S):
                return await asyncio.shield(self.exit)
        except (TimeoutError, asyncio.CancelledError):
            if self.exit.cancelled() or not self.exit.done():
                return None
            raise

    async def run(
        self,
        request: bytes,
        descriptors: Sequence[int],
        progress: Callable[[int, int, str], Awaitable[None]] | None,
        answer_bytes: int,
    ) -> Answer | dict[str, Any]:
        """Sends one job and waits for its answer, or the body of its failure."""
        message = memory_file("request", request)
        try:
            socket.send_fds(self.socket, [b"J"], [message, *descriptors])
        except OSError as exc:
            raise WorkerLost(await self._status()) from exc
        finally:
            os.close(message)
        self.jobs += 1
        while True:
            kind, payload = await self.frame(answer_bytes)
            if kind == ANSWER:
                return self._answer(payload)
            if kind == FAILURE:
                body: dict[str, Any] = orjson.loads(payload)
                return body
            if kind == PROGRESS and progress is not None:
                done, total, text = orjson.loads(payload)
                await progress(int(done), int(total), str(text))

    def _answer(self, payload: bytes) -> Answer:
        size = struct.unpack_from("=I", payload)[0]
        head = orjson.loads(payload[4 : 4 + size])
        self.resident_bytes = int(head["rss"])
        parts, position = {}, 4 + size
        for name, length in zip(head["names"], head["parts"], strict=True):
            parts[str(name)] = payload[position : position + length]
            position += length
        return Answer(parts, self.resident_bytes)

    def kill(self) -> None:
        """SIGKILL by pidfd; the forkserver reaps."""
        if self.dead:
            return
        self.dead = True
        with suppress(OSError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        os.close(self.handle)
        self.writer.transport.abort()


def memory_file(name: str, content: bytes) -> int:
    """A descriptor of an anonymous file with this content: a job of any size leaves in one small message."""
    descriptor = os.memfd_create(name)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    return descriptor
