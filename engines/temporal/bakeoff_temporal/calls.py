"""How a workflow makes a step or its undo: as an activity of the server's, or locally; for workflow code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy as TemporalRetryPolicy

from bakeoff.saga import JSON, Direction, RetryPolicy, Saga, Step
from bakeoff_temporal.catalogue import patience
from bakeoff_temporal.local import Pause, attempts

#: Temporal takes zero for "the server's default".
_SHORTEST = timedelta(milliseconds=1)


class Calls:
    """The calls of one saga.

    Attributes:
        in_flight: Handles of the actions that are activities of the server's and have not settled.
        pauses: Steps made locally that wait for their next attempt.
    """

    def __init__(self, saga: Saga, input: JSON, *, local: bool) -> None:
        self.in_flight: dict[str, workflow.ActivityHandle[Any]] = {}
        self.pauses: dict[str, Pause] = {}
        self._saga = saga
        self._input = input
        self._local = local

    def start(self, step: Step, direction: Direction, results: Mapping[str, JSON]) -> asyncio.Task[Any]:
        """Begin with a call; whoever awaits it gets its result, or a ``StepFailure``."""
        undo = direction == "compensation"
        call: dict[str, JSON] = {"step": step.name, "input": self._input}
        if undo:
            call["undo"] = True
            call["own_result"] = results.get(step.name)
        else:
            call["results"] = results
        limit = self._saga.timeout_of(step, direction) * patience().factor
        name = step.compensation_name if undo else step.name
        activity_id = f"{step.name}:compensation" if undo else step.name
        if self._local:
            return asyncio.create_task(
                attempts(
                    name,
                    activity_id,
                    call,
                    limit,
                    self._saga.retry_of(step, direction),
                    pausing=lambda pause: self._note(name, pause),
                )
            )
        handle: workflow.ActivityHandle[Any] = workflow.start_activity(
            name,
            call,
            activity_id=activity_id,
            start_to_close_timeout=limit,
            heartbeat_timeout=patience().heartbeat_within(limit),
            retry_policy=_policy(self._saga.retry_of(step, direction)),
            # A cancel lets the running attempt settle and stops the retries.
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        if not undo:
            self.in_flight[step.name] = handle
        return handle

    def _note(self, name: str, pause: Pause | None) -> None:
        if pause is None:
            del self.pauses[name]
        else:
            self.pauses[name] = pause


def _policy(policy: RetryPolicy) -> TemporalRetryPolicy:
    initial = max(policy.initial_interval, _SHORTEST)
    return TemporalRetryPolicy(
        initial_interval=initial,
        backoff_coefficient=policy.backoff_coefficient,
        maximum_interval=max(policy.maximum_interval, initial),
        maximum_attempts=policy.maximum_attempts or 0,
    )
