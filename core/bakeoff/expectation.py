"""What a saga must come to, computed beforehand: a second implementation that shares nothing with the World.

It knows the saga model, the words of the fault plan (``docs/domain-faults.md``) and the semantics S1-S9
(``docs/semantics.md``), and simulates one saga step by step on paper. It imports neither the services nor
the fault injector, so that an error in one of them does not hide in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bakeoff.outcome import Status
from bakeoff.saga import Direction, Element, Parallel, RetryPolicy, Saga, Sleep, Step, Wait

#: ``{"first": [word of attempt 1, ...], "then": word of all later attempts}``.
FatePlan = Mapping[str, Any]

#: ``(kind, step, direction, ordinal)`` of a ledger record; kind ``outcome`` stands for effect or nothing.
Mark = tuple[str, str, Direction, int]

#: ``(step, direction, kind)``: ``effect``, ``nothing``, or ``either`` where a late thread may still act.
Effect = tuple[str, Direction, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What else happens to the saga.

    Attributes:
        signals: Names of the waits whose signal comes (in time).
        declines: Steps that the domain itself declines, whatever the fault plan says.
        cancelled_during: Element (or member of a group) during whose first attempt, wait or sleep a cancel
            is requested and acknowledged; ``None`` for no cancel.
    """

    signals: frozenset[str] = frozenset()
    declines: frozenset[str] = frozenset()
    cancelled_during: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The prediction for one saga.

    Attributes:
        status: The terminal status; ``None`` if it never settles (retries without limit, a signal that
            never comes).
        causes: Possible ``(cause type, step)``; several where members of a group fail at the same time,
            step ``""`` where it is not fixed (a cancel). Types: ``BusinessError``, ``UnserialisableError``,
            ``InjectedFault``, ``TimeoutError``, ``WaitTimeout``, ``Cancelled``. Empty when completed.
        attempts: ``{(step, direction): recorded attempts}``; a call that is never tried is absent. For a
            saga that never settles only calls that ended are listed.
        faulted: Calls of which at least one attempt failed other than by a decline.
        effects: Ledger entries in order; the members of one inner set come in any order.
        failed_compensations: Steps whose compensation gave up (S4).
        closing: The last record of every call that ends the plan; the saga is settled in the ledger when
            all of them are there.
        ledger_tells: ``False`` where the saga goes on after its last record (it ends with a wait, a timer
            or an unrecorded step): only the engine's word tells that it settled.
        repeats: Attempts that follow their own committed effect, because its outcome was unknown.
    """

    status: Status | None
    causes: frozenset[tuple[str, str]] = frozenset()
    attempts: Mapping[tuple[str, Direction], int] = field(default_factory=dict)
    faulted: frozenset[tuple[str, Direction]] = frozenset()
    effects: tuple[frozenset[Effect], ...] = ()
    failed_compensations: frozenset[str] = frozenset()
    closing: frozenset[Mark] = frozenset()
    ledger_tells: bool = True
    repeats: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON with sorted lists for sets; ``from_json`` reverses it."""
        return {
            "status": self.status,
            "causes": sorted(self.causes),
            "attempts": [[*call, count] for call, count in self.attempts.items()],
            "faulted": sorted(self.faulted),
            "effects": [sorted(group) for group in self.effects],
            "failed_compensations": sorted(self.failed_compensations),
            "closing": sorted(self.closing),
            "ledger_tells": self.ledger_tells,
            "repeats": self.repeats,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Expectation:
        """Reverse of ``to_json``."""
        return cls(
            status=Status(data["status"]) if data["status"] else None,
            causes=frozenset((kind, step) for kind, step in data["causes"]),
            attempts={(step, direction): count for step, direction, count in data["attempts"]},
            faulted=frozenset((step, direction) for step, direction in data["faulted"]),
            effects=tuple(
                frozenset((step, direction, kind) for step, direction, kind in group)
                for group in data["effects"]
            ),
            failed_compensations=frozenset(data["failed_compensations"]),
            closing=frozenset(
                (kind, step, direction, ordinal) for kind, step, direction, ordinal in data["closing"]
            ),
            ledger_tells=data["ledger_tells"],
            repeats=data["repeats"],
        )


def expect(saga: Saga, fates: Mapping[str, FatePlan], facts: Facts | None = None) -> Expectation:
    """Predict one saga.

    Args:
        saga: Its definition.
        fates: ``{"step:action" or "step:compensation": fate}``; calls that are not listed go well.
        facts: Signals, declines of the domain, cancel.

    Raises:
        ValueError: If a cancel falls into a step whose first attempt does not simply succeed: what happens
            then is a race, and no prediction.
    """
    return _Simulation(saga, fates, facts or Facts()).run()


def drawn_fates(profile: Mapping[str, Any], workflow_id: str, saga: Saga) -> dict[str, FatePlan]:
    """Draw the fates of one saga from a seeded profile; ``docs/domain-faults.md`` specifies the hash."""
    fates: dict[str, FatePlan] = {}
    for step in saga.steps():
        fate = _drawn(profile, workflow_id, step.name, step.timeout.total_seconds())
        if fate is not None:
            fates[f"{step.name}:action"] = fate
    return fates


def _drawn(profile: Mapping[str, Any], workflow_id: str, step: str, timeout_s: float) -> FatePlan | None:
    def number(kind: str) -> int:
        digest = hashlib.sha256(f"{profile['seed']}:{workflow_id}:{kind}:{step}".encode()).hexdigest()
        return int(digest[:16], 16) % 1000

    plans: list[tuple[str, int, FatePlan]] = [
        ("decline", profile.get("declines", {}).get(step, 0), {"then": "decline"}),
        ("broken", profile.get("broken", {}).get(step, 0), {"then": "fault"}),
        ("transient", profile.get("transient", 0), {"first": ["fault"] * (1 + number("times") % 2)}),
        ("unknown", profile.get("unknown", 0), {"first": ["unknown"]}),
        ("too_slow", profile.get("too_slow", 0), {"first": [f"slow:{timeout_s * 4}"]}),
        ("slow", profile.get("slow", 0), {"first": [f"slow:{timeout_s / 4}"]}),
    ]
    return next((plan for kind, share, plan in plans if number(kind) < share), None)


class _NeverSettles(Exception):
    """The saga retries or waits for ever."""


class _ForwardEnds(Exception):
    """``args[0]`` is the set of possible causes."""


@dataclass(slots=True)
class _Played:
    """One call played to its end.

    ``effect`` is ``"effect"``, ``"nothing"``, ``"either"`` or ``None``; ``last`` its last ledger record.
    """

    ok: bool = False
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

    def run(self) -> Expectation:
        causes: frozenset[tuple[str, str]] = frozenset()
        failed: frozenset[str] = frozenset()
        status: Status | None = Status.COMPLETED
        try:
            try:
                self._forward()
            except _ForwardEnds as ends:
                causes = ends.args[0]
                failed = frozenset(self._backward())
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
        )

    # -- forward -----------------------------------------------------------------------------------

    def _forward(self) -> None:
        cancelled_at = self._cancel_position()
        for index, element in enumerate(self._saga.elements):
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
                    if cancelled_at == index:
                        self._end_by_cancel()
                    self._wait(element)
                case Sleep():
                    self._ledger_tells = False
                    if cancelled_at == index:
                        self._end_by_cancel()
        if cancelled_at is not None:
            self._end_by_cancel()

    def _cancel_position(self) -> int | None:
        """Index of the element at whose end a cancel takes effect; ``None`` where it has none (S9)."""
        during = self._facts.cancelled_during
        if during is None:
            return None
        index = self._saga.index_of(during)
        pivot = self._saga.pivot_index()
        if pivot is not None and index >= pivot:
            return None
        element = self._saga.elements[index]
        for step in _steps_of(element):
            plain = _word(self._fates.get(f"{step.name}:action"), 1)
            if step.name in self._facts.declines or not _goes_well(plain, step.timeout.total_seconds()):
                raise ValueError(f"a cancel during {step.name!r}, which does not simply succeed, is a race")
        return index

    def _end_by_cancel(self) -> None:
        self._ledger_tells = False
        raise _ForwardEnds(frozenset({("Cancelled", "")}))

    def _wait(self, wait: Wait) -> None:
        if wait.name in self._facts.signals:
            return
        if wait.timeout is None:
            raise _NeverSettles
        if wait.on_timeout == "fail":
            raise _ForwardEnds(frozenset({("WaitTimeout", wait.name)}))

    def _group(self, steps: list[Step]) -> None:
        """Play a step, or several at once: all end before the group has failed."""
        undo: list[Step] = []
        played: dict[str, _Played] = {}
        endless = False
        for step in steps:
            try:
                played[step.name] = self._play(step, "action", self._saga.retry_of(step))
            except _NeverSettles:
                endless = True
                continue
            one = played[step.name]
            if one.ok or one.faulted:
                undo.append(step)
            if one.effect:
                self._taken[step.name] = one.effect
        self._note(steps, played, "action")
        if endless:
            raise _NeverSettles
        self._undo.append(undo)
        causes = frozenset((one.cause, name) for name, one in played.items() if not one.ok)
        if causes:
            raise _ForwardEnds(causes)

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
            word = _word(fate, one.attempts)
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
            if policy.maximum_attempts is None and _endless(fate, one.attempts):
                raise _NeverSettles
            if policy.exhausted(one.attempts):
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


def _word(fate: FatePlan | None, ordinal: int) -> str:
    """The behaviour of attempt ``ordinal`` (1-based)."""
    if fate is None:
        return "ok"
    first: Sequence[str] = fate.get("first", ())
    return str(first[ordinal - 1] if ordinal <= len(first) else fate.get("then", "ok"))


def _goes_well(word: str, timeout_s: float) -> bool:
    kind, _, seconds = word.partition(":")
    return kind == "ok" or (kind in ("slow", "late") and float(seconds) < timeout_s)


def _endless(fate: FatePlan | None, ordinal: int) -> bool:
    """Every later attempt suffers the same as the one that just failed."""
    return ordinal > len((fate or {}).get("first", ()))
