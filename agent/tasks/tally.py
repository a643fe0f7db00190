"""Counts ended tasks for the metrics."""

from __future__ import annotations

import re
from functools import cache

from agent.task import Task, now
from agent.telemetry.metrics import Metrics

_LABEL = re.compile(r"[a-z][a-z_]{0,39}")


class Tally:
    def __init__(self, metrics: Metrics) -> None:
        self._ended = cache(metrics.extraction_requests_total.labels)
        self._took = cache(metrics.extraction_task_duration_seconds.labels)

    def ended(self, task: Task) -> None:
        outcome = task.state.value
        self._ended(outcome, document_type(task)).inc()
        self._took(outcome).observe(max(0.0, (now() - task.created).total_seconds()))


def document_type(task: Task) -> str:
    """The type the first result tells; `unknown` when there is none or it is no label."""
    for artifact in task.artifacts:
        for part in artifact.parts:
            document = part.data.get("document") if isinstance(part.data, dict) else None
            kind = document.get("document_type") if isinstance(document, dict) else None
            if isinstance(kind, str) and _LABEL.fullmatch(kind):
                return kind
    return "unknown"
