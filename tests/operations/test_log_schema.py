"""The page about log lines tells what the code logs."""

from __future__ import annotations

import contextvars
import io
import json
import logging

import pytest

from agent.telemetry import logs, tracing
from tests.operations.log_events import ROOT, events

PAGE = (ROOT / "ops" / "log-schema.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a title."""
    part = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[1:]]


def test_every_event_of_the_code_is_told_with_its_levels_and_fields() -> None:
    """Mend the page: its rows are these, with a meaning behind each."""
    lines = PAGE.split("## Events\n")[1].splitlines()
    told = [line.rsplit(" | ", 1)[0] for line in lines if line.startswith("| `")]
    assert told == [f"| `{one.name}` | {one.levels} | {one.fields}" for one in events()]


def _log() -> None:
    for variable in (logs.REQUEST_ID, logs.TASK_ID, logs.CALLER):
        variable.set("some")
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("test").exception("some.event", extra={"field": 1}, stack_info=True)


@pytest.fixture
def line() -> dict[str, object]:
    """A line that has every key."""
    stream = io.BytesIO()
    output = logs.setup("INFO", "json", stream=stream)
    try:
        with tracing.entered({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}, "test", {}):
            contextvars.copy_context().run(_log)
    finally:
        output.close()
        logging.getLogger().removeHandler(output)
    found: dict[str, object] = json.loads(stream.getvalue())
    return found


def test_a_line_has_the_keys_that_are_told_and_no_other(line: dict[str, object]) -> None:
    assert list(line) == [cells[0].strip("`") for cells in rows("A line")]
    assert line["extra"] == {"field": 1}


def test_the_keys_told_as_always_there_are_there_without_any_context() -> None:
    record = logging.makeLogRecord({"name": "test", "levelname": "INFO", "msg": "some.event"})
    bare = json.loads(logs.JsonLines(logs._redactor).format(record))
    assert list(bare) == [cells[0].strip("`") for cells in rows("A line") if cells[1] == "yes"]
