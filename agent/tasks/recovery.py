"""What a process finds that its predecessor left unfinished: each task goes on, asks, or fails with a reason."""

from __future__ import annotations

import logging

from agent.errors import Failure, TaskNotFound
from agent.task import IllegalMove, State, StatusChanged, Task, now
from agent.tasks.ledger import Ledger
from agent.tasks.runner import Runner, failed, told
from agent.tasks.store import Store

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # a task that was WORKING in so many processes that died is taken to be the cause


async def recover(store: Store, ledger: Ledger, runner: Runner) -> None:
    """Before anything new is taken. Artifacts are kept: the work sees them and skips what is done."""
    for task_id, caller_id in await store.unfinished():
        try:
            live = await ledger.get(task_id)
            end = _instead(live.task)
            if end is not None:
                await ledger.commit(live, end)
        except (TaskNotFound, IllegalMove) as gone:
            log.info("task.not_resumed", extra={"task": task_id, "cause": str(gone)})
            continue
        if end is None:
            runner.put(caller_id, task_id)
        log.info("task.resumed", extra={"task": task_id, "state": live.task.state.value})


def _instead(task: Task) -> StatusChanged | None:
    """The status a task gets in place of a new attempt."""
    if task.state is State.WORKING and task.attempt >= MAX_ATTEMPTS:
        words = f"the service stopped unexpectedly during each of {task.attempt} attempts"
        return failed(task, Failure("internal", words, hint="check the document before sending it again"))
    if task.withheld:
        hint = "send the password again in a message to this task"
        asked = Failure("password_required", "the service restarted and keeps no passwords", hint=hint, retryable=True)
        return StatusChanged(State.AUTH_REQUIRED, now(), told(task, asked))
    return None
