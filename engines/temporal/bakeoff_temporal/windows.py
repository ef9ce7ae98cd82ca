"""A place inside a Temporal worker at which it can be caught, found by a workflow interceptor.

    activity_completed   the server has the activity's result, and the workflow task that it brought about
                         is delivered, but not answered: nothing follows from the result yet

The workflow stands inside its task, which the SDK calls deadlocked after two seconds; faults come earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from temporalio import workflow
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from bakeoff.saga import Direction, Saga
from bakeoff.world import Aim, Participant, Window

ACTIVITY_COMPLETED = "activity_completed"

_MEANING = "the server has the result of the activity, the workflow has not heard of it yet"
_EXTERN = "__bakeoff_reach"
_UNDO = ":compensation"
#: Workflows that may stand in a window at once.
_THREADS = 16


def windows_of(saga: Saga) -> Sequence[Window]:
    """Every activity, those in groups included, has this one."""
    steps = list(saga.steps())
    undone = [step for step in reversed(steps) if step.compensation is not None]
    return [
        *(Window(Aim(step.name, "action", ACTIVITY_COMPLETED), _MEANING) for step in steps),
        *(Window(Aim(step.name, "compensation", ACTIVITY_COMPLETED), _MEANING) for step in undone),
    ]


class StopInWindows(Interceptor):
    """Lets workflows stop in armed windows. The look at the database is made off the workflow's sandbox."""

    def __init__(self, participant: Participant, prefix: str) -> None:
        self._participant = participant
        self._prefix = prefix
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="window")

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """Hand the look to the workflow's side."""
        input.unsafe_extern_functions[_EXTERN] = self._reach
        return _Inbound

    def _reach(self, native_id: str, activity_id: str) -> None:
        step = activity_id.removesuffix(_UNDO)
        direction: Direction = "compensation" if activity_id.endswith(_UNDO) else "action"
        workflow_id = native_id.removeprefix(self._prefix)
        self._threads.submit(
            self._participant.reach, workflow_id, step, direction, ACTIVITY_COMPLETED
        ).result()


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        handle = super().start_activity(input)
        activity_id = input.activity_id or ""

        def completed(_: object) -> None:
            # This callback was there before anybody awaited the result, so it comes first.
            if workflow.unsafe.is_replaying() or handle.cancelled() or handle.exception() is not None:
                return
            reach: Callable[[str, str], None] = workflow.extern_functions()[_EXTERN]
            with workflow.unsafe.sandbox_unrestricted():
                reach(workflow.info().workflow_id, activity_id)

        handle.add_done_callback(completed)
        return handle
