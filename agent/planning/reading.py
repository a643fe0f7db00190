"""A model reads wanted values out of pages: chunk by chunk at the same time, cut smaller where an answer was cut off.

What one chunk cannot give does not take away what the others gave. Answers of finished chunks are kept by the chain,
so neither a crash nor a 429 makes them be paid again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from agent.errors import Failure
from agent.model.account import Account
from agent.model.ask import Ask, ModelTruncated, ModelUnavailable, OverBudget
from agent.model.chain import ModelChain
from agent.planning.pages import Page, chunks, document, halves
from agent.planning.prompt import prompt
from agent.planning.values import Invalid, same, squash, typed
from agent.planning.wished import Wanted, answer_schema

OUTPUT_TOKENS = 1_500  # for thoughts and the frame of an answer
VALUE_TOKENS = 100
ROWS_TOKENS = 5_000
MOST_OUTPUT_TOKENS = 8_000
COLUMNS = {"description": "string", "quantity": "number", "unit_price": "amount", "amount": "amount"}


@dataclass(slots=True)
class Given:
    """What one chunk gave for a name: the value and the pages it was read from."""

    value: Any
    pages: tuple[int, ...]
    pictures: bool = False


@dataclass(slots=True)
class Read:
    """What a model gave: the first value of each name, and the other ones that contradict it."""

    values: dict[str, Any] = field(default_factory=dict)
    given: dict[str, list[Given]] = field(default_factory=dict)
    invalid: set[str] = field(default_factory=set)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def others(self, name: str) -> list[Given]:
        """Values of other chunks that are not the chosen one."""
        return [one for one in self.given.get(name, ()) if not same(one.value, self.values.get(name))]


@dataclass(frozen=True, slots=True)
class _Answer:
    """One chunk's part: pages, what was asked of them, what came."""

    pages: Sequence[Page]
    data: Mapping[str, Any]


class Reading:
    """One document being read by a model. `private` answers are kept nowhere."""

    def __init__(self, chain: ModelChain, account: Account, wish: Mapping[str, Any], *, private: bool) -> None:
        self._chain = chain
        self._account = account
        self._wish = wish
        self._private = private
        self._warnings: list[dict[str, Any]] = []
        self._faults: list[Failure] = []
        self._several = False

    async def read(self, pages: Sequence[Page], wanted: Sequence[Wanted]) -> Read:
        """Raises the model's Failure when no chunk gave an answer."""
        parts = chunks(pages)
        self._several = len(parts) > 1
        several = await asyncio.gather(*(self._chunk(part, wanted) for part in parts))
        answers = [answer for some in several for answer in some]
        if self._faults and not answers:
            raise self._faults[0]
        found = merged(answers, wanted)
        found.warnings = self._warnings
        return found

    async def _chunk(self, pages: Sequence[Page], wanted: Sequence[Wanted]) -> list[_Answer]:
        """The answers of a chunk: one, or those of its parts; none where the model gave none."""
        try:
            reply = await self._chain.ask(self._ask(pages, wanted), self._account)
        except ModelTruncated as fault:
            return await self._smaller(pages, wanted, fault)
        except Failure as fault:
            if not isinstance(fault, ModelUnavailable | OverBudget) and fault.code != "model_refused":
                raise
            self._lost(pages, fault)
            return []
        return [_Answer(pages, reply.data if isinstance(reply.data, dict) else {})]

    async def _smaller(self, pages: Sequence[Page], wanted: Sequence[Wanted], fault: Failure) -> list[_Answer]:
        """Never the same again: fewer pages, then fewer values, then fewer lines of the page."""
        own = [page for page in pages if not page.context]
        cut: list[tuple[Sequence[Page], Sequence[Wanted]]] = []
        if len(wanted) > 1 and (len(own) == 1 or len(wanted) > 8):
            middle = len(wanted) // 2
            cut = [(pages, wanted[:middle]), (pages, wanted[middle:])]
        elif parts := halves(pages):
            cut = [(part, wanted) for part in parts]
        if not cut:
            self._lost(pages, fault)
            return []
        several = await asyncio.gather(*(self._chunk(part, some) for part, some in cut))
        return [answer for some in several for answer in some]

    def _lost(self, pages: Sequence[Page], fault: Failure) -> None:
        numbers = [page.number for page in pages if not page.context]
        where = f"page {numbers[0]}" if len(numbers) == 1 else f"pages {numbers[0]}-{numbers[-1]}"
        self._faults.append(fault)
        warning = {
            "code": fault.code,
            "page": numbers[0],
            "message": f"The model did not read {where}: {fault.message}",
        }
        self._warnings.append(warning)

    def _ask(self, pages: Sequence[Page], wanted: Sequence[Wanted]) -> Ask:
        """The question about a chunk. No tools: while a document is read, nothing in it can be done."""
        instruction = prompt("read")
        schema = answer_schema(wanted, self._wish)
        names = orjson.dumps([one.field() for one in wanted]).decode()
        rows = any(one.rows or one.type == "namelist" for one in wanted)
        most = OUTPUT_TOKENS + VALUE_TOKENS * len(wanted) + (ROWS_TOKENS if rows else 0)
        turn = (f"WISH\n{names}", *document(pages))
        subject = [] if self._private else [names, *(piece for page in pages for piece in page.pieces())]
        most = min(most, MOST_OUTPUT_TOKENS)
        return Ask(instruction.label, instruction.text, (turn,), most, schema, subject=subject, lasting=self._several)


