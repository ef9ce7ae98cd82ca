"""A step's timeout: an alarm in the process that acts, from the moment when it begins.

Celery's own soft limit begins when the worker's parent hands the message over, so that the transaction that
takes the attempt from the log would count as part of it. The hard limit behind it is Celery's.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def within(seconds: float, name: str) -> Iterator[None]:
    """Raise ``TimeoutError`` inside this context when the time is over; for the main thread of a process."""

    def strike(signum: int, frame: object) -> NoReturn:
        raise TimeoutError(f"{name} exceeded its start-to-close timeout of {seconds} s")

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
