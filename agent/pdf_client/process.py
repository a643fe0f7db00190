"""The server's process as asyncio sees it: pipes, its end, its last words, and the ways to end it.

asyncio's own subprocess support is not used: it cannot adopt a process that was started before the loop, and its
`wait` also waits for the pipes, which a grandchild can hold open for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

log = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 18
_LINE_LIMIT_BYTES = 64 << 20
_STDERR_LINES = 20
_STDERR_CHARS = 400
_SETTLE_S = 0.5
_LINGER_S = 0.2  # how long a dead process's pipe is still read, should somebody else hold it open


class Lines:
    """Cuts a byte stream at newlines and looks at each byte once."""

    def __init__(self, limit_bytes: int = _LINE_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._parts: list[bytes] = []
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes. Raises ValueError when a line gets too long."""
        *ends, rest = chunk.split(b"\n")
        lines = []
        for end in ends:
            lines.append(b"".join((*self._parts, end)))
            self._parts.clear()
            self._size_bytes = 0
        if rest:
            self._parts.append(rest)
            self._size_bytes += len(rest)
        if self._size_bytes > self._limit_bytes:
            raise ValueError(f"a line of more than {self._limit_bytes} bytes")
        return lines


class ServerProcess:
    """One running server. `gone` resolves to the reason as soon as it can answer no more."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._loop = asyncio.get_running_loop()
        self._exited = asyncio.Event()
        self._stdout = asyncio.StreamReader(limit=_CHUNK_BYTES * 4)
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES)
        self._transports: list[asyncio.BaseTransport] = []
        self._stdin: asyncio.StreamWriter | None = None
        self.gone: asyncio.Future[str] = self._loop.create_future()

    async def open(self) -> None:
        """Takes the pipes over."""
        threading.Thread(target=self._reap, name="pdf-server-reaper", daemon=True).start()
        await self._read(lambda: asyncio.StreamReaderProtocol(self._stdout), self._popen.stdout)
        await self._read(lambda: _Stderr(self._stderr), self._popen.stderr)
        transport, flow = await self._loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), self._popen.stdin
        )
        self._transports.append(transport)
        self._stdin = asyncio.StreamWriter(transport, flow, None, self._loop)

    async def _read(self, protocol: Callable[[], asyncio.BaseProtocol], pipe: IO[bytes] | None) -> None:
        transport, _ = await self._loop.connect_read_pipe(protocol, pipe)
        self._transports.append(transport)

    def _reap(self) -> None:
        self._popen.wait()
        with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile: nobody waits any more
            self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        self._exited.set()
        self._leave(self.end)
        self._loop.call_later(_LINGER_S, self._end_stdout)

    def _end_stdout(self) -> None:
        if not self._stdout.at_eof():
            self._stdout.feed_eof()

    def _leave(self, reason: str) -> None:
        if not self.gone.done():
            self.gone.set_result(reason)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        return self._popen.returncode

    @property
    def end(self) -> str:
        """How it ended; `closed` while the process itself is still there."""
        code = self._popen.returncode
        if code is None:
            return "closed"
        return "killed" if code < 0 else "exited"

    @property
    def last_words(self) -> tuple[str, ...]:
        """The last lines of stderr, bounded."""
        return tuple(self._stderr)

    @property
    def rss_bytes(self) -> int | None:
        """Resident memory now; None when the process has gone."""
        try:
            resident = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return None
        return int(resident) * os.sysconf("SC_PAGESIZE")

    async def read(self) -> bytes:
        """Some of stdout; empty at its end."""
        chunk = await self._stdout.read(_CHUNK_BYTES)
        if not chunk:
            self._leave("closed")
        return chunk

    async def write(self, line: bytes) -> None:
        """Onto stdin, waiting while the pipe is full. Raises ConnectionError."""
        stdin = cast("asyncio.StreamWriter", self._stdin)
        if stdin.is_closing():
            raise BrokenPipeError("the server's stdin is closed")
        stdin.write(line)
        await stdin.drain()

    def hang_up(self) -> None:
        """Asks the server to end: its input ends."""
        if self._stdin is not None:
            self._stdin.close()
        elif self._popen.stdin is not None:  # `open` was cut short before it took this pipe over
            self._popen.stdin.close()

    def kill(self) -> None:
        """Ends the whole process group at once; workers of a server that has died included."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    async def settle(self) -> int | None:
        """The exit code of a server that is ending just now; None when it runs on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_S):
                await self._exited.wait()
        return self._popen.returncode

    async def close(self, grace_s: float) -> None:
        """Ends the process if need be and waits for its end; afterwards nothing of its group lives."""
        self.hang_up()
        try:
            async with asyncio.timeout(grace_s):
                await self._exited.wait()
        except TimeoutError:
            log.warning("mcp.killed", extra={"pid": self.pid, "grace_s": grace_s})
        finally:
            self.kill()
            for transport in self._transports:
                _drop(transport)
            for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
                if pipe is not None:
                    pipe.close()  # now: the transports would do so one turn of the loop later, if there is one
        with contextlib.suppress(TimeoutError):  # uninterruptible in the kernel: the reaper thread goes on waiting
            async with asyncio.timeout(grace_s):
                await self._exited.wait()


def _drop(transport: asyncio.BaseTransport) -> None:
    """Closes a pipe without waiting for what a full one still holds."""
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    else:
        transport.close()


class _Stderr(asyncio.Protocol):
    """Keeps the last lines and hands each to the log."""

    def __init__(self, kept: deque[str]) -> None:
        self._lines = Lines(limit_bytes=1 << 20)
        self._kept = kept

    def data_received(self, data: bytes) -> None:
        try:
            lines = self._lines.feed(data)
        except ValueError:
            self._lines, lines = Lines(limit_bytes=1 << 20), []
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip()[:_STDERR_CHARS]
            if text:
                self._kept.append(text)
                log.info("mcp.stderr", extra={"line": text})
