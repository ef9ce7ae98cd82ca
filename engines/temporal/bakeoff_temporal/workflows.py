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
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from bakeoff.outcome import Cause, Outcome, Status
    from bakeoff.saga import JSON, Parallel, Saga, Sleep, Step, Wait
    from bakeoff_temporal.calls import Calls
    from bakeoff_temporal.catalogue import saga_called
    from bakeoff_temporal.endings import Ended, Exhausted, is_due
    from bakeoff_temporal.failures import (
        CANCELLED,
        TOO_LARGE,
        WAIT_TIMEOUT,
        LocalStepError,
        StepFailure,
        cause_of,
        exhausted,
        failure_of,
        purely_declined,
        was_cancelled,
    )
    from bakeoff_temporal.inbox import ONLY_BACK, Inbox
    from bakeoff_temporal.local import LOCAL, recorded
    from bakeoff_temporal.periods import BY_SCHEDULE, input_of
    from bakeoff_temporal.route import ESCALATIONS, ROUTE, on_route

#: Local activity that tells which activities of this workflow had a faulted attempt.
FAULTED_ACTIVITIES = "faulted_activities"
#: Local activity that sends this workflow the signal ``ONLY_BACK``; it cannot send itself one.
SIGNAL_ONLY_BACK = "signal_only_back"
#: Local activity that tells the route on which this worker would begin a saga.
ROUTE_OF_TODAY = "route_of_today"
#: How long a step may take after a cancel before we look whether it only waits for its next attempt.
_CANCEL_GRACE = timedelta(seconds=1)
#: Characters of JSON that one activity is given at most: the server refuses 2 MiB, and the saga were stuck.
_MOST_CARRIED = 2_000_000


