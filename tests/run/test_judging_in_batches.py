"""A run that is judged batch by batch comes to the same verdicts as one that is judged at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import pytest

from bakeoff.checkers import Books, Evidence, Fate, Validity, Verdict, in_turn, judge, observe, totals_of
from bakeoff.outcome import Outcome, Status
from tests.run.evidence_builder import Told, done, evidence_of, operation, spoilt, undone, usual


def _batches(whole: Evidence, sagas: int) -> Iterator[Evidence]:
    """As a stored run is read: planned sagas, and at last everything else."""
    books = whole.books
    names = list(whole.planned)
    for first in range(0, len(names), sagas):
        own = set(names[first : first + sagas])
        orders = {whole.planned[name].order_id for name in own}
        yield replace(
            whole,
            planned={name: whole.planned[name] for name in names if name in own},
            ledger=[record for record in whole.ledger if record.workflow_id in own],
            operations=[one for one in whole.operations if one.workflow_id in own],
            books=Books(
                charges={k: v for k, v in books.charges.items() if k in orders},
                totals={k: v for k, v in books.totals.items() if k in orders},
                baskets={k: v for k, v in books.baskets.items() if k in orders},
            ),
            counts={},
            more=True,
        )
    yield replace(
        whole,
        planned={},
        ledger=[record for record in whole.ledger if record.workflow_id not in names],
        operations=[one for one in whole.operations if one.workflow_id not in names],
        books=replace(books, charges={}, totals={}, baskets={}),
    )


def _together(batches: Iterator[Evidence]) -> tuple[Verdict, ...]:
    return reduce(lambda before, here: tuple(map(add, before, here)), map(judge, in_turn(batches)))


def _strange(evidence: Evidence) -> Evidence:
    return replace(evidence, ledger=[*evidence.ledger, replace(evidence.ledger[0], workflow_id="order-404")])


def _refused(evidence: Evidence) -> Evidence:
    gone = ("order-2", "order-7")
    books = evidence.books
    charges = {
        order_id: states for order_id, states in books.charges.items() if f"order-{order_id}" not in gone
    }
    return replace(
        evidence,
        books=replace(books, charges=charges),
        operations=[
            *(one for one in evidence.operations if one.workflow_id not in gone),
            *(operation("start", name, error="RuntimeError: no") for name in gone),
        ],
        ledger=[record for record in evidence.ledger if record.workflow_id not in gone],
    )


_STUCK = evidence_of([*usual()[:9], Told("order-9", done("reserve_inventory"), None)])


@pytest.mark.parametrize("sagas", [1, 3, 7, 100])
@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(evidence_of(usual()), id="faithful"),
        pytest.param(evidence_of(usual()[:6]), id="nothing to compensate"),
        pytest.param(evidence_of([]), id="no sagas"),
        pytest.param(_STUCK, id="stuck"),
        pytest.param(
            replace(_STUCK, books=replace(_STUCK.books, stock={"A": (3, 1, 6)})), id="stuck with a unit"
        ),
        pytest.param(
            replace(_STUCK, books=replace(_STUCK.books, stock={"A": (2, 2, 6)})), id="unit held by nobody"
        ),
        pytest.param(_strange(evidence_of(usual())), id="stranger"),
        pytest.param(_refused(evidence_of(usual())), id="refused starts"),
        pytest.param(replace(evidence_of(usual()), counts={"completed": 5}), id="another sum"),
        pytest.param(replace(evidence_of(usual()), rejected=2, rejected_planned=3), id="rejected is missed"),
        pytest.param(
            replace(
                evidence_of(usual()), books=replace(evidence_of(usual()).books, shipment_counts={"3": 2})
            ),
            id="shipped twice",
        ),
        pytest.param(
            evidence_of(spoilt("order-8", lambda before: [*before, ("effect", "create_shipment", "action")])),
            id="acted after its undo",
        ),
        pytest.param(
            evidence_of(
                spoilt(
                    "order-8",
                    lambda before: [*before[:-4], *undone("reserve_inventory", "charge_payment")],
                )
            ),
            id="undone in the forward order",
        ),
    ],
)
def test_batches_give_the_verdicts_of_the_whole(whole: Evidence, sagas: int) -> None:
    assert [one.to_json() for one in _together(_batches(whole, sagas))] == [
        one.to_json() for one in judge(whole)
    ]


def test_findings_of_many_batches_are_counted_but_not_all_kept() -> None:
    lies = [replace(one, word=Outcome(Status.COMPENSATION_FAILED)) for one in usual() * 3]
    told = [replace(one, workflow_id=f"order-{number}") for number, one in enumerate(lies)]
    words = {one.invariant: one for one in _together(_batches(evidence_of(told), 4))}["I10"]

    assert words.violations == 30
    assert len(words.findings) == 20
    assert words.reason == "30 violations; looked at 30 outcomes told"


def test_checker_that_crashes_in_one_batch_vouches_for_none() -> None:
    def crash(evidence: Evidence) -> Any:
        """Breaks."""
        raise KeyError("x")

    (crashed,), (fine,) = judge(evidence_of(usual()), {"I2": crash}), judge(evidence_of(usual()))[2:3]
    (wrong,) = judge(_STUCK)[2:3]

    for both in (crashed + fine, fine + crashed, crashed + fine + fine):
        assert both.validity is Validity.UNKNOWN
        assert both.reason == "the checker crashed: KeyError: 'x'"
    assert (crashed + wrong).validity is Validity.INVALID
    assert (crashed + wrong).findings == wrong.findings
    assert (wrong + crashed).violations == 1


def test_totals_hold_fates_and_units_of_the_batches_before() -> None:
    *_, last = in_turn(_batches(_refused(_STUCK), 4))
    totals = totals_of(last)

    assert totals.fates == {
        Fate.COMPLETED: 5,
        Fate.COMPENSATED: 2,
        Fate.NOT_STARTED: 2,
        Fate.STUCK: 1,
    }
    assert totals.refusal == "order-2: RuntimeError: no"
    assert totals.sold == {"A": 5}
    assert totals.held == {"A": 1}


def test_same_evidence_is_looked_at_once() -> None:
    evidence = evidence_of(usual())

    assert observe(evidence) is observe(evidence)
    assert evidence.by_saga() is evidence.by_saga()
    assert observe(replace(evidence, ledger=[])) is not observe(evidence)
