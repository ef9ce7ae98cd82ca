"""What a kill came to is read from the ledger, and the worst that is true counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bakeoff.checkers import Evidence
from bakeoff.outcome import Cause, Outcome, Status
from bakeoff_bench.crash import control
from bakeoff_bench.crash.control import missed
from bakeoff_bench.crash.judging import judged
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome, outcome_of
from tests.run.evidence_builder import (
    Entry,
    Told,
    completed,
    declined,
    done,
    evidence_of,
    operation,
    undone,
)

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


def _asked(told: Told, error: str) -> Evidence:
    operations = [operation("start", _ID, value=True), operation("result", _ID, error=error)]
    return replace(evidence_of([told]), operations=operations, engine_faults=True)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [("WorkflowNotFoundError: who?", KillOutcome.LOST), ("ResultTimeoutError: wait", KillOutcome.STUCK)],
)
def test_a_saga_whose_ledger_is_complete_has_not_ended_while_its_engine_is_silent(
    error: str, outcome: KillOutcome
) -> None:
    """Its last message is lost: nobody who waits for it will ever be told."""
    evidence = _asked(completed(_ID), error)

    assert outcome_of(evidence)[0] is outcome
    assert outcome_of(replace(evidence, silent="it tells no outcomes"))[0] is KillOutcome.CLEAN


def test_harm_to_a_saga_beside_the_one_that_was_struck_counts() -> None:
    struck, beside = evidence_of([completed(_ID)]), completed("order-2")
    gone = evidence_of([Told("order-2", done("reserve_inventory"), None)])

    assert judged([struck, evidence_of([beside])]) == (KillOutcome.CLEAN, "")
    outcome, detail = judged([struck, evidence_of([beside]), gone])
    assert outcome is KillOutcome.STUCK
    assert detail.startswith("order-2, which was in flight beside it: ")


def test_a_judge_that_crashes_vouches_for_nothing() -> None:
    outcome, detail = judged([replace(evidence_of([completed(_ID)]), planned={})])

    assert outcome is KillOutcome.VOID
    assert detail.startswith("the judge crashed: ValueError")


def test_a_saga_that_never_had_an_effect_can_be_judged() -> None:
    tried: list[Entry] = [("attempt", "reserve_inventory", "action")] * 3
    undo: list[Entry] = [
        ("attempt", "reserve_inventory", "compensation"),
        ("nothing", "reserve_inventory", "compensation"),
    ]
    word = Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "no", "reserve_inventory"))
    told = Told(_ID, [*tried, *undo], word, {"reserve_inventory:action": {"then": "fault"}})

    assert judged([evidence_of([told])])[0] is KillOutcome.CLEAN
