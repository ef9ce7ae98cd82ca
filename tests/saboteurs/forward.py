"""Saboteurs of the forward direction: order, retries, timeouts, pivots, groups, timers."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

from bakeoff.errors import BusinessError, StepFault, UnserialisableError
from bakeoff.outcome import Cause, Outcome
from bakeoff.saga import JSON, Direction, Element, RetryPolicy, Sleep, Step, Wait
from bakeoff_inline.execution import Execution
from tests.saboteurs.around_inline import CheatingParticipant, Tuned, Tuning, forever


class RunsStepsTwice(Execution):
    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        cause = await super()._step(step, undo)
        if cause is None:
            await self._attempt(step, "action", 2)
        return cause


class StartsTheNextStepEarly(Execution):
    """Does not wait for a slow answer."""

    async def _element(self, element: Element) -> None:
        task = asyncio.ensure_future(super()._element(element))
        await asyncio.wait([task], timeout=0.1)
        if task.done():
            task.result()
        else:
            self._late = task  # kept, so that nobody complains about it


class LosesResults(CheatingParticipant):
    def perform(self, *args: Any, **more: Any) -> JSON:
        return super().perform(*args, **{**more, "results": {}})


class KeepsResultsOfTwoSagasTogether(Execution):
    """Of each pair of sagas, both write into the results of the first."""

    _shared: list[dict[str, JSON]] = []

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if self._shared:
            self._results = self._shared.pop()
        else:
            self._shared.append(self._results)


class WrapsInputs(CheatingParticipant):
    def perform(self, *args: Any, **more: Any) -> JSON:
        wrapped = more["input"] if isinstance(more["input"], dict) else {"value": more["input"]}
        return super().perform(*args, **{**more, "input": wrapped})


class SpoilsText(CheatingParticipant):
    """Believes that the world is ASCII."""

    def perform(self, *args: Any, **more: Any) -> JSON:
        ascii_only = json.dumps(more["input"], ensure_ascii=False).encode("ascii", "replace").decode()
        return super().perform(*args, **{**more, "input": json.loads(ascii_only)})


class CutsPayloads(CheatingParticipant):
    """64 kB ought to be enough."""

    def perform(self, *args: Any, **more: Any) -> JSON:
        text = more["input"]
        return super().perform(*args, **{**more, "input": text[:65_536] if isinstance(text, str) else text})


class StopsAfterSixtyFourSteps(Execution):
    async def _forward(self, steps: list[Step]) -> Cause | None:
        if len(self._results) >= 64:
            await forever()
        return await super()._forward(steps)


class LosesEveryTenthSaga(Execution):
    _number = 0

    async def run(self) -> Outcome:
        LosesEveryTenthSaga._number += 1
        if self._number % 10 == 0:
            await forever()
        return await super().run()


class SkipsStepsWithoutCompensation(Execution):
    async def _element(self, element: Element) -> None:
        if isinstance(element, Step) and element.compensation is None and element.name == "look_around":
            return
        await super()._element(element)


# -- retries ---------------------------------------------------------------------------------------


class _NoRetries(Tuned):
    def retry_of(self, step: Step, direction: Any = "action") -> RetryPolicy:
        return RetryPolicy(maximum_attempts=1)


class NeverRetries(Tuning):
    tuned = _NoRetries


class _OneMore(Tuned):
    def retry_of(self, step: Step, direction: Any = "action") -> RetryPolicy:
        policy = self._saga.retry_of(step, direction)
        return RetryPolicy(
            initial_interval=policy.initial_interval,
            maximum_attempts=policy.maximum_attempts and policy.maximum_attempts + 1,
        )


class RetriesOnceTooOften(Tuning):
    tuned = _OneMore


class _OneForAll(Tuned):
    def retry_of(self, step: Step, direction: Any = "action") -> RetryPolicy:
        return self._saga.retry_of(next(self._saga.steps()), direction)


class HasOnePolicyForAllSteps(Tuning):
    tuned = _OneForAll


class _Impatient(Tuned):
    def retry_of(self, step: Step, direction: Any = "action") -> RetryPolicy:
        maximum = self._saga.retry_of(step, direction).maximum_attempts
        return RetryPolicy(initial_interval=timedelta(0), maximum_attempts=maximum)


class IgnoresBackoff(Tuning):
    tuned = _Impatient


class RetriesDeclines(Execution):
    async def _attempt(self, step: Step, direction: Direction, attempt: int) -> JSON:
        try:
            return await super()._attempt(step, direction, attempt)
        except UnserialisableError:
            raise
        except BusinessError as error:
            raise StepFault(str(error)) from error


class RetriesUnserialisableResults(Execution):
    async def _attempt(self, step: Step, direction: Direction, attempt: int) -> JSON:
        try:
            return await super()._attempt(step, direction, attempt)
        except UnserialisableError as error:
            raise StepFault(str(error)) from error


class CountsAttemptsFromZero(CheatingParticipant):
    def perform(self, *args: Any, **more: Any) -> JSON:
        return super().perform(*args, **{**more, "attempt": more["attempt"] - 1})


# -- timeouts --------------------------------------------------------------------------------------


class _Endless(Tuned):
    def timeout_of(self, step: Step, direction: Any = "action") -> timedelta:
        return timedelta(hours=1)


class IgnoresTimeouts(Tuning):
    tuned = _Endless


class _Hasty(Tuned):
    def timeout_of(self, step: Step, direction: Any = "action") -> timedelta:
        return min(self._saga.timeout_of(step, direction), timedelta(milliseconds=300))


class HasOneTimeoutForAllSteps(Tuning):
    tuned = _Hasty


# -- pivot -----------------------------------------------------------------------------------------


class _NoPivot(Tuned):
    def retry_of(self, step: Step, direction: Any = "action") -> RetryPolicy:
        return step.retry if direction == "action" else step.compensation_retry


class KnowsNoPivot(Tuning):
    """Gives up after the pivot and compensates."""

    tuned = _NoPivot

    async def _element(self, element: Element) -> None:
        undo = list(self._undo)
        await super()._element(element)
        if isinstance(element, Step) and element.pivot:
            self._undo = undo


class TakesNoForNoAnswerAtThePivot(Execution):
    async def _attempt(self, step: Step, direction: Direction, attempt: int) -> JSON:
        try:
            return await super()._attempt(step, direction, attempt)
        except BusinessError as error:
            if step.pivot:
                raise StepFault(str(error)) from error
            raise


class AcceptsDeclinesAfterThePivot(Execution):
    async def _attempt(self, step: Step, direction: Direction, attempt: int) -> JSON:
        try:
            return await super()._attempt(step, direction, attempt)
        except StepFault as error:
            if "after the pivot" in str(error):
                raise BusinessError(str(error)) from error
            raise


class ForgetsToUndoAFaultedPivot(Execution):
    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        cause = await super()._step(step, undo)
        if cause is not None and step.pivot:
            undo.clear()
        return cause


class UndoesNothingInASagaWithAPivot(Execution):
    """Believes that a point of no return is one from the start."""

    async def _compensate(self, cause: Cause) -> Outcome:
        if self.saga.pivot_index() is not None:
            self._undo.clear()
        return await super()._compensate(cause)


# -- groups ----------------------------------------------------------------------------------------


class RunsGroupsOneAfterTheOther(Execution):
    async def _forward(self, steps: list[Step]) -> Cause | None:
        if len(steps) == 1:
            return await super()._forward(steps)
        undo: list[Step] = []
        self._undo.append(undo)
        causes = [await self._step(step, undo) for step in steps]
        return next((cause for cause in causes if cause is not None), None)


class DoesNotWaitForSiblings(Execution):
    """The first member's answer decides."""

    async def _forward(self, steps: list[Step]) -> Cause | None:
        if len(steps) == 1:
            return await super()._forward(steps)
        undo: list[Step] = []
        self._undo.append(undo)
        tasks = [asyncio.ensure_future(self._step(step, undo)) for step in steps]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(tasks, timeout=0.1)
        return next((task.result() for task in tasks if task.done() and task.result() is not None), None)