def merged(answers: Sequence[_Answer], wanted: Sequence[Wanted]) -> Read:
    """One value a name: of scalars the one most chunks gave, of rows all of them in the order of the pages."""
    found = Read()
    for one in wanted:
        for answer in answers:
            value = answer.data.get(one.name)
            if one.name not in answer.data or value is None or value == []:
                continue
            try:
                clean = clean_value(one, value)
            except Invalid:
                found.invalid.add(one.name)
                continue
            if clean is not None:
                own = tuple(page.number for page in answer.pages if not page.context)
                pictures = any(page.picture is not None for page in answer.pages)
                found.given.setdefault(one.name, []).append(Given(clean, own, pictures))
        given = found.given.get(one.name)
        if given:
            lists = isinstance(given[0].value, list)
            found.values[one.name] = _joined([g.value for g in given]) if lists else _commonest(given)
    return found


def clean_value(one: Wanted, value: Any) -> Any:
    """A model's value as the contract spells it; of rows, what is no row is left out. Raises Invalid."""
    if "properties" in one.schema or "$ref" in one.schema or "anyOf" in one.schema:
        if "properties" in one.schema and not isinstance(value, dict):
            raise Invalid("an object is wanted")
        return value
    if one.type != "items":
        return typed(one.type, value)
    if not isinstance(value, list):
        raise Invalid("rows are a list")
    rows = [_row(row) for row in value if isinstance(row, dict)]
    return [row for row in rows if any(cell is not None for cell in row.values())]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, cell in row.items():
        try:
            found[name] = typed(COLUMNS[name], cell) if name in COLUMNS else cell
        except Invalid:
            found[name] = None
    return found


def _commonest(given: Sequence[Given]) -> Any:
    """The value that most chunks gave; of equals, that of the earlier page."""
    return max(given, key=lambda g: sum(same(g.value, other.value) for other in given)).value


def _joined(lists: Sequence[Any]) -> list[Any]:
    """Rows of consecutive chunks; those that the overlap made appear twice (end of one, start of the next) once."""
    found: list[Any] = []
    for rows in lists:
        if not isinstance(rows, list):
            continue
        shared = next(
            (n for n in range(min(len(found), len(rows)), 0, -1) if _alike(found[-n:], rows[:n])),
            0,
        )
        found += rows[shared:]
    return found


def _alike(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return [squash(row) for row in some] == [squash(row) for row in others]
