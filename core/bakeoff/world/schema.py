"""Tables of the service database: four services, and the ledger that judges every engine."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.event import listen

metadata = MetaData()

#: SQLite counts rows only in a column of type INTEGER; PostgreSQL wants 64 bits.
_Counter = BigInteger().with_variant(Integer(), "sqlite")

#: Append-only. ``kind``: attempt (transaction A), effect, nothing (a compensation that had nothing to
#: undo) or tombstone (transaction B). ``ordinal`` counts attempts of one call in this database, whatever
#: the engine believes; ``attempt`` is the engine's own count. ``at`` is Unix seconds, for people only.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", _Counter, primary_key=True, autoincrement=True),
    Column("kind", String(12), nullable=False),
    Column("key", String, nullable=False),
    Column("workflow_id", String, nullable=False),
    Column("step", String, nullable=False),
    Column("direction", String(12), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("repeat", Boolean, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("result", JSON),
    sqlite_autoincrement=True,
)
# SQLite and PostgreSQL agree on these two; ``Index`` would load both of their dialects at every import.
for _index in (
    "UNIQUE INDEX ledger_effect_once ON ledger (key) WHERE kind <> 'attempt'",
    "INDEX ledger_attempts ON ledger (key) WHERE kind = 'attempt'",
):
    listen(ledger, "after_create", DDL(f"CREATE {_index}"))  # type: ignore[no-untyped-call]

#: What each saga's calls are to suffer, where a test says so; others follow the seeded profile.
fates = Table(
    "fates",
    metadata,
    Column("workflow_id", String, primary_key=True),
    Column("fates", JSON, nullable=False),
)

_POINT = ("workflow_id", "step", "direction", "point")

#: Points at which a fault is aimed (``points.py``): how often a process is to stop there, ...
armed_points = Table(
    "armed_points",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    *(Column(name, String, nullable=False) for name in _POINT),
    Column("times", Integer, nullable=False),
    Index("armed_points_of", *_POINT),
)

#: ... and the processes that stood there. ``at`` is Unix seconds, for people only.
reached_points = Table(
    "reached_points",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    *(Column(name, String, nullable=False) for name in _POINT),
    Column("pid", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("released", Boolean, nullable=False),
    Index("reached_points_of", *_POINT),
    sqlite_autoincrement=True,
)

#: Settings of this database: ``profile`` (of the fault plan), ``participants`` and
#: ``faults`` (whether processes look for armed points).
meta = Table(
    "meta", metadata, Column("name", String, primary_key=True), Column("value", JSON, nullable=False)
)

#: Processes that reported ready; ``role``: ``worker``, ``service`` behind a bridge, or ``scheduler``.
workers = Table(
    "workers",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("role", String(16), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("host", String, nullable=False),
    Column("at", Float, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", String, primary_key=True),
    Column("customer", String),
    Column("country", String),
    Column("currency", String(3), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("lines", JSON, nullable=False),
    Column("charge_id", String),
)

#: ``on_hand + reserved + shipped`` never changes (I1).
stock = Table(
    "stock",
    metadata,
    Column("sku", String, primary_key=True),
    Column("on_hand", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("shipped", BigInteger, nullable=False),
    CheckConstraint("on_hand >= 0 AND reserved >= 0 AND shipped >= 0", name="stock_not_negative"),
)

#: ``state``: authorised, captured, refunded, voided.
charges = Table(
    "charges",
    metadata,
    Column("charge_id", String, primary_key=True),
    Column("order_id", String, nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
)

#: ``state``: created, cancelled.
shipments = Table(
    "shipments",
    metadata,
    Column("shipment_id", String, primary_key=True),
    Column("order_id", String, nullable=False, index=True),
    Column("state", String(12), nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("order_id", String, nullable=False, index=True),
    Column("kind", String(24), nullable=False),
)

#: Of processes that are no order (``bakeoff.world.cases``).
cases = Table(
    "cases",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("case_id", String, primary_key=True),
    Column("state", String(24), nullable=False),
    Column("about", JSON),
)
