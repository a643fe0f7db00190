"""`dead-letters`: what was given up, and asking for it again."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import ExitStack

from agent.cli.store import opened_store
from agent.config import Config
from agent.errors import TaskNotFound
from agent.tasks.dead_letters import raised
from agent.tasks.lock import held
from agent.tasks.store import Store


def dead_letters(options: argparse.Namespace) -> int:
    """1 when the task is none of them."""
    config = Config.from_env(os.environ)
    with ExitStack() as own:
        if options.action == "replay" and config.shared_store_url is None:
            own.enter_context(held(config.data_dir))  # a service that runs would not see the new task: ask it instead
        return asyncio.run(_run(config, options))


async def _run(config: Config, options: argparse.Namespace) -> int:
    async with opened_store(config) as store:
        if options.action == "list":
            for line in await _lines(store) if store else ():
                print(line)
            return 0
        try:
            print(await _replay(store, options.task))
        except TaskNotFound as fault:
            print(f"extraction-agent: {fault.message}", file=sys.stderr)
            return 1
    return 0


async def _lines(store: Store) -> list[str]:
    found = [await store.load(task_id) for task_id in await store.dead()]
    return [f"{task.id}  {task.timestamp:%Y-%m-%d %H:%M:%S}  {task.caller}" for task in found if task is not None]


async def _replay(store: Store | None, task_id: str) -> str:
    """The new task's id; a service finds the task within seconds, or at its start."""
    if store is None:
        raise TaskNotFound(f"{task_id} is no dead letter")
    new = await raised(store, task_id)
    committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(size_bytes: int, fault: BaseException | None) -> None:
        del size_bytes
        committed.set_result(None) if fault is None else committed.set_exception(fault)

    store.submit(new, done)
    await committed
    return new.task.id
