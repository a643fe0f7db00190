"""An end for what a pure Python reader may spend on one part of a document, so that the rest is still answered."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

AGAIN_S: Final = 0.05  # a reader that swallows the interruption is interrupted again


class OutOfPatience(BaseException):
    """The time is up. No `Exception`: readers swallow those to go on with the next object."""


@contextmanager
def patience(cpu_s: float) -> Iterator[None]:
    """Raises OutOfPatience in the block once it has used this much processor time. For the main thread only."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise OutOfPatience

    before = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, cpu_s, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
