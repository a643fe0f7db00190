"""Logs: one JSON object a line (or a line for people), never in the way of the work.

A line is made where the event happens, so that it shows that moment's values and context, and written by a thread of
its own: when the reader of the pipe stalls, lines are dropped and counted, and the event loop never waits.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import BinaryIO, Literal, cast

import orjson

from agent.telemetry import tracing
from agent.telemetry.redaction import Redactor

Format = Literal["text", "json", "auto"]

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
TASK_ID: ContextVar[str | None] = ContextVar("task_id", default=None)
CALLER: ContextVar[str | None] = ContextVar("caller", default=None)
_CONTEXT = {"request_id": REQUEST_ID, "task_id": TASK_ID, "caller": CALLER}

_MAX_LINE = 16_384
_MAX_TEXT = 4_096
_QUEUE_LINES = 10_000
_FLUSH_S = 2.0
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


_redactor = Redactor()
hide = _redactor.learn  # a secret that came to be known after the start


class _Lines(logging.Formatter):
    """Shared by both formats: context, extras, redaction, size."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def _message(self, record: logging.LogRecord) -> str:
        try:
            message = record.getMessage()
        except Exception as fault:  # noqa: BLE001  # a message that cannot be made must not lose its line
            message = f"{record.msg!s} (unformattable: {fault!r})"
        return _cut(self._redactor.text(message))

    def _extras(self, record: logging.LogRecord) -> dict[str, object]:
        extras = {name: value for name, value in vars(record).items() if name not in _OWN}
        return {name: self._extra(name, value) for name, value in extras.items()}

    def _extra(self, name: str, value: object) -> object:
        try:
            kept = self._redactor.value(name, value)
            if len(orjson.dumps(kept, default=str, option=orjson.OPT_NON_STR_KEYS)) <= _MAX_TEXT:
                return kept
        except Exception:  # noqa: BLE001, S110  # whatever it is, its words follow
            pass
        return _cut(self._redactor.text(_words(value)))

    def _exception(self, record: logging.LogRecord) -> dict[str, str] | None:
        if not record.exc_info or record.exc_info[1] is None:
            return None
        fault = record.exc_info[1]
        stack = "".join(traceback.format_exception(fault))
        text = self._redactor.text
        return {"type": type(fault).__qualname__, "message": _cut(text(_words(fault))), "stack": _cut(text(stack))}


class JsonLines(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "timestamp": _stamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": self._message(record),
            "module": record.module,
            "function": record.funcName,
            "line": record.lineno,
            **_context(),
        }
        if extras := self._extras(record):
            line["extra"] = extras
        if exception := self._exception(record):
            line["exception"] = exception
        if record.stack_info:
            line["stack"] = _cut(self._redactor.text(record.stack_info))
        return _fitted(line).decode()


class TextLines(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        context = {**_context(), **self._extras(record)}
        fields = "".join(f" {name}={value}" for name, value in context.items())
        head = f"{_stamp(record.created)} {record.levelname:7} {record.name}: {self._message(record)}{fields}"
        # A line break inside a value must not look like a second event.
        line = _cut(head.replace("\r", "\\r").replace("\n", "\\n"), _MAX_LINE)
        exception = self._exception(record)
        return f"{line}\n{exception['stack'].rstrip()}" if exception else line


class LogOutput(logging.handlers.QueueHandler):
    """The root handler. `dropped` counts lost lines, `on_drop` hears of each (in any thread); `close` writes what is
    left, within 2 s."""

    def __init__(self, stream: BinaryIO, formatter: logging.Formatter, *, lines: int = _QUEUE_LINES) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue(lines)
        super().__init__(cast("queue.Queue[object]", self._lines))
        self.setFormatter(formatter)
        self.dropped = 0
        self.on_drop: Callable[[], None] | None = None
        self._stream = stream
        self._told = 0
        self._closed = False
        self._gone = False
        self._writer = threading.Thread(target=self._write, name="logs", daemon=True)
        self._writer.start()

    def prepare(self, record: logging.LogRecord) -> bytes:
        return self.format(record).encode("utf-8", "backslashreplace") + b"\n"

    def enqueue(self, record: object) -> None:
        try:
            self._lines.put_nowait(cast("bytes", record))
        except queue.Full:
            self._lose()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            with contextlib.suppress(queue.Full):
                self._lines.put(None, timeout=_FLUSH_S)
            self._writer.join(_FLUSH_S)
            if self._gone:  # else the interpreter fails to flush at exit, and ends with 120
                with contextlib.suppress(OSError, ValueError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        super().close()

    def flush(self) -> None:
        """The writer flushes; a caller never waits for it."""

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line + self._notice())
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # the reader is gone: nobody is left to tell
                self._gone = True
                self._lose()
                time.sleep(0.01)  # a closed pipe must not turn this thread into a busy loop
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def _lose(self) -> None:
        self.dropped += 1
        if self.on_drop is not None:
            self.on_drop()

    def _notice(self) -> bytes:
        """A line that tells how many lines were lost since it was last told; empty when none were."""
        lost, self._told = self.dropped - self._told, self.dropped
        if not lost:
            return b""
        fault = logging.makeLogRecord(
            {"name": __name__, "levelname": "WARNING", "msg": "log.dropped", "module": "logs", "funcName": "_write"}
        )
        fault.lines = lost
        return self.prepare(fault)


def setup(
    level: str,
    style: Format = "auto",
    *,
    stream: BinaryIO | None = None,
    redactor: Redactor | None = None,
) -> LogOutput:
    """Makes `stream` (standard error by default) the one place logs go to; the caller closes what it returns.

    Raises ValueError for an unknown level or format.
    """
    out = stream or sys.stderr.buffer
    if style not in ("text", "json", "auto"):
        raise ValueError(f"unknown log format: {style}")
    if style == "auto":
        style = "text" if out.isatty() else "json"
    lines = JsonLines if style == "json" else TextLines
    output = LogOutput(out, lines(redactor or _redactor))
    root = logging.getLogger()
    root.setLevel(level.upper())
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(output)
    logging.captureWarnings(True)
    # Libraries that tell each request at INFO, some of them with its content.
    for noisy in ("httpx", "httpx2", "mcp", "google_genai", "aiohttp.access", "botocore", "docket", "urllib3"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    return output


def _context() -> dict[str, str]:
    context = {name: value for name, variable in _CONTEXT.items() if (value := variable.get()) is not None}
    if (trace_id := tracing.trace_id()) is not None:
        context["trace_id"] = trace_id
    return context


def _stamp(created: float) -> str:
    return datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cut(text: str, limit: int = _MAX_TEXT) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _words(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # an object may refuse even its own words
        return f"<{type(value).__name__} without words>"


def _fitted(line: dict[str, object]) -> bytes:
    """The line as JSON, within the size cap: what is long goes first, what names the event stays."""
    whole = _dumped(line)
    for key in ("extra", "stack", "exception", "message"):
        if len(whole) <= _MAX_LINE:
            return whole
        if key in line:
            words = line[key] if isinstance(line[key], str) else _dumped({key: line[key]}).decode()
            line[key] = _cut(cast("str", words), 1_024)
            whole = _dumped(line)
    return whole


def _dumped(line: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):  # lone surrogates, huge integers
        plain = {key: _words(value).encode("utf-8", "backslashreplace").decode() for key, value in line.items()}
        return orjson.dumps(plain)
