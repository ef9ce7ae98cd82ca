"""What evidence is made of: stored and read again, and the books as the services left them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from bakeoff.checkers import (
    Books,
    Evidence,
    Planned,
    Shape,
    StepShape,
    Validity,
    choose_alternative,
    judge,
    read_books,
    settled_by_plan,
)
from bakeoff.checkers.books import books_of_orders
from bakeoff.expectation import Facts, expect
from bakeoff.orders import ORDER, ORDER_PARALLEL, ORDER_PIVOT
from bakeoff.orders.model import Line, Order
from bakeoff.saga import Call, idempotency_key
from bakeoff.world import World, perform, schema
from bakeoff.world.database import reading, writing
from tests.run.evidence_builder import completed, evidence_of, ledger_of, usual

_SECOND = schema.orders.c.order_id == "2"


def test_plan_is_stored_and_read_again() -> None:
    lost = expect(ORDER, {}, Facts(declines=frozenset({"reserve_inventory"})))
    planned = Planned(
        workflow_id="order-0",
        input={"a": 1},
        expected=expect(ORDER, {}),
        alternatives=(lost, expect(ORDER, {"charge_payment:action": {"then": "decline"}})),
        order_id="0",
        note="cancelled",
    )

    stored = json.loads(json.dumps(planned.to_json()))

    assert Planned.from_json(stored) == planned
    assert set(stored) == {"workflow_id", "input", "order_id", "note", "expected", "alternatives"}


def test_shape_is_stored_and_read_again() -> None:
    shape = Shape.of(ORDER_PARALLEL)

    assert Shape.from_json(json.loads(json.dumps(shape.to_json()))) == shape
    assert Shape.of(ORDER_PIVOT).pivot == 3
    assert (shape.saga, shape.version, shape.pivot) == ("order-parallel", 1, None)
    assert shape.steps[1] == StepShape(
        name="reserve_west", element=0, compensated=True, recorded=True, undo_attempts=10
    )
    assert [step.element for step in shape.steps] == [0, 0, 1, 2, 3]


def test_crashed_checker_is_named_by_its_first_line() -> None:
    def crash(evidence: Evidence) -> Any:
        """Breaks.

        Always.
        """
        raise KeyError("x")

    def silent(evidence: Evidence) -> Any:
        raise ValueError

    named, unnamed = judge(evidence_of(usual()), {"I1": crash, "I2": silent})

    assert named.to_json() == {
        "invariant": "I1",
        "title": "Breaks.",
        "validity": "unknown",
        "reason": "the checker crashed: KeyError: 'x'",
        "violations": 0,
        "findings": [],
    }
    assert (unnamed.invariant, unnamed.title, unnamed.validity) == ("I2", "", Validity.UNKNOWN)


def _serve(world: World, order: Order, *steps: str) -> None:
    for name in steps:
        call = Call(
            workflow_id=order.workflow_id,
            step=name,
            direction="action",
            input=order.order_id,
            results={},
            attempt=1,
            key=idempotency_key(order.workflow_id, name, "action"),
        )
        perform(world.services(), ORDER, call)


def test_books_are_read_as_the_services_left_them(tmp_path: Path) -> None:
    world = World.create(f"sqlite:///{tmp_path / 'world.db'}")
    try:
        lines = (Line("A", 2, 100), Line("B", 1, 50), Line("A", 1, 100))
        first, second = (Order(order_id=name, lines=lines) for name in ("1", "2"))
        world.add_orders([first, second])
        world.set_stock({"A": 10, "B": 4})
        _serve(world, first, "reserve_inventory", "charge_payment", "create_shipment", "send_confirmation")
        _serve(world, second, "reserve_inventory")

        books = read_books(world.engine, {"A": 10, "B": 4})
        with reading(world.engine) as connection:
            of_one = books_of_orders(connection, select(schema.orders.c.order_id).where(_SECOND))
        with writing(world.engine) as tx:
            tx.execute(
                insert(schema.charges),
                {"charge_id": "x", "order_id": "1", "amount_minor": 5, "state": "captured"},
            )
        twice = read_books(world.engine, {})
    finally:
        world.close()

    assert books == Books(
        stocked={"A": 10, "B": 4},
        stock={"A": (4, 3, 3), "B": (2, 1, 1)},
        charges={"1": {"captured": 350}},
        charge_counts={"1": 1},
        shipment_counts={"1": 1},
        message_counts={"1": 1},
        totals={"1": 350, "2": 350},
        baskets={"1": {"A": 3, "B": 1}, "2": {"A": 3, "B": 1}},
    )
    assert of_one == Books(totals={"2": 350}, baskets={"2": {"A": 3, "B": 1}})
    assert (twice.charges, twice.charge_counts) == ({"1": {"captured": 355}}, {"1": 2})


def test_end_that_the_ledger_cannot_tell_is_not_taken_for_one() -> None:
    expected, records = expect(ORDER, {}), ledger_of([completed("order-0")])

    assert settled_by_plan(expected, records)
    assert not settled_by_plan(expected, records[:-1])
    assert not settled_by_plan(replace(expected, ledger_tells=False), records)
    assert not settled_by_plan(replace(expected, closing=frozenset()), records)


def test_of_several_ends_one_is_chosen_and_the_others_are_forgotten() -> None:
    won, lost = expect(ORDER, {}), expect(ORDER, {}, Facts(declines=frozenset({"reserve_inventory"})))
    planned = Planned(workflow_id="order-0", input="0", expected=won, alternatives=(lost,))
    records = ledger_of([completed("order-0")])

    for seen, end in ((records, won), (records[:1], lost), (records[:3], won), ((), won)):
        assert choose_alternative(planned, seen) == replace(planned, expected=end, alternatives=())


def test_evidence_that_is_changed_is_looked_at_again() -> None:
    evidence = evidence_of(usual())

    assert evidence.words() is evidence.words()
    assert len(evidence.words()) == 10
    assert not replace(evidence, operations=[]).words()
