"""The tasks of a saga: take one call from the log, make it, and write down how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery, Task
from celery.utils.log import get_logger

from bakeoff.deployment import Deployment
from bakeoff.errors import BusinessError, WorkflowConflictError
from bakeoff.saga import Direction, Saga, Step
from bakeoff.world import Participant, participant_of_this_process
from bakeoff_celery.beat import PERIOD
from bakeoff_celery.sagalog import happenings
from bakeoff_celery.sagalog.alarm import within
from bakeoff_celery.sagalog.doorbell import SWEEP, ring
from bakeoff_celery.sagalog.heartbeat import renewed
from bakeoff_celery.sagalog.log import Happening
from bakeoff_celery.sagalog.process import log_of_this_process, patiently
from bakeoff_celery.sagalog.record import Key, Record
from bakeoff_celery.sagalog.sweeper import give_back, overdue
from bakeoff_celery.sagalog.windows import END_LOGGED, FAILURE_LOGGED
from bakeoff_celery.state import task_name, to_json, undo_name

AnyTask = Task[Any, Any]

_logger = get_logger(__name__)


def register(app: Celery, deployment: Deployment, sagas: Mapping[str, Saga]) -> None:
    """Define a task per step, compensation, wait and timer of every saga, and the one that sweeps."""

    def define(name: str, function: Callable[..., None], **options: Any) -> None:
        # A message whose process died is published again by the worker's parent, with one more retry.
        again: dict[str, Any] = {"retry_on_worker_lost": True, "default_retry_delay": 0}
        registered: Any = app.task(name=name, bind=True, shared=False, typing=False, **again, **options)
        registered(function)

    for saga in sagas.values():
        for step in saga.steps():
            define(task_name(saga, step.name), _attempt(app, deployment, "action"))
        for name in {undo_name(saga, step) for step in saga.steps() if step.compensation}:
            define(name, _attempt(app, deployment, "compensation"))
        for element in saga.elements:
            if task_name(saga, element.name) not in app.tasks:
                define(task_name(saga, element.name), _wake(app, deployment))
    define(SWEEP, _sweep(app, deployment))
    # Of this one the log knows nothing yet, so nobody would publish it again.
    define(PERIOD, _period(app, deployment), acks_late=True, reject_on_worker_lost=True)


def _attempt(app: Celery, deployment: Deployment, direction: Direction) -> Callable[..., None]:
    def attempt(self: AnyTask, workflow_id: str, step: str, number: int) -> None:
        log, key = log_of_this_process(), (step, direction)
        # Only the worker's parent retries: when it saw the process die that had this message.
        lost = int(self.request.retries or 0) > 0

        def claim(saga: Saga, record: Record, now: float) -> bool:
            return happenings.claim(saga, record, key, number, now, log.timing.step_lease, lost)

        mine, record, messages = log.change(workflow_id, claim)
        ring(app, deployment, log, messages)
        if mine:
            participant = participant_of_this_process()
            with renewed(log, workflow_id, key, number):
                ended, window = _perform(participant, log.saga(record.saga), record, key, number)
                _, _, messages = patiently(lambda: log.change(workflow_id, ended))
            participant.reach(workflow_id, step, direction, window)
            ring(app, deployment, log, messages)

    return attempt


def _perform(
    participant: Participant, saga: Saga, record: Record, key: Key, number: int
) -> tuple[Happening[None], str]:
    """Make the attempt; return what happened, and the window that opens once it is in the log."""
    name, direction = key
    step, done = saga.step(name), record.action(name)
    try:
        with within(saga.timeout_of(step, direction).total_seconds(), _shown(step, direction)):
            result = participant.perform(
                saga.name,
                name,
                direction,
                workflow_id=record.id,
                input=record.input,
                results=record.results,
                attempt=number,
                own_result=done.result if done and direction == "compensation" else None,
            )
        to_json(result, f"the result of {name}")
    except BusinessError as error:
        told = type(error).__name__, str(error)
        return lambda saga, record, now: happenings.decline(record, key, number, told), FAILURE_LOGGED
    except Exception as error:  # whatever an action raises is a fault, the alarm among it
        fault = type(error).__name__, str(error)
        return lambda saga, record, now: happenings.fault(saga, record, key, number, fault, now), ""
    return lambda saga, record, now: happenings.succeed(record, key, number, result), END_LOGGED


def _shown(step: Step, direction: Direction) -> str:
    return step.name if direction == "action" else step.compensation_name


def _wake(app: Celery, deployment: Deployment) -> Callable[..., None]:
    def wake(self: AnyTask, workflow_id: str, name: str, number: int) -> None:
        """A wait or timer may be over: whether it is, follows from the log and the time."""
        log = log_of_this_process()
        _, _, messages = log.change(workflow_id, lambda saga, record, now: None)
        ring(app, deployment, log, messages)

    return wake


def _period(app: Celery, deployment: Deployment) -> Callable[..., None]:
    def period(self: AnyTask, saga: str, workflow_id: str) -> None:
        """Beat says that a period has begun, or says it again: the log takes one saga of this id."""
        log = log_of_this_process()
        try:
            _, messages = patiently(lambda: log.start(log.saga(saga), workflow_id, workflow_id))
        except WorkflowConflictError as conflict:
            _logger.error("no saga for this period: %s", conflict)
            return
        ring(app, deployment, log, messages)

    return period


def _sweep(app: Celery, deployment: Deployment) -> Callable[..., None]:
    def sweep(self: AnyTask) -> None:
        log = log_of_this_process()
        messages = overdue(log, now := time.time())
        if (published := ring(app, deployment, log, messages)) < len(messages):
            give_back(log, messages[published:], now)

    return sweep
