"""Statements that go to SQLite as text do what SQLAlchemy would have done with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bakeoff.world import World, perform, schema
from bakeoff.world.database import reading, writing
from bakeoff.world.prepared import Prepared

LINES = [["A", 1, 250], ["B", 2, 99]]
INSERT = Prepared(insert(schema.orders), [column.name for column in schema.orders.c])
LOAD = Prepared(select(schema.orders).where(schema.orders.c.order_id == bindparam("order_id")))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World.create(f"sqlite:///{tmp_path / 'world.db'}")
    yield world
    world.close()


def _row(order_id: str) -> dict[str, object]:
    return {
        "order_id": order_id,
        "customer": None,
        "country": "France",
        "currency": "EUR",
        "total_minor": 448,
        "lines": LINES,
        "charge_id": None,
    }


def _stored(tx: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in tx.execute(select(schema.orders).order_by(schema.orders.c.order_id))]


def test_rows_are_those_that_sqlalchemy_writes_and_reads(world: World) -> None:
    with writing(world.engine) as tx:
        INSERT.run(tx, _row("1"))
        INSERT.run_many(tx, [_row("2"), _row("3")])
        INSERT.run_many(tx, [])
        tx.execute(insert(schema.orders), _row("4"))
    with reading(world.engine) as tx:
        stored = _stored(tx)
        read = [LOAD.first(tx, {"order_id": order_id}) for order_id in "1234"]
        nobody = LOAD.first(tx, {"order_id": "5"})

    assert [row[1:] for row in stored] == [tuple(_row("").values())[1:]] * 4
    assert [tuple(row) for row in read] == stored
    assert read[0].lines == LINES
    assert read[0].customer is None
    assert nobody is None


def test_values_of_the_statement_itself_count(world: World) -> None:
    orders = schema.orders.c
    move = Prepared(
        update(schema.orders).where(orders.order_id == bindparam("which")).values(country="Norway")
    )
    with writing(world.engine) as tx:
        INSERT.run_many(tx, [_row("1"), _row("2")])
        move.run(tx, {"which": "2"})

        assert [row[2] for row in _stored(tx)] == ["France", "Norway"]


@pytest.mark.parametrize("many", [False, True])
def test_taken_key_is_sqlalchemys_error_and_rolls_back(world: World, many: bool) -> None:
    with pytest.raises(IntegrityError, match="UNIQUE"), writing(world.engine) as tx:  # noqa: PT012
        INSERT.run(tx, _row("1"))
        if many:
            INSERT.run_many(tx, [_row("2"), _row("1")])
        else:
            INSERT.run(tx, _row("1"))
    with reading(world.engine) as tx:
        assert _stored(tx) == []


def test_statements_of_an_attempt_are_planned_once_and_use_the_partial_indexes(world: World) -> None:
    """A value that is bound to an index's own condition would make SQLite plan at every execution."""
    import sys

    statements = vars(sys.modules[perform.__module__])
    query = statements["_BEFORE_ATTEMPT"].compile(dialect=world.engine.dialect)
    with reading(world.engine) as tx:
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", ("x", "x", "x")).all()

    assert query.positiontup == ["key", "key", "workflow_id"]
    assert {"ledger_attempts", "ledger_effect_once"} <= {word for row in plan for word in str(row[3]).split()}


def test_list_that_expands_is_refused_at_once(world: World) -> None:
    """Its text is not finished when it is compiled, and SQLite would be blamed."""
    several = Prepared(select(schema.orders).where(schema.orders.c.order_id.in_(["1", "2"])))

    with reading(world.engine) as tx, pytest.raises(ValueError, match="cannot be prepared"):
        several.all(tx, {})
