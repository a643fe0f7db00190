"""A TCP proxy that troubles what passes through it: late, held back, slow, cut short, torn down."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to bytes from the upstream server. The default: nothing."""

    latency_s: float = 0
    bytes_per_s: float | None = None
    blackhole: bool = False
    """Connections are taken and stay; nothing passes in either direction."""
    reset: bool = False
    """Connections, old and new, end with RST."""
    cut_after: int | None = None
    """So many bytes of each connection pass, then it is closed in order."""


NONE = Trouble()


@dataclass(eq=False)
class Proxy:
    """Stands on `port` before the server on `upstream` of the loopback interface; lives in the running event loop."""

    upstream: int
    port: int = 0
    trouble: Trouble = NONE
    _lines: set[asyncio.StreamWriter] = field(default_factory=set)
    _calm: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._calm.set()

    @contextmanager
    def troubled(self, trouble: Trouble) -> Iterator[None]:
        """Reset hits the connections that are open, too; the other troubles leave them open."""
        self.trouble = trouble
        if trouble.blackhole:
            self._calm.clear()
        if trouble.reset:
            for line in self._lines:
                _reset(line)
        try:
            yield
        finally:
            self.trouble = NONE
            self._calm.set()

    async def serve(self, down: asyncio.StreamReader, down_writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(down, down_writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        await task

    async def _carry(self, down: asyncio.StreamReader, down_writer: asyncio.StreamWriter) -> None:
        self._lines.add(down_writer)
        try:
            if self.trouble.reset:
                _reset(down_writer)
                return
            await self._calm.wait()
            with contextlib.suppress(OSError):
                up, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
                try:
                    await self._both(down, down_writer, up, up_writer)
                finally:
                    up_writer.close()
        finally:
            self._lines.discard(down_writer)
            down_writer.close()

    async def close(self) -> None:
        """Ends every connection, and returns when nothing of them is left."""
        self._calm.set()
        for line in list(self._lines):
            line.transport.abort()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _both(
        self,
        down: asyncio.StreamReader,
        down_writer: asyncio.StreamWriter,
        up: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        """Ends when either side does: half-closed connections are of no use to HTTP and Redis."""
        ways = [
            asyncio.ensure_future(self._pass(down, up_writer, troubled=False)),
            asyncio.ensure_future(self._pass(up, down_writer, troubled=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, troubled: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._calm.wait()
                trouble = self.trouble if troubled else NONE
                if trouble.latency_s:
                    await asyncio.sleep(trouble.latency_s)
                if trouble.bytes_per_s:
                    await asyncio.sleep(len(data) / trouble.bytes_per_s)
                if trouble.cut_after is not None:
                    data = data[: max(trouble.cut_after - passed, 0)]
                passed += len(data)
                sink.write(data)
                await sink.drain()
                if trouble.cut_after is not None and passed >= trouble.cut_after:
                    return


def _reset(line: asyncio.StreamWriter) -> None:
    """Zero linger: the kernel sends RST in place of FIN."""
    line.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.transport.abort()


@asynccontextmanager
async def proxied(upstream: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
