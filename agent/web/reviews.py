"""What people say of doubtful values: the queue, their decisions, and the cases that come of them.

A caller with the scope `review` decides on its own tasks. A decision is never changed: a later one counts instead,
and the result itself stays as it was given.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from agent.caller import Caller
from agent.errors import InvalidParams
from agent.planning import review
from agent.planning.review import Reviewed
from agent.planning.values import Invalid, leaves
from agent.task import State, Task, now
from agent.tasks.record import write_decision
from agent.tasks.store import Decision, ListQuery, Verdict
from agent.web.answers import dump, json_answer
from agent.web.body import read_json
from agent.web.door import require
from agent.web.keys import ENGINE, STORE

audit = logging.getLogger("agent.audit")

PAGE = 20  # tasks that one answer of the queue looks at
MOST_AT_ONCE = 5000  # decisions: a long table is accepted in one go
MOST_CHARACTERS = 10_000

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Standing:
    """A result with the values that decisions have settled."""

    result: Reviewed
    settled: Mapping[str, Any]

    @property
    def waiting(self) -> list[str]:
        return [at for at in self.result.doubtful() if at not in self.settled]

    def row(self) -> dict[str, Any]:
        return {
            "artifact": self.result.artifact,
            "part": self.result.part,
            "waiting": self.waiting,
            "settled": len(self.settled),
        }


async def queue(request: web.Request) -> web.Response:
    """`{reviews, next_page_token}`: completed results that wait for a decision; `?state=settled` those that had some.

    An answer looks at a page of tasks, newest first, and may be empty before the last one.
    """
    caller = require(request, "review")
    wanted = request.query.get("state", "waiting")
    if wanted not in ("waiting", "settled"):
        raise InvalidParams("state is waiting or settled", field="state")
    query = ListQuery(state=State.COMPLETED, page_size=PAGE, page_token=request.query.get("page_token"), artifacts=True)
    page = await request.app[ENGINE].list(caller, query)
    rows = []
    for task in page.tasks:
        for one in await _standings(request, task):
            if one.waiting if wanted == "waiting" else one.settled:
                document = one.result.body["document"]
                told = {key: document.get(key) for key in ("id", "document_type", "pages")}
                rows.append({"task_id": task.id, "at": task.timestamp.isoformat(), "document": told, **one.row()})
    return json_answer({"reviews": rows, "next_page_token": page.next_page_token})


async def one(request: web.Request) -> web.Response:
    """`{results, decisions}` of a task: the values as they hold now, and all that was said, oldest first."""
    caller = require(request, "review")
    return await _told(request, caller)


async def decide(request: web.Request) -> web.Response:
    """Keeps `{"decisions": [{artifact, part?, pointer, verdict, value?}]}`, all or none; answers like a look at it."""
    caller = require(request, "review")
    task = await request.app[ENGINE].get(caller, request.match_info["id"])
    body = await read_json(request)
    wishes = body.get("decisions") if isinstance(body, dict) else None
    if not isinstance(wishes, list) or not 0 < len(wishes) <= MOST_AT_ONCE:
        raise InvalidParams(f"decisions is a list of 1 to {MOST_AT_ONCE}", field="decisions")
    results = {(r.artifact, r.part): r for r in review.results_of(task)}
    decisions = [_decision(wish, task, results, caller) for wish in wishes]
    await request.app[STORE].put_decisions(task.id, decisions)
    audit.info("review.decided", extra={"by": caller.id, "task": task.id, "decisions": len(decisions)})
    return await _told(request, caller, status=201)


async def cases(request: web.Request) -> web.StreamResponse:
    """Decided fields of all results as a cases file of the benchmark, a JSON line a result."""
    caller = require(request, "review")
    response = web.StreamResponse(
        headers={"Content-Type": "application/x-ndjson", "Content-Disposition": 'attachment; filename="cases.jsonl"'}
    )
    await response.prepare(request)
    token: str | None = None
    while token != "":
        query = ListQuery(state=State.COMPLETED, page_size=PAGE, page_token=token, artifacts=True)
        page = await request.app[ENGINE].list(caller, query)
        for task in page.tasks:
            for standing in await _standings(request, task):
                if (case := review.case(task, standing.result, standing.settled)) is not None:
                    await response.write(dump(case) + b"\n")
        token = page.next_page_token
    await response.write_eof()
    return response


async def _told(request: web.Request, caller: Caller, *, status: int = 200) -> web.Response:
    task = await request.app[ENGINE].get(caller, request.match_info["id"])
    standings = await _standings(request, task)
    said = await request.app[STORE].decisions(task.id)
    return json_answer(
        {
            "results": [{**s.row(), "values": review.corrected(s.result.values, s.settled)} for s in standings],
            "decisions": [write_decision(decision) for decision in said],
        },
        status=status,
    )


async def _standings(request: web.Request, task: Task) -> list[_Standing]:
    settled = _settled(await request.app[STORE].decisions(task.id))
    return [_Standing(result, settled.get((result.artifact, result.part), {})) for result in review.results_of(task)]


def _settled(decisions: Iterable[Decision]) -> dict[Place, dict[str, Any]]:
    """The values that hold by the last decision on each."""
    found: dict[Place, dict[str, Any]] = {}
    for said in decisions:
        values = found.setdefault((said.artifact, said.part), {})
        values.pop(said.pointer, None)
        if said.verdict is not Verdict.UNDO:
            values[said.pointer] = said.new
    return found


def _decision(wish: object, task: Task, results: Mapping[Place, Reviewed], caller: Caller) -> Decision:
    """Raises InvalidParams for what the task does not hold or a value that its type does not allow."""
    if not isinstance(wish, dict):
        raise InvalidParams("a decision is an object", field="decisions")
    result = results.get((str(wish.get("artifact")), wish.get("part") or 0))
    if result is None:
        raise InvalidParams("the task has no such result", field="artifact")
    at, given = wish.get("pointer"), dict(leaves(result.values))
    if at not in given:
        raise InvalidParams("the result has no value at this pointer", field="pointer")
    verdict = _verdict(wish.get("verdict"))
    new = {Verdict.ACCEPT: given[at], Verdict.CORRECT: wish.get("value")}.get(verdict)
    if verdict is Verdict.CORRECT:
        new = _spelled(at, new, task, result)
    return Decision(result.artifact, result.part, at, verdict, given[at], new, caller.id, now())


def _verdict(word: object) -> Verdict:
    try:
        return Verdict(word)
    except ValueError:
        raise InvalidParams("verdict is accept, correct, reject or undo", field="verdict") from None


def _spelled(at: str, value: Any, task: Task, result: Reviewed) -> Any:
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        raise InvalidParams(f"a value has at most {MOST_CHARACTERS} characters", field="value")
    try:
        return review.spelled(at, value, review.wish_of(task), result.values)
    except Invalid as fault:
        raise InvalidParams(f"{fault}", field="value") from None


def add_routes(app: web.Application) -> None:
    app.router.add_get("/reviews", queue)
    app.router.add_get("/reviews/cases", cases)
    app.router.add_get("/reviews/{id}", one)
    app.router.add_post("/reviews/{id}", decide)
