"""The poisoned order: where it kills, what it may come to, and what became of it."""

from __future__ import annotations

from dataclasses import replace

from bakeoff.checkers import Evidence, Planned, Validity, observe
from bakeoff.expectation import expect
from bakeoff.saga import Saga
from bakeoff.world import Aim, Point
from bakeoff_bench.crash.outcome import HARMFUL, outcome_of
from bakeoff_bench.ordeals.executioner import Executioner
from bakeoff_bench.ordeals.site import Site

#: Its payment is tried, nothing has happened yet.
AIM = Aim("charge_payment", "action", Point.BEFORE_EFFECT)
#: Attempts that the step's retry policy allows.
ALLOWED = 3


def plan_poisoned(saga: Saga, workflow_id: str, order_id: str) -> Planned:
    """It may be given up and undone after any number of deaths, or complete once it is cured."""
    gave_up = expect(saga, {"charge_payment:action": {"then": "fault"}})
    at_least = {**gave_up.attempts, ("charge_payment", "action"): 1}
    return Planned(
        workflow_id=workflow_id,
        input=order_id,
        order_id=order_id,
        expected=expect(saga, {}),
        alternatives=(replace(gave_up, causes=frozenset(), attempts=at_least),),
    )


def end_of(site: Site, planned: Planned) -> Planned:
    """The end that its records speak of."""
    undone = any(one.direction == "compensation" for one in site.follower.records(planned.workflow_id))
    end = planned.alternatives[0] if undone else planned.expected
    return replace(planned, expected=end, alternatives=())


def fate_of(alone: Evidence, executioner: Executioner) -> tuple[Validity, str]:
    """What became of the poisoned saga, in a sentence, and what that makes of the verdict."""
    kills = executioner.kills
    outcome, detail = outcome_of(alone)
    (one,) = observe(alone).values()
    if one.fate.settled and outcome in HARMFUL:
        return Validity.INVALID, f"{outcome} after {kills} deaths: {detail}"
    if one.fate.settled and not executioner.cured:
        return Validity.VALID, f"{one.fate} after {kills} deaths"
    cured = f"; cured, it is {one.fate}" if executioner.cured else ""
    if kills > ALLOWED:
        return Validity.INVALID, (
            f"never given up: {kills} deaths, although the step allows {ALLOWED} attempts{cured}"
        )
    return Validity.UNKNOWN, f"{kills} deaths by the deadline, not settled: {one.reason or one.fate}"


def attempts_of(alone: Evidence) -> int:
    """Attempts of the payment that kills."""
    return sum(r.kind == "attempt" and r.call == (AIM.step, AIM.direction) for r in alone.ledger)
