"""From settings to models: what a task with a model needs, opened and closed in one place."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from agent.cache import ResultCache
from agent.config import Config
from agent.credentials import model_key
from agent.model.account import Account
from agent.model.answers import Answers
from agent.model.chain import ModelChain, Policy
from agent.model.gemini import Gemini
from agent.model.limiter import Limiter
from agent.model.prices import LISTED, read_prices
from agent.model.shared import SharedDaily, SharedPlaces
from agent.model.spending import OwnDaily
from agent.model.trace import Trace
from agent.planning.model_work import Means
from agent.pools import Pools
from agent.telemetry import logs
from agent.telemetry.metrics import Metrics

LOOK_EVERY_S = 60.0
TOTAL_ATTEMPTS = 4  # a call with its retries lasts at most as long as so many attempts


@asynccontextmanager
async def open_means(
    config: Config, pools: Pools, metrics: Metrics, *, kept: Path | None, cache: ResultCache | None
) -> AsyncIterator[Means | None]:
    """The models, their limits and their accounts; None where no request may reach a model.

    `kept` is where answers of running tasks and the day's spending lie. Raises ConfigError for a price table that
    cannot be read. The model itself is looked for in the background.
    """
    if not config.uses_model:
        yield None
        return
    redis = pools.redis("limits", config.shared_store_url) if config.shared_store_url else None
    prices = read_prices(config.gemini_prices_file or LISTED)
    gemini = _gemini(config, pools)
    chain = ModelChain(
        gemini,
        _policy(config),
        limiter=Limiter(rpm=config.gemini_rpm, tpm=config.gemini_tpm, places=SharedPlaces(redis) if redis else None),
        prices=prices,
        answers=Answers(cache, kept / "answers" if kept else None, keep_s=config.task_ttl_s),
        metrics=metrics,
    )
    if kept is not None:
        await asyncio.to_thread(kept.mkdir, parents=True, exist_ok=True)
    spending = kept / "spending.json" if kept and not redis else None  # beside a Redis the file would be many writers'
    async with OwnDaily(config.daily_token_budget, spending) as own:
        daily = SharedDaily(redis, own) if redis else own

        def account(caller: str, task_id: str, trace: Trace) -> Account:
            return Account(caller, task_id, budget=config.token_budget, daily=daily, prices=prices, trace=trace)

        watching = asyncio.create_task(_watch(gemini, chain), name="model-watch")
        try:
            yield Means(chain, account, config.extraction_mode)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


def _gemini(config: Config, pools: Pools) -> Gemini:
    return Gemini(
        lambda: pools.http("gemini", connector=aiohttp.TCPConnector(limit=config.gemini_concurrency)),
        model_key(
            value=config.google_api_key,
            file=config.google_api_key_file,
            aws_secret_id=config.aws_secret_id if config.use_aws_secrets else None,
            learnt=logs.hide,
        ),
        base_url=config.gemini_base_url,
        vertex=config.google_genai_use_vertexai,
    )


def _policy(config: Config) -> Policy:
    return Policy(
        (config.gemini_model, *config.gemini_fallback_models),
        attempt_s=config.llm_timeout_s,
        total_s=TOTAL_ATTEMPTS * config.llm_timeout_s,
        at_once=config.gemini_concurrency,
    )


async def _watch(gemini: Gemini, chain: ModelChain) -> None:
    await gemini.warm()
    await chain.watch(LOOK_EVERY_S)


def open_cache(config: Config, pools: Pools, metrics: Metrics) -> ResultCache | None:
    """For results and for models' answers; None where nothing is to be kept."""
    if not config.enable_cache:
        return None
    return ResultCache(
        ttl_s=config.cache_ttl_s,
        count=lambda layer, result: metrics.cache_requests_total.labels(layer, result).inc(),
        redis=pools.redis("cache", config.cache_url) if config.cache_url else None,
    )
