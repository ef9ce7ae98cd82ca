"""The saga as a Temporal workflow.

One class serves every saga (a *dynamic* workflow, Temporal's own feature for types known at run time): the
workflow's type is the saga's name and its activities are called like the steps and compensations, so that
the web UI reads like the process. The code is deterministic: it looks at the saga's definition, at results
of activities, at timers and at signals, and at nothing else.

Source: Temporal's documentation on sagas and on cancellation; ``docs/engines/temporal.md`` for the choices.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.common import RetryPolicy as TemporalRetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from bakeoff.outcome import Cause, Outcome, Status
    from bakeoff.saga import JSON, Direction, Parallel, RetryPolicy, Saga, Sleep, Step, Wait
    from bakeoff_temporal.catalogue import patience, saga_called
    from bakeoff_temporal.failures import (
        CANCELLED,
        TOO_LARGE,
        WAIT_TIMEOUT,
        LocalStepError,
        StepFailure,
        cause_of,
        failure_of,
        purely_declined,
        was_cancelled,
    )
    from bakeoff_temporal.inbox import Inbox
    from bakeoff_temporal.local import LOCAL, Pause, attempts, recorded
    from bakeoff_temporal.route import ROUTE, on_route

#: Local activity that tells which activities of this workflow had a faulted attempt.
FAULTED_ACTIVITIES = "faulted_activities"
#: How long a step may take after a cancel before we look whether it only waits for its next attempt.
_CANCEL_GRACE = timedelta(seconds=1)
#: Characters of JSON that one activity is given at most: the server refuses 2 MiB, and the saga were stuck.
_MOST_CARRIED = 2_000_000
#: Temporal takes zero for "the server's default".
_SHORTEST = timedelta(milliseconds=1)


class _Ended(Exception):
    """The forward direction has ended (S2); never leaves the workflow."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.message)
        self.cause = cause


