"""A real process is killed in the midst of its commits; what it had acknowledged must be there, and end."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.task import Artifact, Part, State
from agent.tasks import lock
from agent.tasks.run import Outcome, Run
from tests.tasks.conftest import ANN, complete, opened, said


async def slow(run: Run) -> Outcome:
    """Half of the tasks end at once, the others not in this process."""
    await run.artifact(Artifact("a", (Part(text=run.task.id),)))
    if int(run.task.id[-1], 16) % 2:
        await asyncio.Event().wait()
    return await complete(run)


async def serve(directory: Path) -> None:
    with lock.held(directory):
        async with opened(directory, slow, max_concurrent=200) as engine:

            async def client() -> None:
                while True:
                    task = await engine.send(ANN, said())
                    sys.stdout.write(f"{task.id}\n")  # type: ignore[union-attr]  # this work gives no direct answer
                    sys.stdout.flush()

            await asyncio.gather(*(client() for _ in range(8)))


@pytest.mark.parametrize("acknowledged", [1, 37, 100, 250, 500])
async def test_an_acknowledged_task_survives_sigkill_and_ends(tmp_path: Path, acknowledged: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.tasks.test_crash", str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    ids = [(await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip() for _ in range(acknowledged)]
    with pytest.raises(ConfigError, match=str(process.pid)), lock.held(tmp_path):
        pass
    process.kill()
    await process.wait()
    with lock.held(tmp_path):
        async with opened(tmp_path, queue_limit=10_000) as engine:
            for task_id in ids:
                assert (await engine.wait(ANN, task_id, 20)).state is State.COMPLETED


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
