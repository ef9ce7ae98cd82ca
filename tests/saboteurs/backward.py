"""Saboteurs of the way back: compensations skipped, doubled, reordered, lost; outcomes that lie."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import JSON, Step
from bakeoff_inline.execution import Execution
from tests.saboteurs.around_inline import CheatingParticipant


class SkipsACompensation(Execution):
    """Of several undos, the last but one is not made."""

    async def _compensate(self, cause: Cause) -> Outcome:
        undoable = [group for group in self._undo if any(step.compensation for step in group)]
        if len(undoable) > 1:
            self._undo.remove(undoable[-2])
        return await super()._compensate(cause)


class LosesTheFirstStepsCompensation(Execution):
    """Stops one short of the start."""

    async def _compensate(self, cause: Cause) -> Outcome:
        self._undo[:1] = []
        return await super()._compensate(cause)


class DoublesCompensations(Execution):
    async def _undo_step(self, step: Step) -> str | None:
        await super()._undo_step(step)
        return await super()._undo_step(step)


class CompensatesForwards(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        self._undo.reverse()
        return await super()._compensate(cause)


class CompensatesAllAtOnce(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        self._undo = [[step for group in self._undo for step in group]]
        return await super()._compensate(cause)


class LosesTheCompensation(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        self._undo.clear()
        return await super()._compensate(cause)


class StopsAtAStepWithoutCompensation(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        for place in reversed(range(len(self._undo) - 1)):
            if any(step.compensation is None for step in self._undo[place]):
                del self._undo[:place]
                break
        return await super()._compensate(cause)


class ForgetsToUndoTheFaultedStep(Execution):
    """Believes that what failed had no effect."""

    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        cause = await super()._step(step, undo)
        if cause is not None and step in undo:
            undo.remove(step)
        return cause


class ForgetsFaultsBeforeADecline(Execution):
    """Looks at the last attempt alone."""

    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        cause = await super()._step(step, undo)
        if cause is not None and cause.type == "BusinessError" and step in undo:
            undo.remove(step)
        return cause


class UndoesDeclinedSteps(Execution):
    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        cause = await super()._step(step, undo)
        if cause is not None and step not in undo:
            undo.append(step)
        return cause


class NeverRetriesCompensations(Execution):
    async def _undo_step(self, step: Step) -> str | None:
        if step.compensation is None:
            return None
        try:
            await self._attempt(step, "compensation", 1)
        except Exception:
            return step.name
        return None


class StopsAtTheFirstFailedCompensation(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        for group in list(reversed(self._undo)):
            for step in group:
                if await self._undo_step(step):
                    return Outcome(Status.COMPENSATION_FAILED, {}, cause, (step.name,))
        return Outcome(Status.COMPENSATED, {}, cause)


class NamesOneFailedCompensation(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        outcome = await super()._compensate(cause)
        return replace(outcome, failed_compensations=outcome.failed_compensations[:1])


class CallsCompensationFailedCompensated(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        outcome = await super()._compensate(cause)
        return Outcome(Status.COMPENSATED, outcome.results, outcome.cause)


class CallsCompensatedCompleted(Execution):
    async def run(self) -> Outcome:
        outcome = await super().run()
        self.status = Status.COMPLETED
        return Outcome(Status.COMPLETED, outcome.results)


class LosesTheCauseWhenUndoFails(Execution):
    async def _compensate(self, cause: Cause) -> Outcome:
        outcome = await super()._compensate(cause)
        return replace(outcome, cause=None) if outcome.failed_compensations else outcome


class LosesTheCause(Execution):
    """Says that something went wrong somewhere."""

    async def _compensate(self, cause: Cause) -> Outcome:
        return await super()._compensate(Cause("Exception", "", self.saga.name))


class LosesOutcomeResults(Execution):
    async def run(self) -> Outcome:
        return replace(await super().run(), results={})


class GivesCompensationsNoResult(CheatingParticipant):
    """The refund does not learn the charge id."""

    def perform(self, *args: Any, **more: Any) -> JSON:
        return super().perform(*args, **{**more, "own_result": None})


class InventsResultsForCompensations(CheatingParticipant):
    def perform(self, *args: Any, **more: Any) -> JSON:
        invented = more.get("own_result")
        return super().perform(*args, **{**more, "own_result": {} if invented is None else invented})


class ActsAfterTheEnd(Execution):
    async def run(self) -> Outcome:
        outcome = await super().run()
        self._late = asyncio.ensure_future(self._once_more())
        return outcome

    async def _once_more(self) -> None:
        await asyncio.sleep(0.2)
        await self._attempt(next(self.saga.steps()), "action", 2)


class UndoesOtherSagasSteps(Execution):
    """All sagas share one list of what is to be undone."""

    _shared: list[list[Step]] = []

    async def _compensate(self, cause: Cause) -> Outcome:
        await asyncio.sleep(0.05)
        self._shared.extend(self._undo)
        self._undo = list(self._shared)
        await asyncio.sleep(0.05)
        return await super()._compensate(cause)
