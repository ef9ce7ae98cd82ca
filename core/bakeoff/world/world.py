"""The World: the services' database of one engine in one run, as the harness sees it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sqlalchemy import Engine, delete, event, func, insert, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry

from bakeoff.credentials import hide_credentials, without_credentials
from bakeoff.errors import UsageError
from bakeoff.world import schema
from bakeoff.world.database import open_database, reading
from bakeoff.world.fate import Fate, Profile
from bakeoff.world.ledger import Record, read_ledger
from bakeoff.world.services import Services

Participants = Literal["idempotent", "naive"]
Role = Literal["worker", "service", "scheduler"]


class HasRow(Protocol):
    """Something that knows its row of the table ``orders`` (``bakeoff.orders.model.Order``)."""

    def to_row(self) -> dict[str, Any]:
        """``{column: value}``."""


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker process that reported ready."""

    pid: int
    host: str
    at: float


@dataclass(frozen=True, slots=True)
class Totals:
    """Conservation numbers over the whole database (I1); money in minor units."""

    on_hand: int
    reserved: int
    shipped: int
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    confirmations: int


class World:
    """A handle on the database; cheap, one per process."""

    def __init__(
        self, engine: Engine, profile: Profile, participants: Participants, faults: bool = False
    ) -> None:
        self.engine = engine
        self.profile = profile
        self.participants = participants
        self.faults = faults

    @classmethod
    def create(
        cls,
        url: str,
        *,
        profile: Profile | None = None,
        participants: Participants = "idempotent",
        faults: bool = False,
    ) -> World:
        """Make the tables in an empty database and write down its rules; ``faults``: points may be armed.

        Raises:
            UsageError: If the database cannot be reached or already holds a world.
        """
        profile = profile or Profile()
        with _database(url, "cannot use the database") as engine:
            with engine.begin() as tx:
                schema.metadata.create_all(tx, checkfirst=True)
                if tx.execute(select(func.count()).select_from(schema.meta)).scalar_one():
                    raise UsageError(f"{_shown(engine)} already holds a ledger; give an empty database")
                tx.execute(
                    insert(schema.meta),
                    [
                        {"name": "profile", "value": profile.to_json()},
                        {"name": "participants", "value": participants},
                        {"name": "faults", "value": faults},
                    ],
                )
            return cls(engine, profile, participants, faults)

    @classmethod
    def open(cls, url: str) -> World:
        """Open a database that ``create`` made.

        Raises:
            UsageError: If there is none.
        """
        with _database(url, "there is no ledger of bakeoff in") as engine:
            file = engine.url.database if engine.url.get_backend_name() == "sqlite" else None
            if file is not None and not os.path.exists(file):  # noqa: PTH110 - a string from a URL
                raise UsageError(f"there is no ledger in {file}")
            with reading(engine) as connection:
                meta: dict[str, Any] = {
                    row.name: row.value for row in connection.execute(select(schema.meta))
                }
            if not meta:
                raise UsageError(f"{_shown(engine)} holds no ledger of bakeoff")
            return cls(engine, Profile(**meta["profile"]), meta["participants"], meta.get("faults", False))

    def services(self) -> Services:
        """What ``perform`` needs."""
        return Services(self.engine, self.profile, self.participants == "naive", self.faults)

    def close(self) -> None:
        """Close all connections; that of an attempt which still runs (timed out in-process) when it ends."""
        event.listen(self.engine, "checkin", _close_returned)
        self.engine.dispose()

    def add_orders(self, orders: Iterable[HasRow]) -> None:
        """Insert orders; their ids must be new."""
        rows = [order.to_row() for order in orders]
        if rows:
            with self.engine.begin() as tx:
                tx.execute(insert(schema.orders), rows)

    def set_stock(self, units: Mapping[str, int]) -> None:
        """Put ``{stock code: units on hand}`` on the shelves, replacing what these codes had."""
        rows = [
            {"sku": sku, "on_hand": count, "reserved": 0, "shipped": 0}
            for sku, count in sorted(units.items())
        ]
        if rows:
            with self.engine.begin() as tx:
                tx.execute(delete(schema.stock).where(schema.stock.c.sku.in_(units)))
                tx.execute(insert(schema.stock), rows)

    def set_fate(self, workflow_id: str, fates: Mapping[str, Fate]) -> None:
        """Write down what a saga is to suffer: ``{"step:direction": fate}``; the profile then spares it."""
        with self.engine.begin() as tx:
            tx.execute(delete(schema.fates).where(schema.fates.c.workflow_id == workflow_id))
            tx.execute(insert(schema.fates), {"workflow_id": workflow_id, "fates": dict(fates)})

    def ledger(self, *, after: int = 0, workflow_id: str | None = None) -> Sequence[Record]:
        """Records with ``seq > after``, of one saga or of all, in order."""
        return read_ledger(self.engine, after=after, workflow_id=workflow_id)

    def ledger_end(self) -> int:
        """Sequence number of the last record; 0 of an empty ledger."""
        with reading(self.engine) as connection:
            return connection.execute(select(func.max(schema.ledger.c.seq))).scalar_one() or 0

    def announce_worker(self, role: Role = "worker") -> None:
        """Report this process as a worker (a service, a scheduler) that is ready to take work."""
        with self.engine.begin() as tx:
            row = {"role": role, "pid": os.getpid(), "host": socket.gethostname(), "at": time.time()}
            tx.execute(insert(schema.workers), row)

    def workers(self, role: Role = "worker") -> Sequence[WorkerSeen]:
        """All workers (services, schedulers) that ever reported ready, oldest first."""
        columns = schema.workers.c
        query = select(columns.pid, columns.host, columns.at).order_by(columns.id).where(columns.role == role)
        with reading(self.engine) as connection:
            return [WorkerSeen(*row) for row in connection.execute(query)]

    def totals(self) -> Totals:
        """Sums over stock, charges and messages."""
        stock, charges = schema.stock.c, schema.charges.c

        def money(state: str) -> Any:
            amount = func.coalesce(func.sum(charges.amount_minor), 0)
            return select(amount).where(charges.state == state).scalar_subquery()

        def units(column: Any) -> Any:
            return select(func.coalesce(func.sum(column), 0)).scalar_subquery()

        query = select(
            units(stock.on_hand),
            units(stock.reserved),
            units(stock.shipped),
            money("authorised"),
            money("captured"),
            money("refunded"),
            select(func.count()).select_from(schema.messages).scalar_subquery(),
        )
        with reading(self.engine) as connection:
            return Totals(*(int(value) for value in connection.execute(query).one()))


@contextmanager
def _database(url: str, problem: str) -> Iterator[Engine]:
    """An engine that is closed again if anything goes wrong; the database's refusals become the user's."""
    engine = open_database(url)
    try:
        yield engine
    except DatabaseError as error:
        engine.dispose()
        reason = without_credentials(str(error.orig), url)
        raise UsageError(f"{problem} {_shown(engine)}: {reason}") from error
    except BaseException:
        engine.dispose()
        raise


def _close_returned(_: object, record: ConnectionPoolEntry) -> None:
    """Nobody takes a connection out of the pool of a closed world again."""
    record.invalidate()


def _shown(engine: Engine) -> str:
    url = engine.url.set(drivername=engine.url.get_backend_name())
    return hide_credentials(url.render_as_string(hide_password=False))
