"""The evidence of one engine's part of a run in batches of sagas, so that its length does not matter.

Plan, ledger and history lie in three different orders. Which batch each line belongs to is written into
temporary tables beside the ledger, which SQLite keeps in a file of its own; every batch then reads its lines.
A last batch holds what belongs to no planned saga, and the books that only the whole run can be held to.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, String, column, select, table, type_coerce

from bakeoff.checkers import Books, Evidence, Planned, choose_alternative
from bakeoff.checkers.books import books_of_orders, charges_of_strangers, read_stock, rows_per_order
from bakeoff.history import Operation, stream_history
from bakeoff.world import Record, World, schema
from bakeoff.world.database import reading
from bakeoff_bench.run import stored

Item = TypeVar("Item")

#: As ``json.loads``, which asks for options every time.
_decode = json.JSONDecoder().decode
#: Sagas of one batch: large enough that the queries do not count, small enough for tens of megabytes.
SAGAS = 2000

_TABLES = (
    "CREATE TEMP TABLE saga_batch (workflow_id TEXT PRIMARY KEY, order_id TEXT, batch INTEGER) WITHOUT ROWID",
    "CREATE TEMP TABLE record_batch (batch INTEGER, seq INTEGER, PRIMARY KEY (batch, seq)) WITHOUT ROWID",
    """CREATE TEMP TABLE operation (batch INTEGER, number INTEGER, name, workflow_id, invoked_at_s,
        completed_at_s, completion, value, error, PRIMARY KEY (batch, number)) WITHOUT ROWID""",
)
_SAGAS = table("saga_batch", column("order_id"), column("batch"))
_RECORDS = table("record_batch", column("seq"), column("batch"))
_ADD_SAGA = """INSERT INTO saga_batch
    SELECT json_extract(?1, '$.workflow_id'), json_extract(?1, '$.order_id'), ?2"""
_INDEX_ORDERS = "CREATE INDEX temp.order_batch ON saga_batch (batch, order_id)"
_ADD_RECORDS = """INSERT INTO record_batch
    SELECT coalesce(batch, ?), seq FROM ledger LEFT JOIN saga_batch USING (workflow_id)"""
_ADD_OPERATION = """INSERT INTO operation
    SELECT coalesce((SELECT batch FROM saga_batch WHERE workflow_id = ?3), ?9),
        ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8"""
#: Results as text: most records have none, and SQLAlchemy would decode each of those ``null``s.
_LEDGER = select(
    *(one for one in schema.ledger.c if one.name != "result"), type_coerce(schema.ledger.c.result, String)
)
_OPERATIONS_OF = """SELECT name, workflow_id, invoked_at_s, completed_at_s, completion, value, error
    FROM operation WHERE batch = ? ORDER BY number"""


def batches(part: Path, common: Evidence, stock: Mapping[str, int], sagas: int = SAGAS) -> Iterator[Evidence]:
    """Evidence on ``sagas`` planned sagas at a time, and at last on everything else.

    Args:
        part: Folder of one engine in a run folder.
        common: What is known without plan, ledger, history and books.
        stock: ``{stock code: units}`` at the start.
        sagas: How many are held in memory at once.

    Raises:
        UsageError: If a file is missing or broken.
    """
    with stored.reading(part / "world.db"):
        world = World.open(f"sqlite:///{part / 'world.db'}")
    try:
        with reading(world.engine) as connection:
            last = _sort(connection, part, sagas)
            for number, planned in enumerate(_plans(part / "plan.jsonl", sagas)):
                with stored.reading(part / "world.db"):
                    own = select(_SAGAS.c.order_id).where(_SAGAS.c.batch == number)
                    books = books_of_orders(connection, own)
                batch = _read(connection, part, number, replace(common, counts={}, books=books, more=True))
                with stored.reading(part / "plan.jsonl"):
                    records = batch.by_saga()
                    planned = {
                        workflow_id: choose_alternative(plan, records.get(workflow_id, ()))
                        for workflow_id, plan in planned.items()
                    }
                yield replace(batch, planned=planned)
            with stored.reading(part / "world.db"):
                books = _books_of_all(connection, stock)
            yield _read(connection, part, last, replace(common, books=books))
    finally:
        world.close()


def _sort(connection: Connection, part: Path, sagas: int) -> int:
    """Note the batch of everything; return the number of the last one."""
    for create in _TABLES:
        connection.exec_driver_sql(create)
    last = 0
    with stored.reading(part / "plan.jsonl"):
        for plans in _chunks(_lines(part / "plan.jsonl"), sagas):
            rows = [(plan, last) for plan in plans]
            connection.exec_driver_sql(_ADD_SAGA, rows)
            last += 1
        connection.exec_driver_sql(_INDEX_ORDERS)
    with stored.reading(part / "world.db"):
        connection.exec_driver_sql(_ADD_RECORDS, (last,))
    with stored.reading(part / "history.jsonl"):
        for operations in _chunks(stream_history(part / "history.jsonl"), sagas):
            connection.exec_driver_sql(
                _ADD_OPERATION, [_row(number, one, last) for number, one in operations]
            )
    return last


def _row(number: int, one: Operation, last: int) -> tuple[Any, ...]:
    value = None if one.value is None else marshal.dumps(one.value)  # this process reads it again
    times = (one.invoked_at_s, one.completed_at_s)
    return (number, one.name, one.workflow_id, *times, one.completion, value, one.error, last)


def _read(connection: Connection, part: Path, batch: int, known: Evidence) -> Evidence:
    """Add records and operations to what is known of a batch."""
    with stored.reading(part / "world.db"):
        own = select(_RECORDS.c.seq).where(_RECORDS.c.batch == batch)
        query = _LEDGER.where(schema.ledger.c.seq.in_(own)).order_by(schema.ledger.c.seq)
        ledger = [Record(*(*row[:-1], _json(row[-1]))) for row in connection.execute(query).all()]
    operations = [
        Operation(
            name=name,
            workflow_id=workflow_id,
            invoked_at_s=invoked_at_s,
            completed_at_s=completed_at_s,
            completion=completion,
            value=None if value is None else marshal.loads(value),
            error=error,
        )
        for (
            name,
            workflow_id,
            invoked_at_s,
            completed_at_s,
            completion,
            value,
            error,
        ) in connection.exec_driver_sql(_OPERATIONS_OF, (batch,)).all()
    ]
    evidence = replace(known, ledger=ledger, operations=operations)
    with stored.reading(part / "history.jsonl"):
        evidence.words()
    return evidence


def _books_of_all(connection: Connection, stock: Mapping[str, int]) -> Books:
    """Stock, and what stands in the books more than once; a saga's own charges are in its batch."""
    shelves = read_stock(connection)
    return Books(
        stocked={**dict.fromkeys(shelves, 0), **stock},
        stock=shelves,
        strangers=charges_of_strangers(
            connection, select(_SAGAS.c.order_id).where(_SAGAS.c.order_id.is_not(None))
        ),
        charge_counts=rows_per_order(connection, schema.charges, at_least=2),
        shipment_counts=rows_per_order(connection, schema.shipments, at_least=2),
        message_counts=rows_per_order(connection, schema.messages, at_least=2),
    )


def _plans(file: Path, sagas: int) -> Iterator[dict[str, Planned]]:
    chunks = _chunks(map(_decode, _lines(file)), sagas)
    while True:
        with stored.reading(file):
            planned = {plan.workflow_id: plan for plan in map(Planned.from_json, next(chunks, []))}
        if not planned:
            return
        yield planned


def _lines(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        yield from lines


def _json(stored_text: str | None) -> Any:
    return None if stored_text is None or stored_text == "null" else _decode(stored_text)


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while chunk := list(islice(items, size)):
        yield chunk
