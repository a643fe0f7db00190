"""What a fault hits: the process that works, started with everything the strikes need around it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.proxy import Proxy, proxied
from tests.redis_server import RedisServer, free_port, redis_server
from tests.service import READY_S


class LogPipe:
    """The reader of a process's log, who may stop reading; what was read is in `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reads = threading.Event()
        self._reads.set()
        source, self.sink = os.pipe()
        fcntl.fcntl(self.sink, fcntl.F_SETPIPE_SZ, 4096)
        threading.Thread(target=self._copy, args=(source,), daemon=True).start()

    @contextmanager
    def held(self) -> Iterator[None]:
        self._reads.clear()
        try:
            yield
        finally:
            self._reads.set()

    def _copy(self, source: int) -> None:
        with open(source, "rb", buffering=0) as pipe, self.path.open("ab") as file:
            while data := pipe.read(65536):
                file.write(data)
                self._reads.wait()


@dataclass(eq=False)
class Victim:
    """One agent process (`serve` or `batch`) and what stands around it."""

    directory: Path
    arguments: Sequence[str]
    settings: dict[str, str]
    log: LogPipe
    callers: Proxy
    redis: RedisServer
    to_redis: Proxy
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def database(self) -> Path:
        return self.directory / "data" / "tasks.db"

    async def start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        command = [sys.executable, "-m", "agent", *self.arguments]
        environment = kept | self.settings
        self.process = subprocess.Popen(command, env=environment, stdout=self.log.sink, stderr=self.log.sink)

    async def restart(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        await asyncio.to_thread(self.process.wait, READY_S)
        await self.start()


@asynccontextmanager
async def standing(
    directory: Path, arguments: Sequence[str], settings: dict[str, str], *, store: str
) -> AsyncIterator[Victim]:
    """A victim that has been started; `store` is `sqlite` or `redis`."""
    async with AsyncExitStack() as stack:
        port = free_port()
        (directory / "redis").mkdir()
        redis = stack.enter_context(redis_server(directory / "redis", "--appendonly", "yes", "--appendfsync", "always"))
        callers, to_redis = [await stack.enter_async_context(proxied(at)) for at in (port, redis.port)]
        fixed = {"PORT": str(port), "DATA_DIR": str(directory / "data"), "LOG_FORMAT": "json"}
        if store == "redis":
            fixed["STORE_URL"] = f"redis://127.0.0.1:{to_redis.port}/0"
        log = LogPipe(directory / "log")
        victim = Victim(directory, arguments, fixed | settings, log, callers, redis, to_redis)
        await victim.start()
        try:
            yield victim
        finally:
            assert victim.process is not None
            if victim.process.poll() is None:
                victim.process.kill()
                await asyncio.to_thread(victim.process.wait, 10)
            os.close(log.sink)
