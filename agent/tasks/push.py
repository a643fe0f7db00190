"""Push notifications: the journal after what a webhook has got is its outbox. In order, at least once.

Each delivery carries the standard headers, and with a key a detached JWS (`X-A2A-Notification-Signature`): its payload
is the body, its protected header has `iat` and a `jti` of task, config and sequence, so that a receiver can refuse what
is old or known. The key's public half stands in the service's JWKS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace

import aiohttp

from agent import guard
from agent.errors import AgentError, InvalidParams, Overloaded
from agent.signature import SigningKey
from agent.task import Task, new_id
from agent.tasks.ending import end
from agent.tasks.store import PushConfig, Store
from agent.tasks.subscription import Update
from agent.telemetry import tracing
from agent.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

SIGNATURE = "X-A2A-Notification-Signature"
_CONFIGS_PER_TASK = 10
_LEASE_S = 15.0  # in a shared store: an outbox whose process is gone is taken up by another one after this

# Protocol and update to body and content type; None when there is nothing to tell.
Payload = Callable[[str, Update], tuple[bytes, str] | None]


class Pusher:
    """Delivers to the webhooks of tasks; one coroutine per config with something to deliver."""

    def __init__(
        self,
        payload: Payload,
        *,
        allow_private: bool = False,
        signing_key: SigningKey | None = None,
        metrics: Metrics | None = None,
        attempts: int = 10,
        base_s: float = 1.0,
        cap_s: float = 300.0,
        timeout_s: float = 15.0,
        max_concurrent: int = 32,
    ) -> None:
        self._payload = payload
        self._allow_private = allow_private
        self._key = signing_key
        self._metrics = metrics
        self._attempts = attempts
        self._base_s = base_s
        self._cap_s = cap_s
        self._timeout_s = timeout_s
        self._posts = asyncio.Semaphore(max_concurrent)
        self._outboxes: dict[str, dict[str, _Outbox]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def open(self, store: Store) -> None:
        """Continues what an earlier process had not delivered."""
        self._store = store
        self._http = guard.session(private=self._allow_private, timeout_s=self._timeout_s)
        await self._take_up()
        if store.shared:
            self._watch = asyncio.get_running_loop().create_task(self._watching(), name="push-watch")

    async def close(self) -> None:
        """Stops; what is not delivered stays in the outbox."""
        if self._watch is not None:
            await end(self._watch)
        deliveries = [outbox.delivery for configs in self._outboxes.values() for outbox in configs.values()]
        await asyncio.gather(*map(end, deliveries))
        await self._http.close()

    def checked(self, config: PushConfig, task: Task, *, delivered: int = 0) -> PushConfig:
        """The config as it is kept for a task. Raises InvalidParams."""
        guard.check_url(config.url, private=self._allow_private)
        for name, value in (("token", config.token), ("credentials", config.credentials), ("scheme", config.scheme)):
            if value is not None and (len(value) > 4096 or any(ord(char) < 32 or ord(char) > 126 for char in value)):
                raise InvalidParams("only printable ASCII can stand in a header", field=name)
        return replace(config, id=config.id or new_id(), task_id=task.id, caller=task.caller, delivered=delivered)

    async def admit(self, config: PushConfig) -> None:
        """Raises InvalidParams when the task has its number of configs."""
        others = [known for known in await self._store.push_configs(config.task_id) if known.id != config.id]
        if len(others) >= _CONFIGS_PER_TASK:
            raise InvalidParams(f"a task has at most {_CONFIGS_PER_TASK} push configurations", field="taskId")

    def start(self, config: PushConfig) -> None:
        self.stop(config.task_id, config.id)
        outbox = _Outbox(config)
        outbox.delivery = asyncio.get_running_loop().create_task(self._deliver(outbox), name=f"push {config.id}")
        self._outboxes.setdefault(config.task_id, {})[config.id] = outbox

    def stop(self, task_id: str, config_id: str | None = None) -> None:
        configs = self._outboxes.get(task_id, {})
        for known in [config_id] if config_id is not None else list(configs):
            if (outbox := configs.pop(known, None)) is not None:
                outbox.delivery.cancel()
        if not configs:
            self._outboxes.pop(task_id, None)

    def notify(self, update: Update) -> None:
        """Something was committed; whoever delivers for the task looks into the journal."""
        for outbox in self._outboxes.get(update.task.id, {}).values():
            outbox.more.set()

    async def _watching(self) -> None:
        """Keeps the leases on the own outboxes, and takes up those of processes that are gone."""
        while True:
            await asyncio.sleep(_LEASE_S / 3)
            try:
                for task_id, config_id in [(task, name) for task, known in self._outboxes.items() for name in known]:
                    if not await self._store.hold(_lease(task_id, config_id), _LEASE_S):
                        self.stop(task_id, config_id)  # this process was away for too long: another one delivers
                await self._take_up()
            except AgentError as fault:
                log.warning("push.watch_failed", extra={"cause": fault.message})

    async def _take_up(self) -> None:
        for config in await self._store.undelivered():
            known = config.id in self._outboxes.get(config.task_id, ())
            if not known and await self._store.hold(_lease(config.task_id, config.id), _LEASE_S):
                self.start(config)

    async def _deliver(self, outbox: _Outbox) -> None:
        try:
            if not self._store.shared:
                await self._empty(outbox)
                return
            async with asyncio.TaskGroup() as group:
                waker = group.create_task(self._wake(outbox))
                with contextlib.suppress(AgentError):  # without the lease an event may be told twice, never not at all
                    await self._store.hold(_lease(outbox.config.task_id, outbox.config.id), _LEASE_S)
                await self._empty(outbox)
                await end(waker)
        except Exception:  # the outermost frame of a delivery: what is left in the outbox is taken up again
            log.exception("push.fault", extra={"task": outbox.config.task_id, "config": outbox.config.id})
        finally:
            self._forget(outbox)

    async def _wake(self, outbox: _Outbox) -> None:
        """The task may run in another process."""
        async with self._store.follow(outbox.config.task_id, outbox.config.delivered) as entries:
            async for _ in entries:
                outbox.more.set()
        outbox.more.set()  # erased

    async def _empty(self, outbox: _Outbox) -> None:
        config = outbox.config
        while not config.gave_up:
            outbox.more.clear()
            try:
                entries = await self._store.journal(config.task_id, config.delivered)
                task = await self._store.load(config.task_id)  # last: what is told of an event is never older than it
            except AgentError:  # the store recovers or the process ends
                await asyncio.sleep(self._base_s)
                continue
            if task is None:
                break
            for entry in entries:
                config = await self._one(config, Update(entry.sequence, task, entry.event))
                if config.gave_up:
                    break
            if task.state.terminal and config.delivered >= task.version:
                break
            if not entries:
                await outbox.more.wait()

    def _forget(self, outbox: _Outbox) -> None:
        config = outbox.config
        if self._outboxes.get(config.task_id, {}).get(config.id) is outbox:
            self._outboxes[config.task_id].pop(config.id)
            if not self._outboxes[config.task_id]:
                del self._outboxes[config.task_id]

    async def _one(self, config: PushConfig, update: Update) -> PushConfig:
        """Posts one event until it is taken or given up."""
        content = self._payload(config.protocol, update)
        while content is not None:
            error, pause_s = await self._post(config, update, *content)
            self._count("delivered" if error is None else "failed")
            if error is None:
                break
            failures = config.failures + 1
            gave_up = failures >= self._attempts or error == "HTTP 410"
            config = replace(config, failures=failures, last_error=error, gave_up=gave_up)
            await self._mark(config)
            if gave_up:
                self._count("given_up")
                log.warning("push.gave_up", extra={"task": config.task_id, "config": config.id, "cause": error})
                return config
            ceiling_s = min(self._cap_s, self._base_s * 2 ** min(failures, 16))
            await asyncio.sleep(max(pause_s, random.uniform(ceiling_s / 2, ceiling_s)))  # noqa: S311  # jitter, no secret
        config = replace(config, delivered=update.sequence, failures=0, last_error=None)
        await self._mark(config)
        return config

    async def _post(
        self, config: PushConfig, update: Update, body: bytes, content_type: str
    ) -> tuple[str | None, float]:
        """Why it was not taken, and how long the receiver asked to be left alone."""
        headers = self._headers(config, update, body) | {"Content-Type": content_type}
        try:
            async with self._posts:
                with tracing.span("push", kind="client", attributes={"task.id": config.task_id}) as own:
                    headers |= tracing.outgoing()
                    sent = self._http.post(config.url, data=body, headers=headers, allow_redirects=False)
                    async with sent as answer:
                        own.set_attribute("http.response.status_code", answer.status)
                        if answer.status < 300:
                            return None, 0.0
                        asked = answer.headers.get("Retry-After", "")
                        pause_s = min(float(asked), self._cap_s) if asked.isdecimal() else 0.0
                        return f"HTTP {answer.status}", pause_s
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as fault:
            return type(fault).__name__, 0.0  # the words could tell what answers inside

    def _headers(self, config: PushConfig, update: Update, body: bytes) -> dict[str, str]:
        headers = {}
        if config.token:
            headers["X-A2A-Notification-Token"] = config.token
        if config.scheme:
            headers["Authorization"] = f"{config.scheme} {config.credentials or ''}".rstrip()
        if self._key is not None:
            event = {"iat": int(time.time()), "jti": f"{config.task_id}:{config.id}:{update.sequence}"}
            headers[SIGNATURE] = "..".join(self._key.detached(body, event))
        return headers

    async def _mark(self, config: PushConfig) -> None:
        with contextlib.suppress(Overloaded):  # not kept means told again after a restart
            await self._store.mark_push(config)

    def _count(self, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.push_deliveries_total.labels(outcome).inc()


class _Outbox:
    delivery: asyncio.Task[None]

    def __init__(self, config: PushConfig) -> None:
        self.config = config
        self.more = asyncio.Event()


def _lease(task_id: str, config_id: str) -> str:
    return f"push:{task_id}:{config_id}"
