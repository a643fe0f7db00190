"""The limits of model calls, by a clock of the test: rate, breaker, prices, spending of the day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.model.ask import Tokens, tokens_of
from agent.model.breaker import FAILURES, PAUSE_CAP_S, PAUSE_S, Breaker
from agent.model.limiter import BURST_S, Limiter, OwnPlaces
from agent.model.prices import LISTED, Prices, read_prices
from agent.model.spending import OwnDaily


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_places_in_a_line_come_at_the_rate_after_the_burst() -> None:
    places = OwnPlaces(clock=Clock())
    waits = [await places.take("m", 0.5, BURST_S) for _ in range(8)]
    assert waits == [0, 0, 0, 0, 0.5, 1.0, 1.5, 2.0]


async def test_an_idle_line_saves_up_no_more_than_the_burst() -> None:
    clock = Clock()
    places = OwnPlaces(clock=clock)
    await places.take("m", 0.5, BURST_S)
    clock.now += 3600
    assert [await places.take("m", 0.5, BURST_S) for _ in range(5)] == [0, 0, 0, 0, 0.5]


async def test_a_held_line_starts_again_after_the_pause() -> None:
    clock = Clock()
    places = OwnPlaces(clock=clock)
    await places.hold("m", 7)
    assert await places.take("m", 0.5, BURST_S) == 7
    assert await places.take("other", 0.5, BURST_S) == 0


async def test_a_429_cuts_the_rate_once_and_success_gives_it_back_up_to_what_is_configured() -> None:
    clock = Clock()
    limiter = Limiter(rpm=600, clock=clock)
    await limiter.admit("m", 10)
    for _ in range(20):  # all the calls that were under way
        await limiter.limited("m", 0.0)
    assert limiter.report() == {"m": 420}
    for _ in range(1000):
        limiter.passed("m")
    assert limiter.report() == {"m": 600}


async def test_refusals_that_no_pace_avoids_do_not_stop_the_work() -> None:
    clock = Clock()
    limiter = Limiter(rpm=600, clock=clock)
    for number in range(1_000):  # every third call is refused, however slow they come
        clock.now += 60 / (limiter.report().get("m") or 600)
        if number % 3:
            limiter.passed("m")
        else:
            await limiter.limited("m", 0.0)
    assert (limiter.report()["m"] or 0) > 60


async def test_without_a_configured_rate_a_429_teaches_one_and_quiet_lifts_it() -> None:
    clock = Clock()
    limiter = Limiter(clock=clock)
    for _ in range(20):
        await limiter.admit("m", 10)
    assert limiter.report() == {"m": None}
    await limiter.limited("m", 0.0)
    assert limiter.report() == {"m": 840}
    clock.now += 60
    for _ in range(300):
        limiter.passed("m")
    assert limiter.report() == {"m": None}


async def test_tokens_a_minute_are_a_line_of_their_own() -> None:
    clock = Clock()
    places = OwnPlaces(clock=clock)
    limiter = Limiter(tpm=60_000, places=places, clock=clock)  # a thousand a second: two thousand at once
    await limiter.admit("m", 2_000)
    assert await places.take("m:tokens", 1.0, BURST_S) == 1.0
    assert await places.take("another:tokens", 1.0, BURST_S) == 0


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_call_find_out() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(FAILURES):
        assert breaker.admit()
        breaker.failed()
    assert breaker.state == "open"
    assert not breaker.admit()
    clock.now += PAUSE_S
    assert breaker.state == "half_open"
    assert breaker.admit()
    assert not breaker.admit()
    breaker.succeeded()
    assert breaker.state == "closed"


def test_the_breakers_pause_doubles_up_to_its_cap_however_long_the_outage() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(1_500):
        breaker.failed()
    clock.now += PAUSE_CAP_S - 1
    assert breaker.state == "open"
    clock.now += 1
    assert breaker.state == "half_open"


def test_a_call_that_told_nothing_gives_the_half_open_place_back() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(FAILURES):
        breaker.failed()
    clock.now += PAUSE_S
    assert breaker.admit()
    breaker.left()
    assert breaker.admit()


def test_the_listed_price_of_the_day_counts() -> None:
    rows = read_prices(LISTED)._rows
    tokens = Tokens(1_000_000, 1_000_000)
    assert Prices(rows, today=lambda: date(2026, 12, 31)).cost("gemini-3.8-flash", tokens) == Decimal("4.50")
    assert Prices(rows, today=lambda: date(2027, 1, 1)).cost("gemini-3.8-flash", tokens) == Decimal("9.00")
    assert Prices(rows).cost("unheard-of", tokens) is None


@pytest.mark.parametrize(
    ("row", "model", "day"),
    [
        ("`gemini-3.8-flash`, to the end of 2026", "gemini-3.8-flash", date(2026, 12, 31)),
        ("`gemini-3.8-flash`, from 2027", "gemini-3.8-flash", date(2027, 1, 1)),
        ("`gemini-3.5-flash-lite`", "gemini-3.5-flash-lite", date(2026, 12, 31)),
    ],
)
def test_what_the_readme_says_of_a_page_follows_from_the_table(row: str, model: str, day: date) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    prices = read_prices()
    prices._today = lambda: day
    cost = prices.cost(model, Tokens(1_900, 300))
    assert cost is not None
    assert f"| {row} | {100 * cost:.2f} US cents |" in readme


def test_what_the_models_cache_served_has_its_own_price(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('[[price]]\nmodel = "m"\ninput = 1.0\noutput = 2.0\ncached_input = 0.1\n')
    assert read_prices(file).cost("m", Tokens(1_000_000, 0, 1_000_000)) == Decimal("0.1")


@pytest.mark.parametrize(
    "row", ["model = 'm'\ninput = 1", "model = 'm'\ninput = -1\noutput = 1", "input = 1\noutput = 1"]
)
def test_a_wrong_price_table_is_named(tmp_path: Path, row: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(f"[[price]]\n{row}\n")
    with pytest.raises(ConfigError, match=r"GEMINI_PRICES_FILE.*price 1"):
        read_prices(file)


async def test_a_day_has_its_limit_by_caller_and_a_restart_forgets_nothing(tmp_path: Path) -> None:
    today = [date(2026, 11, 25)]
    async with OwnDaily(1_000, tmp_path / "spending.json", today=lambda: today[0]) as daily:
        assert await daily.take("a", 900)
        assert not await daily.take("a", 200)
        assert await daily.take("b", 200)
        await daily.settle("a", 900, 600)
    async with OwnDaily(1_000, tmp_path / "spending.json", today=lambda: today[0]) as daily:
        assert not await daily.take("a", 500)
        assert await daily.take("a", 400)
        today[0] = date(2026, 11, 26)
        assert await daily.take("a", 1_000)


@pytest.mark.parametrize(("text", "least"), [("word " * 100, 125), ("数字" * 50, 100), ("", 1)])
def test_tokens_are_estimated_from_above(text: str, least: int) -> None:
    assert tokens_of(text) >= least
