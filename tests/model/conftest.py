"""A chain of models over the real SDK, against the scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from agent.cache import ResultCache
from agent.credentials import Credentials, model_key
from agent.model.account import Account
from agent.model.answers import Answers
from agent.model.chain import ModelChain, Policy
from agent.model.gemini import Gemini
from agent.model.limiter import Limiter
from agent.model.prices import read_prices
from agent.model.spending import OwnDaily
from agent.model.trace import Trace
from agent.pools import Pools
from agent.telemetry.metrics import Metrics
from tests.gemini_server import KEY, MODEL, GeminiServer, Script, gemini_server


class Bench:
    """One server, one chain; `account` makes the means of a task."""

    def __init__(self, server: GeminiServer, chain: ModelChain, metrics: Metrics, limiter: Limiter) -> None:
        self.server = server
        self.chain = chain
        self.metrics = metrics
        self.limiter = limiter
        self.daily = OwnDaily(1_000_000)

    def account(
        self, *, budget: int = 200_000, caller: str = "tests", task: str = "task-1", text: bool = False
    ) -> Account:
        trace = Trace(with_text=text)
        return Account(caller, task, budget=budget, daily=self.daily, prices=read_prices(), trace=trace)

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


Open = Callable[..., Any]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a bench for a script: `await bench(script, models=(…), …)`."""
    async with AsyncExitStack() as opened:

        async def open_bench(
            script: Script,
            *,
            models: tuple[str, ...] = (MODEL,),
            served: tuple[str, ...] = (),
            key: Credentials | None = None,
            keys: tuple[str, ...] = (KEY,),
            attempt_s: float = 5.0,
            total_s: float = 20.0,
            rpm: int | None = None,
            kept: Path | None = None,
            base_url: str | None = None,
        ) -> Bench:
            server = await opened.enter_async_context(gemini_server(script, keys=keys, models=served))
            pools = await opened.enter_async_context(Pools())
            own = key or model_key(value=KEY, file=None, aws_secret_id=None, mounted=tmp_path / "none")
            gemini = Gemini(lambda: pools.http("gemini"), own, base_url=base_url or server.url)
            await gemini.warm()
            metrics, limiter = Metrics(), Limiter(rpm=rpm)
            cache = ResultCache(
                ttl_s=60, count=lambda layer, result: metrics.cache_requests_total.labels(layer, result).inc()
            )
            chain = ModelChain(
                gemini,
                Policy(models, attempt_s, total_s),
                limiter=limiter,
                prices=read_prices(),
                answers=Answers(cache, kept, keep_s=3600),
                metrics=metrics,
            )
            return Bench(server, chain, metrics, limiter)

        yield open_bench
