"""The tables of the saga log. ``calls`` is its outbox, too."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, Table, Text, bindparam

metadata = MetaData()

#: One row per saga. ``version`` is compared and incremented by every change of the saga.
sagas = Table(
    "sagas",
    metadata,
    Column("id", Text, primary_key=True),
    Column("saga", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("status", Text, nullable=False),
    Column("cause", Text),
    Column("cancelled", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("sagas_by_age", "started_at"),
)

#: One row per action, compensation, wait and timer that has begun. From ``look_at`` on its message may be
#: lost, or its attempt dead, and the sweeper publishes it again; ``rings`` counts those publications.
calls = Table(
    "calls",
    metadata,
    Column("saga_id", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("direction", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("due", Float),
    Column("lease", Float),
    Column("look_at", Float),
    Column("rings", Integer, nullable=False),
    Column("doubtful", Boolean, nullable=False),
    Column("result", Text),
    Column("error", Text),
    Index("calls_to_look_at", "look_at"),
)

#: Conditions that pick one row of ``calls``; ``the_call`` gives their values.
THE_CALL = tuple(calls.c[name] == bindparam(f"the_{name}") for name in ("saga_id", "step", "direction"))


def the_call(workflow_id: str, step: str, direction: str) -> dict[str, str]:
    """Values for ``THE_CALL``."""
    return {"the_saga_id": workflow_id, "the_step": step, "the_direction": direction}


#: One row per signal that was accepted: each wait takes one.
signals = Table(
    "signals",
    metadata,
    Column("saga_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("signal_id", Text, nullable=False),
    Column("payload", Text, nullable=False),
)

#: The trace context that a saga was started with; written only where spans are exported.
traces = Table(
    "traces",
    metadata,
    Column("saga_id", Text, primary_key=True),
    Column("headers", Text, nullable=False),
)

#: The event history, append-only.
events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("saga_id", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("events_by_saga", "saga_id", "id"),
)
