"""Engines of SQLAlchemy as the services need them: short write transactions, many processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bakeoff.credentials import hide_credentials
from bakeoff.errors import UsageError

#: Seconds that a SQLite writer waits for another one.
LOCK_PATIENCE_S = 30

_READ_ONLY = "bakeoff_read"


def file_url(file: Path) -> str:
    """URL of a SQLite file, whatever characters its path has; relative to where it will be opened."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def open_database(url: str) -> Engine:
    """Return an engine for ``sqlite:///FILE`` or ``postgresql://...``.

    SQLite runs in WAL mode with ``synchronous=NORMAL``: a commit survives the kill of every process
    (durability tier D1), not a power cut. Write transactions begin IMMEDIATE, because a lock that is
    upgraded in the middle fails instead of waiting.

    Raises:
        UsageError: If the URL names another database or its driver is missing.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError(
            f"{hide_credentials(url)!r} is no database URL; give sqlite:///FILE or postgresql://..."
        ) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        try:
            return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=8, max_overflow=64)
        except ModuleNotFoundError:
            raise UsageError(
                'PostgreSQL needs the extra "postgres": pip install "bakeoff[postgres]"'
            ) from None
    if backend != "sqlite":
        raise UsageError(f"a {backend} database is not supported; give sqlite:///FILE or postgresql://...")
    if parsed.database in (None, "", ":memory:"):
        raise UsageError(f"{url!r} is in memory, where no other process sees it; give sqlite:///FILE")
    if parsed.query or parsed.drivername != "sqlite":
        raise UsageError(
            f"{hide_credentials(url)!r}: of SQLite the file is all that can be chosen; give sqlite:///FILE"
        )
    engine = create_engine(parsed, pool_size=8, max_overflow=64, connect_args={"timeout": LOCK_PATIENCE_S})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        # Past SQLAlchemy's statement machinery: it would be a tenth of the price of a short transaction.
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


#: SQLite lets one writer in and makes the others sleep and try again; threads of one process had better
#: queue here. Other processes still meet SQLite's own lock.
_write_lock = threading.Lock()


def _fresh_lock() -> None:
    """A fork may copy the lock while another thread of the parent holds it."""
    global _write_lock
    _write_lock = threading.Lock()


os.register_at_fork(after_in_child=_fresh_lock)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A write transaction: committed at the end, rolled back on any exception."""
    turn = _write_lock if engine.url.get_backend_name() == "sqlite" else nullcontext()
    with turn, engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A consistent snapshot that holds no write lock."""
    with engine.connect() as connection:
        reader = connection.execution_options(**{_READ_ONLY: True})
        with reader.begin():
            yield reader
