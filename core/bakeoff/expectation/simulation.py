"""One saga on paper, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bakeoff.errors import UsageError
from bakeoff.expectation.fates import FatePlan, endless, goes_well, word_of
from bakeoff.expectation.foresight import UNFORESEEN, Unforeseen
from bakeoff.expectation.prediction import Effect, Expectation, Facts, Mark
from bakeoff.outcome import Status
from bakeoff.saga import JSON, Direction, Element, Parallel, RetryPolicy, Saga, Sleep, Step, Wait


def expect(saga: Saga, fates: Mapping[str, FatePlan], facts: Facts | None = None) -> Expectation:
    """Predict one saga.

    Args:
        saga: Its definition.
        fates: ``{"step:action" or "step:compensation": fate}``; calls that are not listed go well.
        facts: Signals, declines of the domain, cancel.

    Raises:
        ValueError: If a cancel falls into a step whose first attempt does not simply succeed: what happens
            then is a race, and no prediction; or into an element that it does not come to.
        UsageError: If a condition reads what a step returns and ``facts`` does not say whether it holds.
    """
    return _Simulation(saga, fates, facts or Facts()).run()


class _NeverSettles(Exception):
    """The saga retries or waits for ever."""


class _ForwardEnds(Exception):
    """``args[0]`` is the set of possible causes."""


class _Escalates(Exception):
    """``args[0]`` is the step that is exhausted; its own undo is over."""


@dataclass(slots=True)
class _Played:
    """One call played to its end.

    ``effect`` is ``"effect"``, ``"nothing"``, ``"either"`` or ``None``; ``last`` its last ledger record.
    """

    ok: bool = False
    exhausted: bool = False
    cause: str = ""
    attempts: int = 0
    faulted: bool = False
    effect: str | None = None
    last: Mark | None = None


class _Simulation:
    def __init__(self, saga: Saga, fates: Mapping[str, FatePlan], facts: Facts) -> None:
        self._saga = saga
        self._fates = fates
        self._facts = facts
        self._attempts: dict[tuple[str, Direction], int] = {}
        self._faulted: set[tuple[str, Direction]] = set()
        self._effects: list[frozenset[Effect]] = []
        self._taken: dict[str, str] = {}
        self._undo: list[list[Step]] = []
        self._closing: frozenset[Mark] = frozenset()
        self._ledger_tells = False
        self._repeats = 0
        #: Results so far, as far as they can be foreseen.
        self._results: dict[str, JSON] = {}
        self._exhausted: str | None = None
        self._failed: list[str] = []

    def run(self) -> Expectation:
        causes: frozenset[tuple[str, str]] = frozenset()
        failed: frozenset[str] = frozenset()
        status: Status | None = Status.COMPLETED
        try:
            try:
                self._forward()
            except _ForwardEnds as ends:
                causes = ends.args[0]
                failed = frozenset((*self._failed, *self._backward()))
                status = Status.COMPENSATION_FAILED if failed else Status.COMPENSATED
        except _NeverSettles:
            status = None
        return Expectation(
            status=status,
            causes=causes,
            attempts=self._attempts,
            faulted=frozenset(self._faulted),
            effects=tuple(self._effects),
            failed_compensations=failed,
            closing=self._closing if status is not None else frozenset(),
            ledger_tells=self._ledger_tells and status is not None,
            repeats=self._repeats,
            exhausted=self._exhausted,
        )

    # -- forward -----------------------------------------------------------------------------------

    def _forward(self) -> None:
        try:
            self._along(0)
        except _Escalates as escalates:
            step: Step = escalates.args[0]
            self._exhausted = step.name
            during = self._facts.cancelled_during
            if during is not None and self._saga.index_of(during) > self._saga.index_of(step.name):
                begin = self._saga.index_of(str(step.on_exhausted))
                if not begin <= self._saga.index_of(during) < self._saga.end_of(begin):
                    raise ValueError(f"a cancel during {during!r}, to which it does not come") from None
            self._along(self._saga.index_of(str(step.on_exhausted)))

    def _along(self, start: int) -> None:
        """Go one stretch: the ordinary way, or an escalation."""
        cancelled_at = self._cancel_position()
        if cancelled_at is not None and self._saga.end_of(start) <= cancelled_at:
            cancelled_at = None  # on a way that it may come to yet
        for index, element in enumerate(self._saga.stretch(start), start):
            if cancelled_at is not None and index > cancelled_at:
                self._end_by_cancel()
            match element:
                case Step():
                    self._group([element])
                    if element.pivot:
                        self._undo.clear()
                case Parallel(steps=steps):
                    self._group(list(steps))
                case Wait():
                    self._ledger_tells = False
                    if not self._is_due(element):
                        continue
                    if cancelled_at == index:
                        self._end_by_cancel()
                    self._wait(element)
                case Sleep():
                    self._ledger_tells = False
                    if cancelled_at == index:
                        self._end_by_cancel()
                    self._results[element.name] = None
        if cancelled_at is not None and cancelled_at >= start:
            self._end_by_cancel()

    def _is_due(self, element: Step | Wait) -> bool:
        """Ask the condition, as far as it can be foreseen."""
        if element.when is None or element.name in self._facts.holds:
            return True
        if element.name in self._facts.skips:
            return False
        try:
            return bool(element.when(self._facts.input, dict(self._results)))
        except Unforeseen as error:
            raise UsageError(
                f"saga {self._saga.name!r}: whether {element.name!r} is due depends on what a step returns, "
                "which cannot be foreseen; let facts(input) beside the saga say it: "
                '{"holds": [...]} or {"skips": [...]}'
            ) from error
        except Exception:
            raise _ForwardEnds(frozenset({("ConditionError", element.name)})) from None

    def _cancel_position(self) -> int | None:
        """Index of the element at whose end a cancel takes effect; ``None`` where it has none (S9)."""
        during = self._facts.cancelled_during
        if during is None:
            return None
        index = self._saga.index_of(during)
        pivot = self._saga.pivot_index()
        if pivot is not None and pivot <= index < self._saga.end_of(pivot):
            return None
        element = self._saga.elements[index]
        for step in _steps_of(element):
            plain = word_of(self._fates.get(f"{step.name}:action"), 1)
            if step.name in self._facts.declines or not goes_well(plain, step.timeout.total_seconds()):
                raise ValueError(f"a cancel during {step.name!r}, which does not simply succeed, is a race")
        return index

    def _end_by_cancel(self) -> None:
        self._ledger_tells = False
        raise _ForwardEnds(frozenset({("Cancelled", "")}))

    def _wait(self, wait: Wait) -> None:
        self._results[wait.name] = None
        if wait.name in self._facts.signals:
            self._results[wait.name] = self._facts.payloads.get(wait.name)
            return
        if wait.timeout is None:
            raise _NeverSettles
        if wait.on_timeout == "fail":
            raise _ForwardEnds(frozenset({("WaitTimeout", wait.name)}))

    def _group(self, steps: list[Step]) -> None:
        """Play a step, or several at once: all end before the group has failed."""
        undo: list[Step] = []
        played: dict[str, _Played] = {}
        stuck = False
        for step in steps:
            try:
                if not self._is_due(step):
                    continue
                played[step.name] = self._play(step, "action", self._saga.retry_of(step))
            except _NeverSettles:
                stuck = True
                continue
            except _ForwardEnds as ends:  # its condition raised: siblings settle nevertheless
                ((cause, _),) = ends.args[0]
                played[step.name] = _Played(cause=cause)
            one = played[step.name]
            if one.ok or one.faulted:
                undo.append(step)
            if one.effect:
                self._taken[step.name] = one.effect
        if not played and not stuck:
            self._ledger_tells = False  # all were left out, which no record tells
            return
        self._note(steps, played, "action")
        if stuck:
            raise _NeverSettles
        self._results |= {name: UNFORESEEN for name, one in played.items() if one.ok}
        if len(steps) == 1 and steps[0].on_exhausted is not None and played[steps[0].name].exhausted:
            self._escalate(steps[0], played[steps[0].name].cause)
        self._undo.append(undo)
        causes = frozenset((one.cause, name) for name, one in played.items() if not one.ok)
        if causes:
            raise _ForwardEnds(causes)

    def _escalate(self, step: Step, cause: str) -> None:
        """Undo the exhausted step; go on with its escalation, or back if the undo gives up."""
        if step.compensation is not None:
            undone = self._play(step, "compensation", step.compensation_retry)
            self._note([step], {step.name: undone}, "compensation")
            if not undone.ok:
                self._failed.append(step.name)
                raise _ForwardEnds(frozenset({(cause, step.name)}))
        raise _Escalates(step)

    # -- backward ----------------------------------------------------------------------------------

    def _backward(self) -> Iterator[str]:
        for group in reversed(self._undo):
            steps = [step for step in group if step.compensation is not None]
            played: dict[str, _Played] = {}
            for step in steps:
                one = self._play(step, "compensation", step.compensation_retry)
                played[step.name] = one
                if not one.ok:
                    yield step.name
            if steps:
                self._note(steps, played, "compensation")

    # -- one call ----------------------------------------------------------------------------------

    def _note(self, steps: Sequence[Step], played: Mapping[str, _Played], direction: Direction) -> None:
        effects: set[Effect] = set()
        marks: set[Mark] = set()
        for name, one in played.items():
            if one.attempts:
                self._attempts[(name, direction)] = one.attempts
            if one.faulted:
                self._faulted.add((name, direction))
            if one.effect:
                effects.add((name, direction, one.effect))
            if one.last:
                marks.add(one.last)
        if effects:
            self._effects.append(frozenset(effects))
        if marks:
            self._closing = frozenset(marks)
        self._ledger_tells = all(step.recorded for step in steps)

    def _play(self, step: Step, direction: Direction, policy: RetryPolicy) -> _Played:
        if not step.recorded:
            return self._unrecorded(step, direction, policy)
        fate = self._fates.get(f"{step.name}:{direction}")
        timeout_s = self._saga.timeout_of(step, direction).total_seconds()
        after_pivot = direction == "action" and self._saga.after_pivot(step.name)
        one = _Played()
        may_act_later = False
        while True:
            one.attempts += 1
            self._repeats += one.effect is not None
            one.last = ("attempt", step.name, direction, one.attempts)
            word = word_of(fate, one.attempts)
            error, applies = self._suffered(step, direction, word, timeout_s, one.effect)
            if applies and one.effect is None:
                one.effect = applies
                one.last = ("outcome", step.name, direction, one.attempts)
            if error is None:
                one.ok = True
                return one
            may_act_later |= word.startswith("slow") and error == "TimeoutError"
            declined = error in ("BusinessError", "UnserialisableError")
            one.cause = error
            if declined and direction == "action" and not after_pivot:
                break
            one.faulted = True
            if policy.maximum_attempts is None and endless(fate, one.attempts):
                raise _NeverSettles
            if policy.exhausted(one.attempts):
                one.exhausted = True
                break
        if may_act_later and one.effect is None:
            one.effect = "either"
        return one

    def _suffered(
        self, step: Step, direction: Direction, word: str, timeout_s: float, applied: str | None
    ) -> tuple[str | None, str | None]:
        """``(error type or None, what is entered into the ledger or None)`` of one attempt."""
        kind, _, seconds = word.partition(":")
        if kind == "decline":
            return "BusinessError", None
        if kind == "fault":
            return "InjectedFault", None
        if kind == "slow" and float(seconds) >= timeout_s:
            return "TimeoutError", None
        if direction == "action" and step.name in self._facts.declines:
            return "BusinessError", None
        entered = "effect" if direction == "action" else self._taken.get(step.name, "nothing")
        if kind == "unserialisable" and applied is None and entered != "nothing":
            return "UnserialisableError", None
        if kind == "unknown":
            return "InjectedFault", entered
        if kind == "late" and float(seconds) >= timeout_s:
            return "TimeoutError", entered
        return None, entered

    def _unrecorded(self, step: Step, direction: Direction, policy: RetryPolicy) -> _Played:
        """The fault plan does not reach a step without records; the domain may still decline it."""
        if direction == "compensation" or step.name not in self._facts.declines:
            return _Played(ok=True)
        if self._saga.after_pivot(step.name):
            raise _NeverSettles
        return _Played(cause="BusinessError")


def _steps_of(element: Element) -> tuple[Step, ...]:
    if isinstance(element, Parallel):
        return element.steps
    return (element,) if isinstance(element, Step) else ()
