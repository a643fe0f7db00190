from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey

from agent.errors import InvalidParams, TaskNotFound
from agent.signature import SigningKey
from agent.task import Outcome, Part, State, Task, state_after
from agent.tasks.engine import TaskEngine
from agent.tasks.push import SIGNATURE, Pusher
from agent.tasks.run import Run
from agent.tasks.store import PushConfig
from agent.tasks.subscription import Update
from tests.tasks.conftest import ANN, BOB, complete, opened, said


@dataclass
class Webhook:
    """A real receiver: answers by its script, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    taken: asyncio.Queue[tuple[bytes, dict[str, str]]] = field(default_factory=asyncio.Queue)

    async def post(self, request: web.Request) -> web.Response:
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            await self.taken.put((await request.read(), dict(request.headers)))
        return web.Response(status=status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def receiving(*answers: int) -> AsyncIterator[Webhook]:
    hook = Webhook(answers=list(answers))
    app = web.Application()
    app.router.add_post("/{any:.*}", hook.post)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield hook
    finally:
        await runner.cleanup()


def payload(protocol: str, update: Update) -> tuple[bytes, str]:
    state = state_after(update.event) if update.event is not None else None
    return f"{protocol} {update.sequence} {state.value if state else '-'}".encode(), "application/json"


@asynccontextmanager
async def pushing(
    directory: Path, script: Callable[[Run], Awaitable[Outcome]] = complete, **options: object
) -> AsyncIterator[TaskEngine]:
    pusher = Pusher(payload, **{"allow_private": True, "base_s": 0.01, **options})  # type: ignore[arg-type]  # per test
    async with opened(directory, script, pusher=pusher) as engine:
        yield engine


async def started(engine: TaskEngine, url: str, **more: str) -> Task:
    task = await engine.send(ANN, said(), push=PushConfig("c", "", "", url, **more))  # type: ignore[arg-type]  # texts
    assert isinstance(task, Task)
    return task


@pytest.mark.parametrize("answers", [(), (503, 500), (302,)])
async def test_events_arrive_in_order_whatever_the_receiver_answers_first(
    tmp_path: Path, answers: tuple[int, ...]
) -> None:
    async with receiving(*answers) as hook, pushing(tmp_path) as engine:
        await started(engine, hook.url, protocol="0.3")
        got = [(await asyncio.wait_for(hook.taken.get(), 5))[0] for _ in range(2)]
    assert got == [b"0.3 1 working", b"0.3 2 completed"]


async def test_headers_and_signature_let_the_receiver_verify(tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256", {"kid": "card"})
    async with receiving() as hook, pushing(tmp_path, signing_key=SigningKey(key)) as engine:
        task = await started(engine, hook.url, token="t0k", scheme="Bearer", credentials="abc")
        body, headers = await asyncio.wait_for(hook.taken.get(), 5)
    assert (headers["X-A2A-Notification-Token"], headers["Authorization"]) == ("t0k", "Bearer abc")
    protected, _, signature = headers[SIGNATURE].partition("..")
    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    parsed = jws.deserialize_compact(f"{protected}..{signature}".encode(), key, payload=body, registry=registry)
    assert parsed.headers()["jti"] == f"{task.id}:c:1"
    assert "iat" in parsed.headers()


async def test_giving_up_is_visible_in_the_config(tmp_path: Path) -> None:
    async with receiving(410) as hook, pushing(tmp_path) as engine:
        task = await started(engine, hook.url)
        await engine.wait(ANN, task.id, 5)
        async with asyncio.timeout(5):
            while not (config := await engine.get_push(ANN, task.id)).gave_up:  # noqa: ASYNC110  # polling with a deadline: the store tells nobody
                await asyncio.sleep(0.01)  # polling with a deadline: the store tells nobody
    assert config.last_error == "HTTP 410"


async def test_what_was_not_delivered_is_delivered_after_a_restart(tmp_path: Path) -> None:
    async with receiving(*[503] * 50) as hook:
        async with pushing(tmp_path, base_s=30) as engine:
            task = await started(engine, hook.url)
            assert (await engine.wait(ANN, task.id, 5)).state is State.COMPLETED
        hook.answers.clear()
        async with pushing(tmp_path):
            got = [(await asyncio.wait_for(hook.taken.get(), 5))[0] for _ in range(2)]
    assert got == [b"1.0 1 working", b"1.0 2 completed"]


async def test_a_webhook_is_told_of_what_happens_after_a_restart(tmp_path: Path) -> None:
    """It had all there was: nothing waited in its outbox when the process ended."""

    async def ask(run: Run) -> Outcome:
        return Outcome(State.INPUT_REQUIRED, run.message(Part(text="which?")))

    async with receiving() as hook:
        async with pushing(tmp_path, script=ask) as engine:
            task = await started(engine, hook.url)
            got = [(await asyncio.wait_for(hook.taken.get(), 5))[0] for _ in range(2)]
        async with pushing(tmp_path) as engine:
            await engine.send(ANN, said(task_id=task.id))
            got += [(await asyncio.wait_for(hook.taken.get(), 5))[0] for _ in range(3)]
    assert got[1:3] == [b"1.0 2 input-required", b"1.0 3 submitted"]
    assert got[-1] == b"1.0 5 completed"


async def test_configs_belong_to_the_tasks_caller_and_private_addresses_are_refused(tmp_path: Path) -> None:
    async with pushing(tmp_path, allow_private=False) as engine:
        task = await engine.send(ANN, said())
        assert isinstance(task, Task)
        with pytest.raises(TaskNotFound):
            await engine.create_push(BOB, PushConfig("c", task.id, "", "https://example.com/"))
        for url, token in (("http://127.0.0.1/", "t"), ("https://example.com/", "a\r\nb")):
            with pytest.raises(InvalidParams):
                await engine.create_push(ANN, PushConfig("c", task.id, "", url, token=token))
        with pytest.raises(InvalidParams):
            await started(engine, "http://[::ffff:127.0.0.1]/")
