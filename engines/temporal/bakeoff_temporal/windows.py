"""A place inside a Temporal worker at which it can be caught, found by a workflow interceptor.

    activity_completed   the server has the activity's result, and the workflow task that it brought about
                         is delivered, but not answered: nothing follows from the result yet
    local_activity_completed   (instead, with ``local_activities``) the step has ended, the workflow task
                         that made it is not answered: the server knows nothing of it

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
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from bakeoff.saga import Direction, Saga
from bakeoff.world import Aim, Participant, Window

ACTIVITY_COMPLETED = "activity_completed"

LOCAL_ACTIVITY_COMPLETED = "local_activity_completed"

_MEANING = "the server has the result of the activity, the workflow has not heard of it yet"
_LOCAL_MEANING = "the step has ended, the server knows nothing of it before its workflow task is answered"
_EXTERN = "__bakeoff_reach"
_UNDO = ":compensation"
#: Workflows that may stand in a window at once.
_THREADS = 16


def windows_of(saga: Saga, *, local: bool = False) -> Sequence[Window]:
    """Every activity, those in groups included, has this one."""
    name, meaning = (LOCAL_ACTIVITY_COMPLETED, _LOCAL_MEANING) if local else (ACTIVITY_COMPLETED, _MEANING)
    steps = list(saga.steps())
    undone = [step for step in reversed(steps) if step.compensation is not None]
    return [
        *(Window(Aim(step.name, "action", name), meaning) for step in steps),
        *(Window(Aim(step.name, "compensation", name), meaning) for step in undone),
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

    def _reach(self, native_id: str, activity_id: str, window: str) -> None:
        step = activity_id.removesuffix(_UNDO)
        direction: Direction = "compensation" if activity_id.endswith(_UNDO) else "action"
        workflow_id = native_id.removeprefix(self._prefix)
        self._threads.submit(self._participant.reach, workflow_id, step, direction, window).result()


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        return _stopping(super().start_activity(input), input.activity_id, ACTIVITY_COMPLETED)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        return _stopping(super().start_local_activity(input), input.activity_id, LOCAL_ACTIVITY_COMPLETED)


def _stopping(
    handle: workflow.ActivityHandle[Any], activity_id: str | None, window: str
) -> workflow.ActivityHandle[Any]:
    """Let the workflow stop when this activity has succeeded; one without an id of ours is no step."""

    def completed(_: object) -> None:
        # This callback was there before anybody awaited the result, so it comes first.
        if workflow.unsafe.is_replaying() or handle.cancelled() or handle.exception() is not None:
            return
        reach: Callable[[str, str, str], None] = workflow.extern_functions()[_EXTERN]
        with workflow.unsafe.sandbox_unrestricted():
            reach(workflow.info().workflow_id, activity_id or "", window)

    if activity_id is not None:
        handle.add_done_callback(completed)
    return handle
