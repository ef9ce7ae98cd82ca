"""The evidence of one engine's part of a run in batches of sagas, so that its length does not matter.

Plan, ledger and history lie in three different orders. Which batch each line belongs to is written into a
file that is attached to the ledger's; every batch then reads its lines, in whatever process. A rest holds
what belongs to no planned saga, and the books that only the whole run can be held to.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, String, column, event, select, table, type_coerce

from bakeoff.checkers import Books, Evidence, Planned, Totals, choose_alternative
from bakeoff.checkers.books import books_of_orders, charges_of_strangers, read_stock, rows_per_order
from bakeoff.history import Operation, breaks_off, stream_history
from bakeoff.processes import scratch_folder
from bakeoff.world import Record, World, schema
from bakeoff.world.database import file_url, open_database, reading
from bakeoff_bench.run import stored
from bakeoff_bench.run.ledger_file import readable

Item = TypeVar("Item")

#: As ``json.loads``, which asks for options every time.
_decode = json.JSONDecoder().decode
#: Sagas of one batch: large enough that the queries do not count, small enough for tens of megabytes.
SAGAS = 2000

#: They lie in a file of their own, so that several processes can read them.
_TABLES = (
    """CREATE TABLE sorted.saga_batch (workflow_id TEXT PRIMARY KEY, order_id TEXT, batch INTEGER,
        number INTEGER, plan TEXT) WITHOUT ROWID""",
    "CREATE TABLE sorted.record_batch (batch INTEGER, seq INTEGER, PRIMARY KEY (batch, seq)) WITHOUT ROWID",
    """CREATE TABLE sorted.operation (batch INTEGER, number INTEGER, name, workflow_id, invoked_at_s,
        completed_at_s, completion, value, error, PRIMARY KEY (batch, number)) WITHOUT ROWID""",
)
_SAGAS = table("saga_batch", column("order_id"), column("batch"), schema="sorted")
_RECORDS = table("record_batch", column("seq"), column("batch"), schema="sorted")
_ADD_SAGA = """INSERT INTO saga_batch
    SELECT json_extract(?1, '$.workflow_id'), json_extract(?1, '$.order_id'), ?2, ?3, ?1"""
_INDEX_BATCHES = "CREATE INDEX sorted.order_batch ON saga_batch (batch, number, order_id)"
_PLANS_OF = "SELECT plan FROM saga_batch WHERE batch = ? ORDER BY number"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """One engine's part of a run, to be judged batch by batch.

    Attributes:
        part: Folder of one engine in a run folder.
        common: What is known without plan, ledger, history and books.
        stock: ``{stock code: units}`` at the start.
        ended: Whether the run ended in order; then its history cannot break off.
        sagas: How many are held in memory at once.
    """

    part: Path
    common: Evidence
    stock: Mapping[str, int]
    ended: bool = False
    sagas: int = SAGAS

    @contextmanager
    def sorted(self) -> Iterator[Sorted]:
        """Sort the part; what is needed for that is gone with the context.

        Raises:
            UsageError: If a file is missing or broken.
        """
        with scratch_folder("judge") as folder, readable(self.part / "world.db") as ledger:
            with stored.reading(self.part / "world.db"):
                World.open(file_url(ledger)).close()
            index = folder / "sorted.db"
            with _connected(ledger, index) as connection:
                count = _sort(connection, self)
            yield Sorted(batches=self, ledger=ledger, index=index, count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The same, sorted: any batch of it can be read, in any process.

    Attributes:
        batches: What was sorted.
        ledger: Its database.
        index: The file that knows which line belongs to which batch.
        count: Batches; what belongs to none of them is the rest.
    """

    batches: Batches
    ledger: Path
    index: Path
    count: int

    def read(self, numbers: Iterable[int]) -> Iterator[Evidence]:
        """The evidence of these batches, one after the other.

        Raises:
            UsageError: If a file is broken.
        """
        part, common = self.batches.part, self.batches.common
        with _connected(self.ledger, self.index) as connection:
            for number in numbers:
                with stored.reading(part / "world.db"):
                    own = select(_SAGAS.c.order_id).where(_SAGAS.c.batch == number)
                    books = books_of_orders(connection, own)
                batch = _read(connection, part, number, replace(common, counts={}, books=books, more=True))
                with stored.reading(part / "plan.jsonl"):
                    records, texts = batch.by_saga(), connection.exec_driver_sql(_PLANS_OF, (number,)).all()
                    plans = [Planned.from_json(_decode(text)) for (text,) in texts]
                    planned = {
                        plan.workflow_id: choose_alternative(plan, records.get(plan.workflow_id, ()))
                        for plan in plans
                    }
                yield replace(batch, planned=planned)

    def rest(self, before: Totals) -> Evidence:
        """What belongs to no planned saga, and the books that only the whole run can be held to.

        Args:
            before: The sums over all batches.
        """
        part, common = self.batches.part, self.batches.common
        with _connected(self.ledger, self.index) as connection:
            with stored.reading(part / "world.db"):
                books = _books_of_all(connection, self.batches.stock)
            return _read(connection, part, self.count, replace(common, books=books, before=before))


@contextmanager
def _connected(ledger: Path, index: Path) -> Iterator[Connection]:
    """The services' database with the sorted tables beside it."""
    engine = open_database(file_url(ledger))

    @event.listens_for(engine, "connect")
    def attach(connection: Any, _record: object) -> None:
        connection.execute("ATTACH DATABASE ? AS sorted", (str(index),))

    try:
        with reading(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _sort(connection: Connection, batches: Batches) -> int:
    """Note the batch of everything; return the number of batches, which is that of the rest."""
    part, sagas = batches.part, batches.sagas
    for create in _TABLES:
        connection.exec_driver_sql(create)
    last = 0
    with stored.reading(part / "plan.jsonl"):
        for plans in _chunks(_lines(part / "plan.jsonl"), sagas):
            rows = [(plan, last, number) for number, plan in enumerate(plans)]
            connection.exec_driver_sql(_ADD_SAGA, rows)
            last += 1
        connection.exec_driver_sql(_INDEX_BATCHES)
    with stored.reading(part / "world.db"):
        connection.exec_driver_sql(_ADD_RECORDS, (last,))
    _add_history(connection, part / "history.jsonl", batches, last)
    return last


def _add_history(connection: Connection, file: Path, batches: Batches, last: int) -> None:
    with stored.reading(file):
        without_end = 0
        for operations in _chunks(stream_history(file), batches.sagas):
            without_end += sum(one.completed_at_s is None for _, one in operations)
            connection.exec_driver_sql(
                _ADD_OPERATION, [_row(number, one, last) for number, one in operations]
            )
        if batches.ended and (without_end or breaks_off(file)):
            raise ValueError("it breaks off, but the run ended in order; copy the folder again")


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


def _lines(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        yield from lines


def _json(stored_text: str | None) -> Any:
    return None if stored_text is None or stored_text == "null" else _decode(stored_text)


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while chunk := list(islice(items, size)):
        yield chunk
