"""What makes sweeps happen: every worker's parent publishes one per period.

Not ``celery beat``: it would be one more process, and the only one of its kind. Sweeps have a queue of their
own, so that a backlog of steps does not keep them waiting, and expire, so that they do not pile up. The
parent itself never opens the log (see ``place.create_tables``).
"""

from __future__ import annotations

import threading
from typing import Any

from celery import Celery, bootsteps
from celery.utils.log import get_logger

from bakeoff_celery.sagalog.doorbell import SWEEP

_logger = get_logger(__name__)
_EXPIRES_AFTER_PERIODS = 5


class Clock(bootsteps.StartStopStep):
    """A thread of the worker's parent, with a connection of its own."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        self._app: Celery = worker.app
        self._period_s = float(worker.app.conf.sagalog_sweep_period)
        self._stopped = threading.Event()

    def start(self, worker: Any) -> None:
        """Begin to tick."""
        threading.Thread(target=self._run, name="sagalog-clock", daemon=True).start()

    def stop(self, worker: Any) -> None:
        """Tick no more; a publication under way may end later."""
        self._stopped.set()

    def _run(self) -> None:
        silent = False
        while not self._stopped.wait(self._period_s):
            try:
                with self._app.connection_for_write() as connection:
                    while not self._stopped.wait(self._period_s):
                        self._app.tasks[SWEEP].apply_async(
                            connection=connection,  # type: ignore[call-arg] # missing in the stubs
                            retry=False,
                            expires=_EXPIRES_AFTER_PERIODS * self._period_s,
                        )
                        silent = False
            except Exception as error:  # whatever a broker's library raises, sweeps must not end with it
                if not silent:
                    _logger.warning("no sweeps until the broker is back: %s", error)
                silent = True
