"""How a worker's parent process reports a child that it had to kill."""

from __future__ import annotations

from typing import Any

from celery.utils.log import get_logger
from celery.worker.request import Request

_logger = get_logger(__name__)


class SagaRequest(Request):
    """Makes the hard time limit the backstop that it is meant to be.

    Celery 5.7 reports a hard limit twice (``on_failure``, then ``on_timeout``), and each report sends the
    errbacks: the undo chain would run twice, interleaved. And the parent stores the failure without the
    task's arguments, from which the errback learns how far the saga had come.

    Source: Celery user guide, Tasks, "Custom Requests"; ``billiard.pool.TimeoutHandler.on_hard_timeout``.
    """

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Only tell about a hard limit: ``on_failure`` has just done the rest."""
        if soft:
            super().on_timeout(soft, timeout)
        else:
            _logger.error("hard time limit (%ss) exceeded for %s[%s]", timeout, self.name, self.id)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Store the arguments with a failure that the parent reports in the place of a dead child."""
        context: Any = self._context  # type: ignore[attr-defined] # missing in the stubs
        context.update(args=self.args, kwargs=self.kwargs)
        return super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
