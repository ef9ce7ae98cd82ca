"""A process that acts renews the lease of its attempt; one that is dead or stopped does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery.utils.log import get_logger
from sqlalchemy import bindparam, update
from sqlalchemy.exc import DBAPIError

from bakeoff.world.database import writing
from bakeoff_celery.sagalog.log import SagaLog
from bakeoff_celery.sagalog.record import Key, State
from bakeoff_celery.sagalog.tables import THE_CALL, calls, the_call

#: Beats within one lease: two of them may be missed.
_BEATS = 3

_RENEW = (
    update(calls)
    .where(*THE_CALL, calls.c.attempt == bindparam("the_attempt"), calls.c.state == str(State.RUNNING))
    .values(lease=bindparam("until"), look_at=bindparam("until"))
)

_logger = get_logger(__name__)


@contextmanager
def renewed(log: SagaLog, workflow_id: str, key: Key, attempt: int) -> Iterator[None]:
    """Keep the lease of an attempt alive inside this context.

    A short attempt ends before the first beat and writes nothing. A beat that comes late finds the attempt
    ended, or lost, and changes nothing.
    """
    ended = threading.Event()
    row = {**the_call(workflow_id, *key), "the_attempt": attempt}

    def beat() -> None:
        while not ended.wait(log.timing.step_lease / _BEATS):
            try:
                with writing(log.engine) as tx:
                    tx.execute(_RENEW, {**row, "until": time.time() + log.timing.step_lease})
            except DBAPIError as error:  # the log may be back before the lease is over
                _logger.warning("no heartbeat of %s: %s", workflow_id, error.orig)

    threading.Thread(target=beat, name="sagalog-heartbeat", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
