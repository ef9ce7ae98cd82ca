"""The trace context of a saga, from message to message in their headers, by Celery's own signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from celery import Task, signals

from bakeoff.telemetry import carried, carry, headers_in
from bakeoff.world import Participant


def send_headers() -> Callable[[], object]:
    """Put what is carried into every message of this process, from now on; return what ends that."""

    def add_headers(headers: dict[str, Any], **_: Any) -> None:
        if (own := carried()) is not None:
            headers.update(own)

    signals.before_task_publish.connect(add_headers, weak=False)
    return lambda: signals.before_task_publish.disconnect(add_headers)


def carry_headers(participant: Participant) -> None:
    """In a worker's process: carry what a message brings while its task runs; export spans at the end."""
    send_headers()

    @signals.task_prerun.connect(weak=False)
    def begin(task: Task[Any, Any], **_: Any) -> None:
        carry(headers_in(_headers_of(task)))

    @signals.task_postrun.connect(weak=False)
    def end(**_: Any) -> None:
        carry(None)

    def close(**_: Any) -> None:
        if participant.tracing is not None:
            participant.tracing.close()

    # The first one in a process of a pool, the second in a worker that is all there is.
    signals.worker_process_shutdown.connect(close, weak=False)
    signals.worker_shutdown.connect(close, weak=False)


def _headers_of(task: Task[Any, Any]) -> Mapping[str, Any]:
    """A message's own headers are attributes of the request, beside Celery's."""
    found: Mapping[str, Any] = vars(task.request)
    return found
