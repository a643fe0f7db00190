"""`extract --html`: the results on their pages, in one file that needs no network."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.cli.one_shot import OneShot
from agent.errors import ConfigError, Failure
from agent.web import report

DPI = 110  # as the console's download has them


@dataclass
class Sheets:
    """Results and pictures of their pages until they are written to `out`. Raises ConfigError when it cannot be."""

    out: Path
    results: list[dict[str, Any]] = field(default_factory=list)
    pictures: dict[str, dict[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.out.absolute().parent.is_dir() or self.out.is_dir():
            raise ConfigError(f"--html {self.out}: no file can be written there")

    async def add(self, work: OneShot, path: Path, result: dict[str, Any], password: str | None) -> None:
        """Takes in what was read from one file; a page that cannot be shown is left out, and stderr says so."""
        name = str(path) if path.name in self.pictures else path.name  # files of two folders may share a name
        shown = self.pictures.setdefault(name, {})
        for one in (result, *result.get("more", ())):
            alone = {key: value for key, value in one.items() if key != "more"}
            self.results.append(alone | {"document": one["document"] | {"id": name}})
            for page in report.pages_shown(one):
                if page in shown:
                    continue
                try:
                    shown[page] = await work.picture(one, page, dpi=DPI, password=password)
                except Failure as fault:
                    print(f"{path.name}: page {page} is not in {self.out.name}: {fault.message}", file=sys.stderr)

    def write(self) -> None:
        """Writes the file."""
        try:
            self.out.write_text(report.page(self.results, self.pictures), encoding="utf-8")
        except OSError as exc:
            raise ConfigError(f"--html {self.out}: {exc.strerror}") from exc
