"""Memory of this container or machine, and when to take no more in.

Inside a cgroup the host's figures mean nothing: what counts is the tightest limit between the own group and the root.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.errors import Overloaded
from agent.telemetry.health import Check

_PRESSED = 0.90  # above this share of the limit no task and nothing large is taken in
_RELAXED = 0.80  # and below this one it is again: between the two nothing changes
_PAUSE_S = 10.0  # tasks that end in between give memory back
_UNLIMITED = 1 << 60  # cgroup v1 tells "no limit" as a number near 2**63


@dataclass(frozen=True, slots=True)
class Usage:
    """`source` is `cgroup2`, `cgroup1` or `meminfo`."""

    used_bytes: int
    limit_bytes: int
    source: str

    @property
    def share(self) -> float:
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 0.0


class Memory:
    """Read from time to time by `refresh`; checks and admission use the last reading. `refused` hears of refusals."""

    def __init__(self, root: Path = Path("/"), *, refused: Callable[[], object] = lambda: None) -> None:
        self._root = root
        self._refused = refused
        self._read_at = time.monotonic()
        self.usage = read(root)
        self.pressed = self.usage.share > _PRESSED

    def refresh(self) -> None:
        self.usage = read(self._root)
        self._read_at = time.monotonic()
        self.pressed = self.usage.share > (_RELAXED if self.pressed else _PRESSED)

    def admit(self) -> None:
        """For whatever takes something in. Raises Overloaded while memory is short."""
        if self.pressed:
            self._refused()
            raise Overloaded("memory is short; try again later", retry_after_s=_PAUSE_S)

    def check(self) -> Check:
        usage = self.usage
        detail = {"used_bytes": usage.used_bytes, "limit_bytes": usage.limit_bytes, "source": usage.source}
        return Check(not self.pressed, time.monotonic() - self._read_at, detail)


def read(root: Path = Path("/")) -> Usage:
    """The tightest limit that holds for this process and what is used of it; the machine's when none is set."""
    groups = _groups(root)
    machine = _machine(root)
    found = [usage for usage in (*_cgroup2(root, groups), *_cgroup1(root, groups)) if usage.limit_bytes]
    return max((usage for usage in found if usage.limit_bytes < machine.limit_bytes), key=_share, default=machine)


def _share(usage: Usage) -> float:
    return usage.share


def _groups(root: Path) -> dict[str, str]:
    """Controller to path of the own group; the unified hierarchy has the empty name."""
    groups: dict[str, str] = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _cgroup2(root: Path, groups: dict[str, str]) -> list[Usage]:
    top = root / "sys/fs/cgroup"
    return [
        Usage(used, limit, "cgroup2")
        for folder in _upwards(top, groups.get("", "/"))
        if (limit := _number(folder / "memory.max"))
        and (used := _working_set(folder, "memory.current", "inactive_file")) is not None
    ]


def _cgroup1(root: Path, groups: dict[str, str]) -> list[Usage]:
    top = root / "sys/fs/cgroup/memory"
    return [
        Usage(used, limit, "cgroup1")
        for folder in _upwards(top, groups.get("memory", "/"))
        if (limit := _number(folder / "memory.limit_in_bytes"))
        and limit < _UNLIMITED
        and (used := _working_set(folder, "memory.usage_in_bytes", "total_inactive_file")) is not None
    ]


def _upwards(top: Path, group: str) -> list[Path]:
    """The own group's folder and those above it. In a container the path may not exist: then only the top."""
    own = top / group.lstrip("/")
    return [folder for folder in (own, *own.parents) if folder == top or top in folder.parents]


def _working_set(folder: Path, current: str, inactive: str) -> int | None:
    """What cannot be taken back at once: usage without the page cache nobody has touched for long."""
    used = _number(folder / current)
    if used is None:
        return None
    stat = dict(line.split(" ", 1) for line in _text(folder / "memory.stat").splitlines() if " " in line)
    return max(0, used - int(stat.get(inactive, 0)))


def _machine(root: Path) -> Usage:
    rows = dict(line.split(":", 1) for line in _text(root / "proc/meminfo").splitlines() if ":" in line)
    total, free = (int(rows.get(name, "0").split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    return Usage(total - free, total, "meminfo")


def _number(path: Path) -> int | None:
    """The file's number; None when there is no such file or it says `max`."""
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
