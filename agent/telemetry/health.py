"""Health: parts register a check; a probe reads what they already know, waits for nothing and pays for nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import Gauge

from agent.task import EMPTY

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """What a part knows about itself. `age_s` is how old that knowledge is; None when it is of this moment."""

    ok: bool
    age_s: float | None = None
    detail: Mapping[str, object] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class _Part:
    check: Callable[[], Check]
    required: bool


class Health:
    """The registered checks. `draining` makes the process not ready, for good; `gauge` holds 1 or 0 a check."""

    def __init__(self, gauge: Gauge | None = None) -> None:
        self._gauge = gauge
        self._parts: dict[str, _Part] = {}
        self._last: dict[str, bool] = {}
        self._started = time.monotonic()
        self.draining = False

    def register(self, name: str, check: Callable[[], Check], *, required: bool) -> None:
        """`check` answers at once from what its part knows; a part that is not `required` only informs."""
        self._parts[name] = _Part(check, required)

    def report(self) -> tuple[bool, dict[str, object]]:
        """Whether to send work here, and the body that says why."""
        checks: dict[str, bool] = {}
        details: dict[str, object] = {}
        for name, part in self._parts.items():
            known = self._ask(name, part)
            checks[name] = known.ok
            details[name] = {"required": part.required, "age_s": _rounded(known.age_s), **known.detail}
        ready = not self.draining and all(checks[name] for name, part in self._parts.items() if part.required)
        return ready, {
            "status": "ready" if ready else "not_ready",
            "checks": checks,
            "details": {**details, "draining": self.draining, "uptime_s": _rounded(time.monotonic() - self._started)},
        }

    def _ask(self, name: str, part: _Part) -> Check:
        try:
            known = part.check()
        except Exception as fault:  # noqa: BLE001  # a broken check is a failed check, not a failed probe
            known = Check(False, detail={"fault": type(fault).__name__})
        if self._last.get(name, True) != known.ok:  # told once a change, not once a probe
            log.log(
                logging.INFO if known.ok else logging.WARNING,
                "health.changed",
                extra={"part": name, "ok": known.ok, "detail": dict(known.detail)},
            )
        self._last[name] = known.ok
        if self._gauge is not None:
            self._gauge.labels(name).set(known.ok)
        return known


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
