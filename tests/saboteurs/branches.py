"""Saboteurs of conditions and escalations: what is left out, and who goes on in whose place."""

from __future__ import annotations

from collections.abc import Mapping

from bakeoff.outcome import Cause
from bakeoff.saga import JSON, Element, Sleep, Step, Wait
from bakeoff_inline.execution import Execution, _Exhausted, _ForwardEnded
from tests.saboteurs.around_inline import Tuned, Tuning

# -- conditions ------------------------------------------------------------------------------------


class IgnoresConditions(Execution):
    """Of steps: a wait that nobody answers would hide what else goes wrong."""

    def _is_due(self, element: Step | Wait) -> bool:
        return isinstance(element, Step) or super()._is_due(element)


class IgnoresConditionsInGroups(Execution):
    def _is_due(self, element: Step | Wait) -> bool:
        return element not in self.saga.elements or super()._is_due(element)


class TakesEveryConditionForUnmet(Execution):
    def _is_due(self, element: Step | Wait) -> bool:
        return element.when is None


class TakesABrokenConditionForUnmet(Execution):
    def _is_due(self, element: Step | Wait) -> bool:
        try:
            return super()._is_due(element)
        except _ForwardEnded:
            return False


class _Blind(Tuned):
    def is_due(self, element: Step | Wait, input: JSON, results: Mapping[str, JSON]) -> bool:
        return self._saga.is_due(element, input, {})


class HidesResultsFromConditions(Tuning):
    """Whoever answered is reminded all the same."""

    tuned = _Blind


class _Restless(Tuned):
    def is_due(self, element: Step | Wait, input: JSON, results: Mapping[str, JSON]) -> bool:
        timers = {timer.name for timer in self._saga.elements if isinstance(timer, Sleep)}
        seen = {name: result for name, result in results.items() if name not in timers}
        return self._saga.is_due(element, input, seen)


class HidesTimersFromConditions(Tuning):
    tuned = _Restless


class CompensatesWhatWasLeftOut(Execution):
    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        cause = await super()._step(step, undo)
        if cause is None and step not in undo:
            undo.append(step)
        return cause


class WaitsForeverWhereNobodyWaits(Execution):
    """A wait that was left out takes its signal, of which nobody ever hears."""

    async def _element(self, element: Element) -> None:
        await super()._element(element)
        if element.name not in self._results:
            self._passed_waits.discard(element.name)


# -- escalations -----------------------------------------------------------------------------------


class _Straight(Tuned):
    def stretch(self, start: int) -> tuple[Element, ...]:
        return self._saga.elements[start:]


class GoesStraightThroughToTheEscalation(Tuning):
    tuned = _Straight


class NeverEscalates(Execution):
    async def _escalate(self, step: Step, cause: Cause) -> None:
        self._undo.append([step])
        raise _ForwardEnded(cause)


class EscalatesWithoutTheOwnUndo(Execution):
    async def _undo_step(self, step: Step) -> str | None:
        return None if step.on_exhausted is not None else await super()._undo_step(step)


class EscalatesDeclines(Execution):
    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        cause = await super()._step(step, undo)
        if cause is not None and step.on_exhausted is not None:
            raise _Exhausted(step, cause)
        return cause


class ForgetsWhatWasBeforeAnEscalation(Execution):
    async def _escalate(self, step: Step, cause: Cause) -> None:
        self._undo.clear()
        await super()._escalate(step, cause)


class UndoesTheExhaustedStepAgain(Execution):
    async def _escalate(self, step: Step, cause: Cause) -> None:
        self._undo.append([step])
        await super()._escalate(step, cause)


class EscalatesWhateverBecomesOfTheUndo(Execution):
    async def _undo_step(self, step: Step) -> str | None:
        gave_up = await super()._undo_step(step)
        return None if step.on_exhausted is not None else gave_up


class _Everywhere(Tuned):
    def left_behind(self, exhausted: Step) -> tuple[Element, ...]:
        return ()


class KeepsTheWaitsOfTheWayThatWasLeft(Tuning):
    tuned = _Everywhere


class LeavesAWayOnlyAfterTheUndo(Execution):
    """What somebody answers meanwhile is lost."""

    async def _undo_step(self, step: Step) -> str | None:
        left = {element.name for element in self.saga.left_behind(step)} if step.on_exhausted else set()
        self._passed_waits -= left
        gave_up = await super()._undo_step(step)
        self._passed_waits |= left
        return gave_up


class _AlwaysInReach(Tuned):
    def out_of_reach(self, passed: Step) -> tuple[Element, ...]:
        return ()


class KeepsTheWaitsOfAnEscalationThatIsOutOfReach(Tuning):
    tuned = _AlwaysInReach