class RetriesWholeGroups(Execution):
    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        cause = await super()._step(step, undo)
        if cause is None and step.name == "right":
            await self._attempt(self.saga.step("left"), "action", 2)
        return cause


class UndoesTheStepBeforeAGroupFirst(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        if any(len(group) > 1 for group in self._undo):
            self._undo.append(self._undo.pop(0))
        return await super()._compensate(cause)


class UndoesDeclinedMembers(Execution):
    async def _forward(self, steps: list[Step]) -> Cause | None:
        cause = await super()._forward(steps)
        if cause is not None and len(steps) > 1:
            self._undo[-1] = list(steps)
        return cause


class ForgetsWhoseUndoInAGroupFailed(Execution):
    async def _undo_step(self, step: Step) -> str | None:
        failed = await super()._undo_step(step)
        return None if step.name in ("left", "middle", "right") else failed


# -- timers and waits ------------------------------------------------------------------------------


class SleepsHalfTheTime(Execution):
    async def _sleep(self, sleep: Sleep) -> None:
        await super()._sleep(Sleep(name=sleep.name, duration=sleep.duration / 2))


class SleepsAtMostHalfASecond(Execution):
    """A delay beyond some lease is delivered at once."""

    async def _sleep(self, sleep: Sleep) -> None:
        await super()._sleep(Sleep(name=sleep.name, duration=min(sleep.duration, timedelta(seconds=0.5))))


class WakesUpTwice(Execution):
    async def _element(self, element: Element) -> None:
        await super()._element(element)
        elements = self.saga.elements
        place = elements.index(element)
        if place and isinstance(elements[place - 1], Sleep) and isinstance(element, Step):
            await self._attempt(element, "action", 2)


class SleepsInASlot(Execution):
    _slots_for_sleep = asyncio.Semaphore(4)

    async def _sleep(self, sleep: Sleep) -> None:
        async with self._slots_for_sleep:
            await super()._sleep(sleep)


class ForgetsWhatWasBeforeASleep(Execution):
    async def _sleep(self, sleep: Sleep) -> None:
        await super()._sleep(sleep)
        self._undo.clear()


class IgnoresWaitTimeouts(Execution):
    async def _wait(self, wait: Wait) -> JSON:
        return await super()._wait(Wait(name=wait.name))


class TimesOutWaitsEarly(Execution):
    async def _wait(self, wait: Wait) -> JSON:
        half = wait.timeout / 2 if wait.timeout else None
        return await super()._wait(Wait(name=wait.name, timeout=half, on_timeout=wait.on_timeout))


class NeverGoesOnAfterAWaitTimeout(Execution):
    async def _wait(self, wait: Wait) -> JSON:
        return await super()._wait(Wait(name=wait.name, timeout=wait.timeout))


class TimesOutAfterTheSignal(Execution):
    """The race is lost by nobody: the timeout strikes although the signal came."""

    async def _wait(self, wait: Wait) -> JSON:
        payload = await super()._wait(wait)
        if wait.timeout and payload is not None:
            self._late = asyncio.ensure_future(self._strike(wait.timeout.total_seconds()))
        return payload

    async def _strike(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._undo_step(self.saga.step("book_flight"))


class NeverWaits(Execution):
    async def _wait(self, wait: Wait) -> JSON:
        self._passed_waits.add(wait.name)
        return None
