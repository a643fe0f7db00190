"""What was done for a task: steps with tokens, times and outcomes. It holds no text of documents unless asked to."""

from __future__ import annotations

import time
from typing import Any

MOST_STEPS = 200
MOST_TEXT = 20_000  # characters kept of one prompt or answer


class Trace:
    """The steps in the order they ended. `with_text` keeps what was sent and answered as well."""

    def __init__(self, *, with_text: bool = False) -> None:
        self.with_text = with_text
        self._began = time.monotonic()
        self._steps: list[dict[str, Any]] = []
        self._left_out = 0

    def step(self, kind: str, *, text: str | None = None, **facts: Any) -> None:
        """`kind` is model, tool or choice; `text` is dropped unless it was asked for."""
        if len(self._steps) >= MOST_STEPS:
            self._left_out += 1
            return
        kept = {"text": text[:MOST_TEXT]} if self.with_text and text is not None else {}
        at_s = round(time.monotonic() - self._began, 3)
        self._steps.append({"step": kind, "at_s": at_s, **facts, **kept})

    def record(self) -> dict[str, Any]:
        return {"steps": list(self._steps), "left_out": self._left_out}
