"""What tokens cost: a table of list prices, the project's own or the operator's."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from agent.errors import ConfigError
from agent.model.ask import Tokens

LISTED = Path(__file__).with_name("prices.toml")
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; `until` is the last day it holds."""

    input: Decimal
    output: Decimal
    cached_input: Decimal
    until: date | None = None
    thinking: str | None = None

    def cost(self, tokens: Tokens) -> Decimal:
        fresh = tokens.input - tokens.cached
        return (fresh * self.input + tokens.cached * self.cached_input + tokens.output * self.output) / _MILLION


class Prices:
    """The table. A model that is not in it has no price: its cost is unknown, not nothing."""

    def __init__(
        self, rows: Mapping[str, list[Price]], *, today: Callable[[], date] = lambda: datetime.now(UTC).date()
    ) -> None:
        self._rows = rows
        self._today = today

    def of(self, model: str) -> Price | None:
        today = self._today()
        return next((p for p in self._rows.get(model, ()) if p.until is None or today <= p.until), None)

    def cost(self, model: str, tokens: Tokens) -> Decimal | None:
        """None when the model's price is unknown."""
        price = self.of(model)
        return None if price is None else price.cost(tokens)


def read_prices(path: Path = LISTED) -> Prices:
    """Raises ConfigError that names the row."""
    rows: dict[str, list[Price]] = {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigError(f"GEMINI_PRICES_FILE: {path}: {fault}") from fault
    for number, row in enumerate(table.get("price", ()), 1):
        try:
            rows.setdefault(row["model"], []).append(_price(row))
        except (KeyError, TypeError, ValueError, ArithmeticError) as fault:
            words = f"price {number}: needs model, input and output as numbers: {fault!r}"
            raise ConfigError(f"GEMINI_PRICES_FILE: {path}: {words}") from fault
    return Prices(rows)


def _price(row: Mapping[str, Any]) -> Price:
    given, made = Decimal(row["input"]), Decimal(row["output"])
    if given < 0 or made < 0:
        raise ValueError("a price is not negative")
    return Price(given, made, Decimal(row.get("cached_input", given)), row.get("until"), row.get("thinking"))
