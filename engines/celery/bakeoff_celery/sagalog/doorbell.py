"""Publishing commands: a message says that it is time to look, and the log says for what."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.utils.log import get_logger

from bakeoff.deployment import Deployment
from bakeoff.telemetry import carried, carrying
from bakeoff_celery.away import SILENCES
from bakeoff_celery.sagalog import rows
from bakeoff_celery.sagalog.log import Message, SagaLog
from bakeoff_celery.state import task_id, task_name, undo_name

#: The task that sweeps.
SWEEP = "sagalog:sweep"

_logger = get_logger(__name__)


def ring(app: Celery, deployment: Deployment, log: SagaLog, messages: Sequence[Message]) -> int:
    """Publish, as far as the broker is there; return how many were published.

    What is left out is no loss: the sweeper publishes it when it is overdue.
    """
    for number, message in enumerate(messages):
        try:
            if deployment.otlp is None:
                _publish(app, deployment, log, message)
                continue
            # A task or a start is about one saga; a sweep, a signal or a cancel brings nothing.
            with carrying(carried() or rows.trace_of(log.engine, message.workflow_id)):
                _publish(app, deployment, log, message)
        except SILENCES as error:
            _logger.warning("%d messages are left to the sweeper: %s", len(messages) - number, error)
            return number
    return len(messages)


def _publish(app: Celery, deployment: Deployment, log: SagaLog, message: Message) -> None:
    saga = log.saga(message.saga)
    name, options = task_name(saga, message.step), dict[str, Any]()
    if any(step.name == message.step for step in saga.steps()):
        step = saga.step(message.step)
        if message.direction == "compensation":
            name = undo_name(saga, step)
        timeout_s = saga.timeout_of(step, message.direction).total_seconds()
        options["time_limit"] = timeout_s + log.timing.hard_limit_margin
    pause_s = message.due - time.time()
    if pause_s > 0:
        options["countdown"] = pause_s
    app.tasks[name].apply_async(
        (message.workflow_id, message.step, message.attempt),
        task_id=task_id(
            deployment.native_id(message.workflow_id), f"{name.partition('.')[2]}:{message.attempt}"
        ),
        **options,
    )
