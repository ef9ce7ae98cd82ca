"""A step's timeout: Celery's soft limit, with the hard one behind it.

Both are a matter between processes. In the pool ``threads`` Celery enforces neither, so there is no timeout.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from billiard.pool import SIG_SOFT_TIMEOUT, soft_timeout_sighandler

from bakeoff.saga import Direction, Saga, Step
from bakeoff.settings import SettingsInForce


def limits(saga: Saga, step: Step, direction: Direction, settings: SettingsInForce) -> dict[str, Any]:
    """Return the soft limit, which is the step's timeout, and the hard one behind it, in seconds."""
    if settings["pool"] == "threads":
        return {}  # nobody would keep them
    soft_s = saga.timeout_of(step, direction).total_seconds()
    return {"soft_time_limit": soft_s, "time_limit": soft_s + float(settings["hard_limit_margin"])}


@contextmanager
def soft_limit() -> Iterator[None]:
    """Let the soft limit strike inside this context only.

    The signal that raises ``SoftTimeLimitExceeded`` comes from the parent, which does not know yet that the
    step has just ended. While the next message is being published it would publish the errback on top.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # of a pool of threads: it has no limits, and no thread but the main one gets signals
        return
    signal.signal(SIG_SOFT_TIMEOUT, soft_timeout_sighandler)
    try:
        yield
    finally:
        signal.signal(SIG_SOFT_TIMEOUT, signal.SIG_IGN)


def described(error: Exception, name: str, timeout_s: float) -> tuple[str, str]:
    """Return type and message of a failed attempt, a soft limit in the saga's own words."""
    if isinstance(error, SoftTimeLimitExceeded):
        return "TimeoutError", f"{name} exceeded its start-to-close timeout of {timeout_s} s"
    return type(error).__name__, str(error)