@workflow.defn(dynamic=True)
class SagaWorkflow:
    """Four kinds of elements forward, and backward over what succeeded or may have had an effect."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        route = workflow.memo_value(ROUTE, None, type_hint=list[str])
        self._saga: Saga = on_route(saga_called(workflow.info().workflow_type), route)
        self._input: JSON = workflow.payload_converter().from_payload(args[0].payload)
        self._inbox = Inbox(e.name for e in self._saga.elements if isinstance(e, Wait))
        self._results: dict[str, JSON] = {}
        self._carried = len(args[0].payload.data)
        self._undo: list[tuple[Step, ...]] = []
        self._in_flight: dict[str, workflow.ActivityHandle[Any]] = {}
        #: No cancel is effective any more: the pivot was tried, the last step succeeded, or undoing began.
        self._beyond_cancel = False
        self._where = ""
        self._local: bool = workflow.memo_value(LOCAL, False, type_hint=bool)
        #: Steps made locally that wait for their next attempt.
        self._pauses: dict[str, Pause] = {}

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> dict[str, JSON]:
        """Run the saga in a task of its own, so that a cancel can be answered without interrupting it."""
        saga = asyncio.create_task(self._run())
        while True:
            try:
                return await asyncio.shield(saga)
            except asyncio.CancelledError:
                if saga.cancelled():  # evicted from the cache: everything is being torn down
                    raise
                if not saga.done():
                    await self._hasten()

    async def _run(self) -> dict[str, JSON]:
        try:
            await self._forward()
        except _Ended as ended:
            self._beyond_cancel = True
            self._inbox.close()
            if self._local:
                await recorded()
            failed = await self._compensate()
            status = Status.COMPENSATION_FAILED if failed else Status.COMPENSATED
            if failed:
                workflow.upsert_memo({"status": str(status)})  # a list cannot see a failure's details
            results = self._results if self._carried <= _MOST_CARRIED else {}
            raise failure_of(Outcome(status, results, ended.cause, failed)) from None
        return self._results

    async def _forward(self) -> None:
        pivot = self._saga.pivot_index()
        for index, element in enumerate(self._saga.elements):
            self._where = element.name
            self._end_if_cancelled()
            if index == pivot:
                self._beyond_cancel = True
            match element:
                case Step():
                    await self._act((element,))
                case Parallel(steps=steps):
                    await self._act(steps)
                case Wait():
                    await self._wait(element)
                case Sleep():
                    await self._sleep(element)
            self._end_if_too_large(element.name)
            if index == pivot:
                self._undo.clear()
        self._end_if_cancelled()
        self._beyond_cancel = True

    def _cancelled(self) -> bool:
        # The workflow's own state: the exception of a cancel that comes with the start comes too late.
        asked = workflow.cancellation_reason() is not None
        return asked and not self._beyond_cancel and not self._local

    def _end_if_cancelled(self) -> None:
        if self._cancelled():
            raise _Ended(Cause(CANCELLED, "cancelled by request", self._where))

    def _end_if_too_large(self, element: str) -> None:
        if self._carried > _MOST_CARRIED and not self._beyond_cancel:
            message = f"input and results exceed the {_MOST_CARRIED} characters that Temporal carries"
            raise _Ended(Cause(TOO_LARGE, message, element))

    def _keep(self, name: str, result: JSON) -> None:
        self._results[name] = result
        self._carried += len(json.dumps(result)) + len(name)

    async def _act(self, steps: tuple[Step, ...]) -> None:
        # Registered before the action: an attempt that timed out may have happened.
        self._undo.append(tuple(step for step in steps if step.compensation))
        handles = [self._start(step, "action") for step in steps]
        failures: dict[str, StepFailure] = {}
        for step, handle in zip(steps, handles, strict=True):  # every sibling settles before the group fails
            try:
                self._keep(step.name, await handle)
            except (ActivityError, LocalStepError) as error:
                failures[step.name] = error
            finally:
                self._in_flight.pop(step.name, None)
        if failures:
            declined = {name for name, error in failures.items() if purely_declined(error)}
            self._undo[-1] = tuple(step for step in self._undo[-1] if step.name not in declined)
            # A step's own failure tells more than the cancel that cut a sibling's retries.
            first = min(failures, key=lambda name: was_cancelled(failures[name]))
            raise _Ended(cause_of(failures[first], self._saga.step(first)))

    def _start(self, step: Step, direction: Direction) -> asyncio.Task[Any]:
        undo = direction == "compensation"
        call: dict[str, JSON] = {"step": step.name, "input": self._input}
        if undo:
            call["undo"] = True
            call["own_result"] = self._results.get(step.name)
        else:
            call["results"] = self._results
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
            self._in_flight[step.name] = handle
        return handle

    def _note(self, name: str, pause: Pause | None) -> None:
        if pause is None:
            del self._pauses[name]
        else:
            self._pauses[name] = pause

    async def _compensate(self) -> tuple[str, ...]:
        """Undo in reverse, a group at once; return the names of the steps whose compensation gave up."""
        failed: list[str] = []
        for group in reversed(self._undo):
            handles = [(step, self._start(step, "compensation")) for step in group]
            for step, handle in handles:
                self._where = step.name
                try:
                    await handle
                except (ActivityError, LocalStepError):
                    failed.append(step.name)
        return tuple(failed)

    async def _wait(self, wait: Wait) -> None:
        try:
            await workflow.wait_condition(
                lambda: self._inbox.has(wait.name) or self._cancelled(),
                timeout=wait.timeout,
                timeout_summary=wait.name,
            )
        except TimeoutError:
            if wait.on_timeout == "fail":
                message = f"no signal {wait.name!r} within {wait.timeout}"
                raise _Ended(Cause(WAIT_TIMEOUT, message, wait.name)) from None
        payload = self._inbox.take(wait.name)
        if self._local:
            await recorded()
        self._end_if_cancelled()
        self._keep(wait.name, payload)

    async def _sleep(self, sleep: Sleep) -> None:
        if sleep.duration > timedelta(0):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    self._cancelled, timeout=sleep.duration, timeout_summary=sleep.name
                )
        self._end_if_cancelled()
        self._keep(sleep.name, None)

    async def _hasten(self) -> None:
        """After a cancel: let running attempts settle, but stop steps that only wait for the next one.

        Temporal answers alike for an activity that never started and for one between two attempts. Only
        the second may have had an effect, so we ask (off the workflow, in a local activity) before.
        """
        while self._in_flight and self._cancelled():
            faulted: list[str] = await workflow.execute_local_activity(
                FAULTED_ACTIVITIES, start_to_close_timeout=timedelta(seconds=10), result_type=list[str]
            )
            for name in faulted:
                if (handle := self._in_flight.get(name)) is not None:
                    handle.cancel()
            if self._in_flight:
                await workflow.wait(list(self._in_flight.values()), timeout=_CANCEL_GRACE.total_seconds())

    @workflow.update(dynamic=True)
    def deliver(self, name: str, args: Sequence[RawValue]) -> str:
        """Take a signal with an answer; arguments: payload, signal id, token of this delivery."""
        payload, signal_id, token = (workflow.payload_converter().from_payload(a.payload) for a in args)
        return self._inbox.accept(name, payload, signal_id, token)

    @deliver.validator
    def _check_delivery(self, name: str, args: Sequence[RawValue]) -> None:
        signal_id = workflow.payload_converter().from_payload(args[1].payload)
        if objection := self._inbox.objection(name, signal_id):
            raise ApplicationError(objection, type="SignalRejected")

    @workflow.signal(dynamic=True)
    def receive(self, name: str, args: Sequence[RawValue]) -> None:
        """Take a plain signal, as people send it from the UI: the payload and, if given, an id."""
        values = [workflow.payload_converter().from_payload(value.payload) for value in args]
        signal_id = str(values[1]) if len(values) > 1 else workflow.uuid4().hex
        if self._inbox.objection(name, signal_id) is None:
            self._inbox.accept(name, values[0] if values else None, signal_id, workflow.uuid4().hex)
        else:
            workflow.logger.warning("signal %s is late or unknown and was dropped", name)

    @workflow.query
    def position(self) -> dict[str, JSON]:
        """Where the saga is: ``element``, whether it is ``resting`` there (a wait, a timer), ``awaiting``
        a signal, and ``pauses`` of steps made locally.
        """
        element = next((e for e in self._saga.elements if e.name == self._where), None)
        awaiting = isinstance(element, Wait) and not self._beyond_cancel and self._where not in self._results
        return {
            "element": self._where,
            "resting": awaiting or isinstance(element, Sleep),
            "awaiting": self._where if awaiting else None,
            "pauses": dict(self._pauses),
        }


def _policy(policy: RetryPolicy) -> TemporalRetryPolicy:
    initial = max(policy.initial_interval, _SHORTEST)
    return TemporalRetryPolicy(
        initial_interval=initial,
        backoff_coefficient=policy.backoff_coefficient,
        maximum_interval=max(policy.maximum_interval, initial),
        maximum_attempts=policy.maximum_attempts or 0,
    )
