"""Every checker lets a faithful ledger pass and catches the ledger that violates its invariant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bakeoff.checkers import (
    CHECKERS,
    Evidence,
    Planned,
    Validity,
    choose_alternative,
    judge,
    merge,
    observe,
)
from bakeoff.expectation import Facts, expect
from bakeoff.orders import ORDER, ORDER_PIVOT
from bakeoff.outcome import Cause, Outcome, Status
from tests.run.evidence_builder import (
    STEPS,
    Entry,
    Told,
    broken,
    completed,
    declined,
    done,
    evidence_of,
    invalid,
    ledger_of,
    operation,
    spoilt,
    undone,
    usual,
    verdicts,
)


def test_faithful_ledger_is_valid_in_every_invariant_that_applies() -> None:
    validities = {name: verdict.validity for name, verdict in verdicts(evidence_of(usual())).items()}

    assert validities.pop("I9") is Validity.NOT_APPLICABLE
    assert set(validities.values()) == {Validity.VALID}
    assert set(validities) | {"I9"} == set(CHECKERS)


def _without(*entries: Entry) -> Callable[[list[Entry]], list[Entry]]:
    return lambda before: [entry for entry in before if entry not in entries]


def _plus(*entries: Entry) -> Callable[[list[Entry]], list[Entry]]:
    return lambda before: [*before, *entries]


_REFUND: tuple[Entry, Entry] = (
    ("attempt", "charge_payment", "compensation"),
    (
        "effect",
        "charge_payment",
        "compensation",
    ),
)


@pytest.mark.parametrize(
    ("invariant", "told"),
    [
        pytest.param("I3", spoilt("order-8", _without(*_REFUND)), id="compensation lost"),
        pytest.param(
            "I3",
            spoilt(
                "order-6",
                _plus(
                    ("attempt", "charge_payment", "compensation"),
                    ("nothing", "charge_payment", "compensation"),
                ),
            ),
            id="undo of a step that was purely declined",
        ),
        pytest.param(
            "I4",
            spoilt("order-8", lambda before: [*before[:-4], *undone("reserve_inventory", "charge_payment")]),
            id="undone in the forward order",
        ),
        pytest.param(
            "I4",
            spoilt(
                "order-0",
                lambda before: [
                    ("attempt", "reserve_inventory", "action"),
                    *done("charge_payment"),
                    ("effect", "reserve_inventory", "action"),
                    *before[4:],
                ],
            ),
            id="next step started early",
        ),
        pytest.param(
            "I5",
            spoilt("order-0", _plus(("effect", "charge_payment", "action"))),
            id="effect twice",
        ),
        pytest.param(
            "I5",
            spoilt("order-8", _plus(("effect", "charge_payment", "compensation"))),
            id="compensation twice",
        ),
        pytest.param(
            "I6",
            spoilt("order-8", _plus(("effect", "create_shipment", "action"))),
            id="late action after its undo",
        ),
        pytest.param(
            "I7",
            spoilt("order-0", lambda before: [("attempt", "reserve_inventory", "action"), *before]),
            id="a step tried once too often",
        ),
        pytest.param(
            "I7",
            spoilt("order-8", lambda before: [*before[:4], *before[6:]]),
            id="retries that did not happen",
        ),
        pytest.param(
            "expected",
            spoilt("order-0", lambda before: [*before[:-2], *undone(*reversed(STEPS[:3]))]),
            id="compensated instead of completed",
        ),
    ],
)
def test_ledger_that_violates_an_invariant_is_found(invariant: str, told: list[Told]) -> None:
    assert invariant in invalid(evidence_of(told))


def _with_books(**changes: Any) -> Evidence:
    evidence = evidence_of(usual())
    return replace(evidence, books=replace(evidence.books, **changes))


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(_with_books(stock={"A": (3, 0, 6)}), id="a unit vanished"),
        pytest.param(_with_books(stock={"A": (3, 0, 7)}), id="a unit shipped to nobody"),
        pytest.param(_with_books(stock={"A": (3, 1, 6)}), id="a unit reserved for nobody"),
        pytest.param(
            _with_books(
                charges={**evidence_of(usual()).books.charges, "8": {"captured": 500}},
            ),
            id="a compensated order has paid",
        ),
        pytest.param(
            _with_books(charges={**evidence_of(usual()).books.charges, "0": {"captured": 499}}),
            id="a completed order paid too little",
        ),
        pytest.param(
            _with_books(charges={**evidence_of(usual()).books.charges, "7": {"authorised": 500}}),
            id="a compensated order's money is still held",
        ),
    ],
)
def test_books_that_do_not_add_up_violate_conservation(evidence: Evidence) -> None:
    assert "I1" in invalid(evidence)


def test_services_that_charged_twice_violate_once() -> None:
    assert "I5" in invalid(_with_books(charge_counts={"0": 2}))


def test_stuck_saga_holds_its_units_without_breaking_conservation() -> None:
    """What an unfinished saga holds is itemised, not condemned twice."""
    stuck = Told("order-9", done("reserve_inventory"), None)
    evidence = evidence_of([*usual()[:9], stuck])
    books = replace(evidence.books, stock={"A": (3, 1, 6)})
    found = invalid(replace(evidence, books=books))

    assert "I2" in found
    assert "I1" not in found


def test_saga_unknown_to_its_engine_is_lost() -> None:
    evidence = evidence_of([*usual()[:9], Told("order-9", [], None)])
    gone = operation("result", "order-9", error="WorkflowNotFoundError: order-9")
    evidence = replace(evidence, operations=[*evidence.operations, gone])

    assert observe(evidence)["order-9"].fate == "lost"
    assert "I2" in invalid(evidence)


def test_start_that_was_refused_is_not_accounted_for() -> None:
    evidence = evidence_of(usual())
    refused = operation("start", "order-0", error="RuntimeError: no")
    rest = [one for one in evidence.operations if one.workflow_id != "order-0"]
    ledger = [record for record in evidence.ledger if record.workflow_id != "order-0"]

    assert "I8" in invalid(replace(evidence, operations=[refused, *rest], ledger=ledger))


def test_start_without_any_answer_is_unknown() -> None:
    evidence = evidence_of(usual())
    unknown = replace(operation("start", "order-0"), completion="unknown", completed_at_s=None)
    rest = [one for one in evidence.operations if one.workflow_id != "order-0"]
    ledger = [record for record in evidence.ledger if record.workflow_id != "order-0"]
    evidence = replace(evidence, operations=[unknown, *rest], ledger=ledger)

    assert observe(evidence)["order-0"].fate == "start_unknown"
    assert "I8" in invalid(evidence)


def test_saga_that_nobody_issued_is_not_accounted_for() -> None:
    evidence = evidence_of(usual())
    stranger = replace(evidence.ledger[0], workflow_id="order-404")

    assert "I8" in invalid(replace(evidence, ledger=[*evidence.ledger, stranger]))


def test_rejected_orders_are_accounted_for() -> None:
    assert "I8" not in invalid(replace(evidence_of(usual()), rejected=3))


def _past_pivot(compensated: bool) -> list[Told]:
    told = [completed(f"order-{number}", ORDER_PIVOT) for number in range(4)]
    if compensated:
        told[0].entries += undone("create_shipment")
    return told


def test_compensation_after_the_pivot_is_found() -> None:
    assert verdicts(evidence_of(_past_pivot(False), ORDER_PIVOT))["I9"].validity is Validity.VALID
    assert "I9" in invalid(evidence_of(_past_pivot(True), ORDER_PIVOT))


@pytest.mark.parametrize(
    ("workflow_id", "word"),
    [
        pytest.param("order-6", Outcome(Status.COMPLETED), id="says completed"),
        pytest.param(
            "order-0",
            Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "charge_payment")),
            id="says compensated",
        ),
        pytest.param("order-6", Outcome(Status.COMPENSATED), id="no cause"),
        pytest.param(
            "order-6",
            Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "create_shipment")),
            id="wrong step",
        ),
        pytest.param(
            "order-6",
            Outcome(Status.COMPENSATED, cause=Cause("TimeoutError", "", "charge_payment")),
            id="wrong type",
        ),
        pytest.param(
            "order-8",
            Outcome(
                Status.COMPENSATION_FAILED,
                cause=Cause("InjectedFault", "", "create_shipment"),
                failed_compensations=("charge_payment",),
            ),
            id="says a compensation failed",
        ),
        pytest.param(
            "order-0", Outcome(Status.COMPLETED, {"charge_payment": {"charge_id": "x"}}), id="wrong result"
        ),
    ],
)
def test_engine_that_lies_is_found(workflow_id: str, word: Outcome) -> None:
    told = [replace(one, word=word) if one.workflow_id == workflow_id else one for one in usual()]

    assert "I10" in invalid(evidence_of(told))


def test_lost_compensation_that_the_engine_hides_is_a_lie() -> None:
    """The ledger of ``order-8`` misses the refund; the engine says compensated all the same."""
    found = verdicts(evidence_of(spoilt("order-8", _without(*_REFUND))))

    assert found["I10"].validity is Validity.INVALID
    assert "order-8" in found["I10"].findings[0]


def test_oversold_race_is_found() -> None:
    """Either end is acceptable for each saga; how many win is not."""
    evidence = evidence_of([completed(f"order-{number}") for number in range(3)])

    assert "expected" not in invalid(replace(evidence, counts={"completed": 3}))
    assert "expected" in invalid(replace(evidence, counts={"completed": 2, "compensated": 1}))


def test_of_two_acceptable_ends_the_one_that_was_tried_is_taken() -> None:
    won, lost = expect(ORDER, {}), expect(ORDER, {}, Facts(declines=frozenset({"reserve_inventory"})))
    planned = Planned(workflow_id="order-0", input="0", expected=won, alternatives=(lost,))
    one_attempt = ledger_of([completed("order-0")])[:1]

    assert choose_alternative(planned, ledger_of([completed("order-0")])).expected == won
    assert choose_alternative(planned, one_attempt).expected == lost


def test_failed_compensation_is_valid_when_it_was_planned() -> None:
    fates = {
        "create_shipment:action": {"then": "decline"},
        "charge_payment:compensation": {"then": "fault"},
    }
    expected = expect(ORDER, fates)
    gave_up: list[Entry] = [
        *done("reserve_inventory", "charge_payment"),
        ("attempt", "create_shipment", "action"),
        *undone("charge_payment")[:1] * 10,
        *undone("reserve_inventory"),
    ]
    word = Outcome(
        Status.COMPENSATION_FAILED,
        cause=Cause("BusinessError", "", "create_shipment"),
        failed_compensations=("charge_payment",),
    )
    told = Told("order-0", gave_up, word, fates)
    lying = replace(
        told, word=Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "create_shipment"))
    )

    assert expected.failed_compensations == {"charge_payment"}
    assert not invalid(evidence_of([told])) & {"I4", "I7", "I10", "expected"}
    assert "I10" in invalid(evidence_of([lying]))


def test_step_whose_attempt_died_may_be_undone_though_it_is_declined_at_last() -> None:
    """Whether the dead attempt had an effect nobody knew: its own undo found nothing (S3)."""
    doubtful: list[Entry] = [
        *done("reserve_inventory"),
        ("attempt", "charge_payment", "action"),
        ("attempt", "charge_payment", "action"),
        ("attempt", "charge_payment", "compensation"),
        ("nothing", "charge_payment", "compensation"),
        ("tombstone", "charge_payment", "action"),
        *undone("reserve_inventory"),
    ]
    struck = replace(declined("order-0"), entries=doubtful)
    evidence = evidence_of([struck])
    once: list[Entry] = [*doubtful[:3], *doubtful[4:]]
    planned_once = evidence_of([replace(struck, entries=once)])

    # One that was to fail three times has its undo in the plan, however often it was attempted.
    failing = broken("order-1")
    failing_again = replace(failing, entries=[*failing.entries[:5], *failing.entries[4:]])

    assert "expected" not in invalid(replace(evidence, engine_faults=True))
    assert "expected" not in invalid(replace(evidence_of([failing_again]), engine_faults=True))
    assert "expected" in invalid(evidence)
    assert "expected" in invalid(replace(planned_once, engine_faults=True))


def test_crashed_checker_is_unknown_never_valid() -> None:
    def crash(evidence: Evidence) -> Any:
        """Breaks."""
        raise KeyError("x")

    verdict = judge(evidence_of(usual()), {"I1": crash})[0]

    assert verdict.validity is Validity.UNKNOWN
    assert "KeyError" in verdict.reason


def test_no_sagas_are_no_evidence() -> None:
    found = verdicts(evidence_of([]))

    assert Validity.VALID not in {verdict.validity for verdict in found.values()}
    assert found["I2"].validity is Validity.UNKNOWN


def test_compensations_that_were_planned_but_never_seen_are_unknown() -> None:
    stuck = [Told(one.workflow_id, [], None, one.fates) for one in (declined("order-1"), broken("order-2"))]
    found = verdicts(evidence_of([completed("order-0"), *stuck]))

    assert found["I3"].validity is Validity.UNKNOWN
    assert found["I6"].validity is Validity.UNKNOWN


def test_plan_without_compensations_says_that_it_tests_none() -> None:
    found = verdicts(evidence_of([completed("order-0")]))

    assert found["I3"].validity is Validity.NOT_APPLICABLE
    assert found["I6"].validity is Validity.NOT_APPLICABLE


def test_cancelled_saga_may_name_any_step_as_its_cause() -> None:
    facts = Facts(cancelled_during="reserve_inventory")
    entries = [*done("reserve_inventory"), *undone("reserve_inventory")]
    word = Outcome(Status.COMPENSATED, cause=Cause("Cancelled", "", "charge_payment"))

    assert not invalid(evidence_of([Told("order-0", entries, word, facts=facts)]))


def test_merging_takes_the_worst() -> None:
    assert merge([Validity.VALID, Validity.NOT_APPLICABLE]) is Validity.VALID
    assert merge([Validity.VALID, Validity.UNKNOWN]) is Validity.UNKNOWN
    assert merge([Validity.UNKNOWN, Validity.INVALID]) is Validity.INVALID
    assert merge([]) is Validity.UNKNOWN