@workflow.defn(dynamic=True)
class SagaWorkflow:
    """Four kinds of elements forward, and backward over what succeeded or may have had an effect."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        route = workflow.memo_value(ROUTE, None, type_hint=list[str])
        escalations = workflow.memo_value(ESCALATIONS, None, type_hint=dict[str, str])
        self._saga: Saga = on_route(saga_called(workflow.info().workflow_type), route, escalations)
        argument = workflow.payload_converter().from_payload(args[0].payload)
        prefix = workflow.memo_value(BY_SCHEDULE, None, type_hint=str)
        self._by_schedule = prefix is not None
        self._input = input_of(workflow.info().workflow_id, prefix, argument)
        self._inbox = Inbox(e.name for e in self._saga.elements if isinstance(e, Wait))
        self._results: dict[str, JSON] = {}
        self._carried = len(args[0].payload.data)
        self._undo: list[tuple[Step, ...]] = []
        #: Exhausted, and its undo gave up before its escalation began.
        self._gave_up: tuple[str, ...] = ()
        #: No cancel is effective any more: the pivot was tried, the last step succeeded, or undoing began.
        self._beyond_cancel = False
        self._where = ""
        self._local: bool = workflow.memo_value(LOCAL, False, type_hint=bool)
        self._calls = Calls(self._saga, self._input, local=self._local)
        self._only_back = False

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
        if self._by_schedule:
            await self._take_route()
        try:
            await self._forward()
        except Ended as ended:
            self._beyond_cancel = True
            self._inbox.close()
            if self._local:
                await recorded()
            failed = (*self._gave_up, *await self._compensate())
            status = Status.COMPENSATION_FAILED if failed else Status.COMPENSATED
            if failed:
                workflow.upsert_memo({"status": str(status)})  # a list cannot see a failure's details
            results = self._results if self._carried <= _MOST_CARRIED else {}
            raise failure_of(Outcome(status, results, ended.cause, failed)) from None
        return self._results

    async def _take_route(self) -> None:
        """Have the route written down that the saga has today: its schedule may be years old."""
        route: dict[str, Any] = await workflow.execute_local_activity(
            ROUTE_OF_TODAY, self._saga.name, start_to_close_timeout=timedelta(seconds=10), result_type=dict
        )
        if self._local:
            await recorded()
        self._saga = on_route(self._saga, route[ROUTE], route[ESCALATIONS])
        self._inbox.belong_to(e.name for e in self._saga.elements if isinstance(e, Wait))
        self._calls = Calls(self._saga, self._input, local=self._local)

    async def _forward(self) -> None:
        try:
            await self._along(0)
        except Exhausted as exhausted:
            await self._escalate(exhausted.step, exhausted.cause)
        self._end_if_cancelled()
        self._beyond_cancel = True

    async def _along(self, start: int) -> None:
        """Go one stretch: the ordinary way, or an escalation."""
        pivot = self._saga.pivot_index()
        for index, element in enumerate(self._saga.stretch(start), start):
            self._where = element.name
            self._end_if_cancelled()
            if index == pivot:
                self._beyond_cancel = True
            match element:
                case Step():
                    await self._act((element,))
                    if element.on_exhausted is not None:
                        self._inbox.leave_out(self._saga.out_of_reach(element))
                case Parallel(steps=steps):
                    await self._act(steps)
                case Wait():
                    await self._wait(element)
                case Sleep():
                    await self._sleep(element)
            self._end_if_too_large(element.name)
            if index == pivot:
                self._undo.clear()

    async def _escalate(self, step: Step, cause: Cause) -> None:
        """Undo the exhausted step, which may have had an effect, and go on with its escalation."""
        self._inbox.leave_out(self._saga.left_behind(step))
        if self._local:
            await recorded()  # another attempt might succeed, with its undo behind it
        if step.compensation is not None:
            try:
                await self._calls.start(step, "compensation", self._results)
            except (ActivityError, LocalStepError):
                self._gave_up = (step.name,)
                # Whoever resets this workflow to before that undo, to have it tried again, must not let it
                # go on: what stands before the step is undone by then. A reset applies signals again.
                await workflow.execute_local_activity(
                    SIGNAL_ONLY_BACK, start_to_close_timeout=timedelta(seconds=10)
                )
                await recorded()
                raise Ended(cause) from None
        if self._only_back:
            raise Ended(cause)
        await self._along(self._saga.index_of(str(step.on_exhausted)))

    def _cancelled(self) -> bool:
        # The workflow's own state: the exception of a cancel that comes with the start comes too late.
        asked = workflow.cancellation_reason() is not None
        return asked and not self._beyond_cancel and not self._local

    def _end_if_cancelled(self) -> None:
        if self._cancelled():
            raise Ended(Cause(CANCELLED, "cancelled by request", self._where))

    def _end_if_too_large(self, element: str) -> None:
        if self._carried > _MOST_CARRIED and not self._beyond_cancel:
            message = f"input and results exceed the {_MOST_CARRIED} characters that Temporal carries"
            raise Ended(Cause(TOO_LARGE, message, element))

    def _keep(self, name: str, result: JSON) -> None:
        self._results[name] = result
        self._carried += len(json.dumps(result)) + len(name)

    async def _act(self, steps: tuple[Step, ...]) -> None:
        due: list[Step] = []
        causes: dict[str, Cause] = {}
        for step in steps:
            try:
                if is_due(self._saga, step, self._input, self._results):
                    due.append(step)
            except Ended as ended:  # its siblings act nevertheless
                causes[step.name] = ended.cause
        # Registered before the action: an attempt that timed out may have happened.
        self._undo.append(tuple(step for step in due if step.compensation))
        handles = [self._calls.start(step, "action", self._results) for step in due]
        failures: dict[str, StepFailure] = {}
        for step, handle in zip(due, handles, strict=True):  # every sibling settles before the group fails
            try:
                self._keep(step.name, await handle)
            except (ActivityError, LocalStepError) as error:
                failures[step.name] = error
                causes[step.name] = cause_of(error, step)
            finally:
                self._calls.in_flight.pop(step.name, None)
        if not causes:
            return
        first = steps[0]
        if first.on_exhausted is not None and first.name in failures and exhausted(failures[first.name]):
            self._undo.pop()
            raise Exhausted(first, causes[first.name])
        declined = {name for name, error in failures.items() if purely_declined(error)}
        self._undo[-1] = tuple(step for step in self._undo[-1] if step.name not in declined)
        # A step's own failure tells more than the cancel that cut a sibling's retries.
        failed = (step.name for step in steps if step.name in causes)
        raise Ended(causes[min(failed, key=lambda name: name in failures and was_cancelled(failures[name]))])

    async def _compensate(self) -> tuple[str, ...]:
        """Undo in reverse, a group at once; return the names of the steps whose compensation gave up."""
        failed: list[str] = []
        for group in reversed(self._undo):
            handles = [(step, self._calls.start(step, "compensation", self._results)) for step in group]
            for step, handle in handles:
                self._where = step.name
                try:
                    await handle
                except (ActivityError, LocalStepError):
                    failed.append(step.name)
        return tuple(failed)

    async def _wait(self, wait: Wait) -> None:
        if not is_due(self._saga, wait, self._input, self._results):
            self._inbox.leave_out((wait,))
            return
        try:
            await workflow.wait_condition(
                lambda: self._inbox.has(wait.name) or self._cancelled(),
                timeout=wait.timeout,
                timeout_summary=wait.name,
            )
        except TimeoutError:
            if wait.on_timeout == "fail":
                message = f"no signal {wait.name!r} within {wait.timeout}"
                raise Ended(Cause(WAIT_TIMEOUT, message, wait.name)) from None
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
        while self._calls.in_flight and self._cancelled():
            faulted: list[str] = await workflow.execute_local_activity(
                FAULTED_ACTIVITIES, start_to_close_timeout=timedelta(seconds=10), result_type=list[str]
            )
            for name in faulted:
                if (handle := self._calls.in_flight.get(name)) is not None:
                    handle.cancel()
            if self._calls.in_flight:
                await workflow.wait(
                    list(self._calls.in_flight.values()), timeout=_CANCEL_GRACE.total_seconds()
                )

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
        if name == ONLY_BACK:
            self._only_back = True
            return
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
            "pauses": dict(self._calls.pauses),
        }
