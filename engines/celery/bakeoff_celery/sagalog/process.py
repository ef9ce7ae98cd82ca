"""The saga log of a pool process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from bakeoff.deployment import Deployment
from bakeoff.registry import load_sagas
from bakeoff_celery.sagalog.log import SagaLog
from bakeoff_celery.sagalog.place import open_log
from bakeoff_celery.sagalog.timing import Timing

T = TypeVar("T")

#: Seconds for which the end of an attempt is offered to a log that does not answer, and between two tries.
_PATIENCE_S, _PAUSE_S = 10.0, 0.2

_of_process: dict[int, SagaLog] = {}


def log_of_this_process() -> SagaLog:
    """The log for ``BAKEOFF_DEPLOYMENT``, opened once per process (a fork opens its own)."""
    log = _of_process.get(os.getpid())
    if log is None:
        deployment = Deployment.of_this_process()
        log = SagaLog(open_log(deployment), load_sagas(deployment.sagas), Timing.of(deployment.settings))
        _of_process[os.getpid()] = log
    return log


def patiently(write: Callable[[], T]) -> T:
    """Write what nobody else knows; if the log stays away the attempt's lease decides."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return write()
        except DBAPIError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)
