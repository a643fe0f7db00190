"""Memory of the own container, and what is refused while it is short."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent.errors import Overloaded
from agent.task import State
from agent.telemetry.memory import Memory, Usage, read
from agent.web.body import SMALL_BYTES, read_json
from agent.web.keys import MEMORY
from tests.tasks.conftest import ANN, opened, said

MIB = 1024**2
UNLIMITED_V1 = 9223372036854771712


class Machine:
    """The files of the kernel that tell of memory, below a directory of the test."""

    def __init__(self, root: Path, groups: str) -> None:
        self.root = root
        self.write("proc/meminfo", f"MemTotal: {1024 * 1024} kB\nMemFree: 1 kB\nMemAvailable: {512 * 1024} kB\n")
        self.write("proc/self/cgroup", groups)

    def write(self, path: str, text: object) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}")

    def group2(self, path: str, *, used: int, limit: int | str, inactive: int = 0) -> None:
        folder = f"sys/fs/cgroup/{path}"
        self.write(f"{folder}/memory.current", used)
        self.write(f"{folder}/memory.max", limit)
        self.write(f"{folder}/memory.stat", f"anon 1\ninactive_file {inactive}\n")

    def group1(self, path: str, *, used: int, limit: int, inactive: int = 0) -> None:
        folder = f"sys/fs/cgroup/memory/{path}"
        self.write(f"{folder}/memory.usage_in_bytes", used)
        self.write(f"{folder}/memory.limit_in_bytes", limit)
        self.write(f"{folder}/memory.stat", f"total_inactive_file {inactive}\n")


@pytest.fixture
def container(tmp_path: Path) -> Machine:
    return Machine(tmp_path, "0::/\n")


def test_without_a_limit_the_machine_counts(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "0::/user.slice\n")
    machine.group2("user.slice", used=MIB, limit="max")
    assert read(tmp_path) == Usage(512 * MIB, 1024 * MIB, "meminfo")


def test_cache_that_can_be_taken_back_is_not_used_memory(container: Machine) -> None:
    container.group2("", used=90 * MIB, limit=100 * MIB, inactive=60 * MIB)
    assert read(container.root) == Usage(30 * MIB, 100 * MIB, "cgroup2")


def test_the_tightest_group_above_the_own_one_counts(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "0::/pods/one\n")
    machine.group2("pods", used=190 * MIB, limit=200 * MIB)
    machine.group2("pods/one", used=10 * MIB, limit=100 * MIB)
    assert read(tmp_path) == Usage(190 * MIB, 200 * MIB, "cgroup2")


def test_the_old_hierarchy_is_read_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n")
    machine.group1("", used=MIB, limit=UNLIMITED_V1)  # in a container the own path is not there
    assert read(tmp_path).source == "meminfo"
    machine.group1("", used=80 * MIB, limit=100 * MIB, inactive=30 * MIB)
    assert read(tmp_path) == Usage(50 * MIB, 100 * MIB, "cgroup1")


def test_what_was_pressed_takes_in_again_only_when_it_has_room(container: Machine) -> None:
    told: list[bool] = []
    container.group2("", used=50, limit=100)
    memory = Memory(container.root)
    for used in (89, 91, 85, 79, 89):
        container.group2("", used=used, limit=100)
        memory.refresh()
        told.append(memory.check().ok)
    assert told == [True, False, False, True, True]


async def test_short_of_memory_no_task_is_taken_and_those_that_run_go_on(tmp_path: Path, container: Machine) -> None:
    refusals: list[None] = []
    container.group2("", used=50, limit=100)
    memory = Memory(container.root, refused=lambda: refusals.append(None))
    (tmp_path / "tasks").mkdir()
    async with opened(tmp_path / "tasks", admit=memory.admit) as engine:
        task = await engine.send(ANN, said())
        container.group2("", used=95, limit=100)
        memory.refresh()
        with pytest.raises(Overloaded) as refused:
            await engine.send(ANN, said())
        assert refused.value.retry_after_s
        assert len(refusals) == 1
        assert (await engine.wait(ANN, getattr(task, "id", ""), 20)).state is State.COMPLETED
        container.group2("", used=50, limit=100)
        memory.refresh()
        await engine.send(ANN, said())


async def test_short_of_memory_no_large_body_is_read(container: Machine) -> None:
    container.group2("", used=95, limit=100)
    app = web.Application()
    app[MEMORY] = Memory(container.root)

    async def handler(request: web.Request) -> web.Response:
        try:
            return web.json_response(await read_json(request))
        except Overloaded:
            return web.Response(status=503)

    app.router.add_post("/", handler)
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/", json={"a": 1})).status == 200
        assert (await client.post("/", json={"a": "x" * 2 * SMALL_BYTES})).status == 503
