"""Nothing grows for ever: a sweep in the background, and erasing on demand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from agent.errors import AgentError
from agent.task import State, now
from agent.tasks.ledger import Ledger
from agent.tasks.store import Erase, Erased, Store
from agent.tasks.uploads import Uploads
from agent.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

_SWEEP_EVERY_S = 30.0
_LOOK_EVERY_S = 1.0


class Retention:
    """Drops what is past its time or over the cap. `run` ends only by cancellation."""

    def __init__(
        self,
        store: Store,
        uploads: Uploads,
        ledger: Ledger,
        *,
        task_ttl_s: float,
        task_max: int,
        metrics: Metrics | None,
        erased: Callable[[Erased], Awaitable[None]],
        forget: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._ledger = ledger
        self._task_ttl = timedelta(seconds=task_ttl_s)
        self._task_max = task_max
        self._metrics = metrics
        self._erased = erased
        self._forget_results = forget

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        sweep_at = loop.time()
        while True:
            try:
                if await self._store.changed_outside():
                    self._ledger.forget_idle()
                    await self._forget_kept()
                if loop.time() >= sweep_at:
                    sweep_at = loop.time() + _SWEEP_EVERY_S
                    if await self._store.hold("sweep", _SWEEP_EVERY_S - _LOOK_EVERY_S):
                        await self.sweep()
                    await self.measure()
            except AgentError as fault:
                log.warning("retention.failed", extra={"cause": fault.message})
            except Exception:  # the sweep must go on whatever one round meets
                log.exception("retention.fault")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def sweep(self) -> None:
        """One round: until nothing more is due."""
        while True:
            at = now()
            gone = await self._store.retain(tasks_before=at - self._task_ttl, task_max=self._task_max, now=at)
            await self._forget(gone, at_once=False)
            if gone == Erased():
                break
        await self._uploads.tidy()

    async def erase(self, what: Erase) -> Erased:
        """Everywhere: tasks, events, configs, keys, uploads and their files."""
        gone = await self._store.erase(what)
        await self._forget(gone, at_once=True)
        await self._forget_kept()
        log.info("tasks.erased", extra={"tasks": len(gone.task_ids), "uploads": gone.uploads})
        return gone

    async def measure(self) -> None:
        if self._metrics is not None:
            counts = await self._store.counts()
            for state in State:
                self._metrics.extraction_tasks.labels(state.value).set(counts.get(state, 0))
            self._metrics.extraction_dead_letters.set(len(await self._store.dead()))

    async def _forget_kept(self) -> None:
        """What was erased may stand in a result that is kept for the next one who asks."""
        if self._forget_results is not None:
            await self._forget_results()

    async def _forget(self, gone: Erased, *, at_once: bool) -> None:
        await self._erased(gone)
        for task_id in gone.task_ids:
            self._ledger.forget(task_id)
        if gone.orphans:
            await self._uploads.remove(gone.orphans, at_once=at_once)
