"""What a kill came to is read from the ledger, and the worst that is true counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bakeoff.checkers import Evidence
from bakeoff.outcome import Cause, Outcome, Status
from bakeoff_bench.crash import control
from bakeoff_bench.crash.control import missed
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome, outcome_of
from tests.run.evidence_builder import Told, completed, declined, done, evidence_of, operation, undone

_ID = "order-1"


def _of(told: Told, **changes: object) -> tuple[KillOutcome, str]:
    return outcome_of(replace(evidence_of([told]), engine_faults=True, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("told", [completed(_ID), declined(_ID)], ids=["completed", "compensated"])
def test_as_planned_is_clean(told: Told) -> None:
    assert _of(told) == (KillOutcome.CLEAN, "")


def test_one_more_attempt_is_retried() -> None:
    told = completed(_ID)
    told.entries.insert(2, ("attempt", "charge_payment", "action"))

    assert _of(told) == (KillOutcome.RETRIED, "charge_payment (action): 1 more")


def test_an_attempt_after_its_effect_would_have_duplicated() -> None:
    evidence = evidence_of([completed(_ID)])
    again = replace(evidence.ledger[2], seq=99, ordinal=2, repeat=True)

    outcome, detail = outcome_of(replace(evidence, ledger=[*evidence.ledger, again], engine_faults=True))

    assert outcome is KillOutcome.WOULD_HAVE_DUPLICATED
    assert detail == "tried again after their effect: charge_payment (action)"


def test_an_effect_that_is_there_twice_is_duplicated() -> None:
    told = completed(_ID)
    told.entries.insert(4, ("effect", "charge_payment", "action"))

    assert _of(told)[0] is KillOutcome.DUPLICATED


def test_a_saga_that_does_not_go_on_is_stuck_and_what_it_holds_is_named() -> None:
    outcome, detail = _of(Told(_ID, done("reserve_inventory", "charge_payment"), None))

    assert outcome is KillOutcome.STUCK
    assert detail.endswith("it still holds reserve_inventory, charge_payment")


def test_a_saga_that_the_engine_does_not_know_any_more_is_lost() -> None:
    told = Told(_ID, done("reserve_inventory"), None)
    unknown = operation("result", _ID, error="WorkflowNotFoundError: who?")

    outcome, detail = _of(told, operations=[operation("start", _ID, value=True), unknown])

    assert outcome is KillOutcome.LOST
    assert "it still holds reserve_inventory" in detail


def test_an_engine_that_says_what_is_not_so_lied() -> None:
    told = Told(_ID, done("reserve_inventory"), Outcome(Status.COMPLETED))

    assert _of(told)[0] is KillOutcome.LIED


def test_a_compensated_saga_with_an_effect_left_is_no_success() -> None:
    """The engine says compensated, and the charge stands."""
    told = declined(_ID)
    told.entries = [*done("reserve_inventory", "charge_payment"), *told.entries[-2:]]

    assert _of(told)[0] in (KillOutcome.LIED, KillOutcome.LEAKED)


@pytest.mark.parametrize("told", [completed(_ID), declined(_ID)], ids=["completed", "compensated"])
def test_the_negative_control_sees_every_damage(told: Told) -> None:
    assert missed(evidence_of([told])) == []


def test_the_negative_control_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that finds everything well is found out."""

    def blind(evidence: Evidence) -> tuple[KillOutcome, str]:
        return KillOutcome.CLEAN, ""

    monkeypatch.setattr(control, "outcome_of", blind)

    assert missed(evidence_of([completed(_ID)])) == [
        "a lost effect",
        "an effect that is there twice",
        "a lie about the outcome",
    ]


def test_harm_and_no_harm_are_told_apart() -> None:
    well = {
        KillOutcome.CLEAN,
        KillOutcome.RETRIED,
        KillOutcome.WOULD_HAVE_DUPLICATED,
        KillOutcome.NOT_SUPPORTED,
    }

    assert set(KillOutcome) - set(HARMFUL) == well


def test_an_undo_delivered_again_after_its_effect_is_no_disorder() -> None:
    """RabbitMQ gives a message back whose acknowledgement died with it, when the saga is long beyond it."""
    entries = [
        *done("reserve_inventory", "charge_payment", "create_shipment"),
        ("attempt", "send_confirmation", "action"),
        *undone("create_shipment", "charge_payment", "reserve_inventory"),
    ]
    cause = Cause("BusinessError", "no", "send_confirmation")
    fates = {"send_confirmation:action": {"then": "decline"}}
    evidence = evidence_of([Told(_ID, entries, Outcome(Status.COMPENSATED, cause=cause), fates)])
    undo = next(r for r in evidence.ledger if r.call == ("create_shipment", "compensation"))
    again = replace(undo, seq=99, ordinal=2, repeat=True)

    outcome, _ = outcome_of(replace(evidence, ledger=[*evidence.ledger, again], engine_faults=True))

    assert outcome is KillOutcome.WOULD_HAVE_DUPLICATED
    disorder = replace(again, repeat=False)
    assert outcome_of(replace(evidence, ledger=[*evidence.ledger, disorder]))[0] is KillOutcome.LEAKED
