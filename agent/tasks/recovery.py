"""What an attempt finds that its predecessor's process left unfinished: the task goes on, asks, or is given up."""

from __future__ import annotations

import logging

from agent.errors import Failure
from agent.task import State, StatusChanged, Task, now
from agent.tasks.ledger import Ledger, Live
from agent.tasks.run import failed, told

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # a task that was WORKING in so many processes that died is taken to be the cause


async def ended_instead(ledger: Ledger, live: Live, *, forgotten: bool) -> bool:
    """Whether the task got a status in place of a new attempt. `forgotten`: no process knows its password any more.

    Artifacts are kept in any case: the work sees them and skips what is done. Raises IllegalMove, TaskNotFound.
    """
    task = live.task
    given_up = task.state is State.WORKING and task.lost + 1 >= MAX_ATTEMPTS
    if given_up:
        log.error("task.given_up", extra={"task": task.id, "attempts": task.lost + 1})
        await ledger.commit(live, _given_up(task), dead=True)
    elif forgotten and task.withheld:
        await ledger.commit(live, _asked_again(task))
    else:
        return False
    return True


def _given_up(task: Task) -> StatusChanged:
    words = f"the service stopped unexpectedly during each of {task.lost + 1} attempts"
    return failed(task, Failure("internal", words, hint="check the document before sending it again"))


def _asked_again(task: Task) -> StatusChanged:
    hint = "send the password again in a message to this task"
    asked = Failure("password_required", "the service restarted and keeps no passwords", hint=hint, retryable=True)
    return StatusChanged(State.AUTH_REQUIRED, now(), told(task, asked))
