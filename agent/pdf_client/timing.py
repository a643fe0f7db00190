"""Every wait of the supervisor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    start_timeout_s: float = 30.0
    heartbeat_s: float = 5.0
    heartbeat_timeout_s: float = 5.0
    stable_s: float = 10.0
    backoff_base_s: float = 0.25
    backoff_cap_s: float = 30.0
    grace_s: float = 2.0


def backoff_s(failures: int, timing: Timing) -> float:
    """The longest wait before the next start; the exponent is capped because floats overflow."""
    if failures <= 0:
        return 0.0
    return min(timing.backoff_cap_s, timing.backoff_base_s * 2.0 ** min(failures - 1, 10))


def start_timeout_s(failed_starts: int, timing: Timing) -> float:
    """How long the next start may take: longer after each one that failed, or a machine under load never has one."""
    return timing.start_timeout_s * 2.0 ** min(failed_starts, 2)
