"""The pool: gives each job a process of its own while it lasts, and ends the process when the job goes wrong."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from mcp_pdf import tracing
from mcp_pdf.errors import INTERNAL, PdfError
from mcp_pdf.limits import LIMITS, Limits, WorkerLimits
from mcp_pdf.processes import Answer, Forkserver, ForkserverLost, WorkerLost, WorkerProcess, memory_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from mcp_pdf.quarantine import Quarantine

log = logging.getLogger("mcp_pdf.workers")


@dataclass(frozen=True, slots=True)
class Job:
    """What one worker is asked to do with one open file."""

    request: dict[str, Any]
    descriptor: int = -1
    sha256: str = ""
    pages: bytes = b""
    progress: Callable[[int, int, str], Awaitable[None]] | None = None


class Forkservers:
    """The current forkserver; a lost one is replaced at the next fork."""

    def __init__(self, start: Callable[[], Forkserver]) -> None:
        self._start = start
        self._current: Forkserver | None = None

    def adopt(self, forkserver: Forkserver) -> None:
        """Uses a forkserver that was started before the event loop."""
        forkserver.listen()
        self._current = forkserver

    async def fork(self, kind: str) -> WorkerProcess:
        """A worker from the current forkserver, or from a new one when that is gone or makes only dead workers."""
        for _attempt in range(3):
            current = self._usable()
            try:
                return await current.fork(kind)
            except (ForkserverLost, WorkerLost, TimeoutError) as exc:
                log.warning("fork.failed", extra={"kind": kind, "cause": repr(exc)})
                if kind != "pdf" and not isinstance(exc, ForkserverLost):
                    break  # an engine that does not load: no reason to end the other workers
                current.close()
        raise INTERNAL

    def _usable(self) -> Forkserver:
        if self._current is None or self._current.lost:
            self.close()
            self.adopt(self._start())
        assert self._current is not None  # noqa: S101  # adopt has just set it
        return self._current

    async def memory_kb(self) -> int | None:
        """Of the forkserver, as it reports it."""
        return None if self._current is None else await self._current.memory_kb()

    @property
    def pid(self) -> int | None:
        """Of the forkserver."""
        return None if self._current is None else self._current.process.pid

    def close(self) -> None:
        """Ends the forkserver, and with it every worker."""
        if self._current is not None:
            self._current.close()
            self._current = None


@dataclass(slots=True)
class Pool:
    """Workers of one kind, at most `size` at a time; jobs wait their turn in order."""

    forkservers: Forkservers
    kind: str
    size: int
    limits: WorkerLimits
    quarantine: Quarantine
    bounds: Limits = LIMITS
    restarts: Counter[str] = field(default_factory=Counter)
    jobs_done: int = 0
    waiting: int = 0
    isolation: dict[str, str] = field(default_factory=dict)
    _idle: deque[WorkerProcess] = field(default_factory=deque)
    _busy: set[WorkerProcess] = field(default_factory=set)
    _turn: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turn = asyncio.Semaphore(self.size)

    @property
    def busy(self) -> int:
        """Workers with a job."""
        return len(self._busy)

    @property
    def pids(self) -> list[int]:
        """Of all live workers."""
        return sorted(worker.pid for worker in (*self._idle, *self._busy))

    async def warm(self) -> None:
        """Starts every worker ahead of the first job."""
        while len(self._idle) + len(self._busy) < self.size:
            self._idle.append(await self._fork())

    async def run(self, job: Job) -> Answer:
        """The answer of the job. Raises PdfError; a cancelled or late job takes its process with it."""
        if self.waiting >= self.bounds.waiting_jobs:
            raise PdfError("overloaded", "Too many requests are waiting.", "Try again in a moment.", retryable=True)
        self.quarantine.refuse(job.sha256)
        with tracing.span(f"worker {job.request['job']}", kind=self.kind) as own:
            self.waiting += 1
            try:
                await self._turn.acquire()
            finally:
                self.waiting -= 1
            own.add_event("turn")  # until here it waited for a worker
            try:
                self.quarantine.refuse(job.sha256)  # jobs before this one may have ended their workers on the same file
                return await self._run(job)
            finally:
                self._turn.release()

    async def _run(self, job: Job) -> Answer:
        """Two attempts: a SIGKILL from outside (an operator, the kernel out of memory) is no fault of the file yet."""
        for last in (False, True):
            try:
                return await self._attempt(job)
            except WorkerLost as exc:
                sent = os.WTERMSIG(exc.status) if exc.status is not None and os.WIFSIGNALED(exc.status) else None
                self.restarts["crash"] += 1
                log.warning("worker.lost", extra={"job": job.request["job"], "signal": sent, "sha256": job.sha256})
                if sent in (signal.SIGKILL, None) and not last:
                    continue
                raise self._verdict(job, sent) from None
        raise INTERNAL

    def _verdict(self, job: Job, sent: int | None) -> PdfError:
        self.quarantine.count(job.sha256, f"signal {sent}")
        if sent == signal.SIGXCPU:
            return PdfError(
                "timeout",
                f"The document needs more than {self.limits.cpu_s} s of processor time.",
                "Ask for fewer pages.",
            )
        return PdfError(
            "limit_exceeded", "Reading the document broke the limits of one job.", "Ask for fewer pages, or repair it."
        )

    async def _attempt(self, job: Job) -> Answer:
        worker = await self._take()
        reason = "cancelled"
        try:
            async with asyncio.timeout(self.limits.wall_s):
                found = await self._send(worker, job)
            reason = self._worn(worker)
        except WorkerLost:
            reason = "lost"
            raise
        except TimeoutError:
            reason = "deadline"
            raise PdfError(
                "timeout", f"The document was not read within {self.limits.wall_s:g} s.", "Ask for fewer pages."
            ) from None
        finally:
            self._give_back(worker, reason)
        if isinstance(found, dict):
            if "trace" in found:
                log.error("job.failed: %s", found["trace"], extra={"job": job.request["job"], "sha256": job.sha256})
            raise PdfError.from_body(found)
        return found

    async def _send(self, worker: WorkerProcess, job: Job) -> Answer | dict[str, Any]:
        request = orjson.dumps(job.request)
        descriptors = [job.descriptor] if job.descriptor >= 0 else []
        if not job.pages:
            return await worker.run(request, descriptors, job.progress, self.bounds.answer_bytes)
        pages = memory_file("pages", job.pages)
        try:
            return await worker.run(request, [*descriptors, pages], job.progress, self.bounds.answer_bytes)
        finally:
            os.close(pages)

    def _worn(self, worker: WorkerProcess) -> str:
        if worker.jobs >= self.limits.jobs_per_process:
            return "jobs"
        return "memory" if worker.resident_bytes > self.limits.resident_bytes else ""

    def _give_back(self, worker: WorkerProcess, reason: str) -> None:
        self._busy.discard(worker)
        self.jobs_done += 1
        if not reason:
            self._idle.append(worker)
            if self.limits.idle_s is not None:
                asyncio.get_running_loop().call_later(self.limits.idle_s, self._retire, worker, worker.jobs)
            return
        if reason != "lost":
            self.restarts[reason] += 1
        worker.kill()

    def _retire(self, worker: WorkerProcess, jobs: int) -> None:
        """Ends a worker that has had no job since."""
        if worker in self._idle and worker.jobs == jobs:
            self._idle.remove(worker)
            self.restarts["unused"] += 1
            worker.kill()

    async def _take(self) -> WorkerProcess:
        while self._idle:
            worker = self._idle.popleft()
            if not worker.reader.at_eof() and not worker.exit.done():
                break
            worker.kill()
            self.restarts["idle"] += 1
        else:
            worker = await self._fork()
        self._busy.add(worker)
        return worker

    async def _fork(self) -> WorkerProcess:
        """A fresh worker. Raises PdfError when none can be had."""
        worker = await self.forkservers.fork(self.kind)
        self.isolation = worker.isolation
        return worker

    async def each_idle(self, request: dict[str, Any]) -> AsyncIterator[Answer | None]:
        """Asks every idle worker the same thing; for reports about the processes themselves."""
        for _ in range(len(self._idle)):
            async with self._turn:
                with suppress(PdfError, WorkerLost):
                    yield await self._attempt(Job(request))

    def close(self) -> None:
        """Kills every worker."""
        for worker in (*self._idle, *self._busy):
            worker.kill()
        self._idle.clear()
