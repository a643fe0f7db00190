"""Log lines of this server: `LEVEL logger event name=value…`, with the trace of the call they belong to."""

from __future__ import annotations

import logging

from opentelemetry import trace

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Lines(logging.Formatter):
    """The agent passes each line on as it is, so a line holds no line break but those of a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _OWN}
        ids = trace.get_current_span().get_span_context()
        if ids.is_valid:
            fields["trace_id"] = f"{ids.trace_id:032x}"
        words = "".join(f" {name}={value}" for name, value in fields.items())
        head = f"{record.levelname} {record.name} {record.getMessage()}{words}".replace("\n", "\\n")
        return f"{head}\n{self.formatException(record.exc_info)}" if record.exc_info else head


def setup(level: str) -> None:
    """Logs go to standard error: standard output belongs to the protocol."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(level=level, handlers=[handler])
    for chatty in ("mcp", "httpx", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
