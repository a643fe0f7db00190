"""A TCP wire between browser and service that can be cut: what a dropped connection is to both."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

from tests.redis_server import free_port


class Wire:
    """Passes bytes on to `port`; `cut` drops every connection, `close` refuses new ones too, `open` ends that."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread.start()
        self.open()

    def open(self) -> None:
        self._server = self._run(asyncio.start_server(self._pass, "127.0.0.1", self._port))

    def cut(self) -> None:
        self._run(self._abort())

    def close(self) -> None:
        self._server.close()
        self.cut()

    def end(self) -> None:
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        finally:
            self._writers -= {writer, back}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()
