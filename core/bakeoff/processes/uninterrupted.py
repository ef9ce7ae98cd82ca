"""A moment in which Ctrl-C has to wait."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from bakeoff.processes.interruption import current


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold SIGINT, SIGTERM and SIGHUP back in this thread; they arrive when the context ends.

    For the few lines between making a thing and remembering that it must be removed.
    """
    interruption = current()
    if interruption is not None:
        # A mask is not enough there: the kernel gives the signal to another thread, Python to this one.
        with interruption.held():
            yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
