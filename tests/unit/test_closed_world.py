"""An attempt that timed out in-process may outlive its world: its connection is closed all the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests.unit.clerk import make_world


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def test_connection_in_use_is_closed_when_it_comes_back(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with world.engine.connect() as late:
        raw = _raw(late)
        world.close()
        assert late.execute(text("select 1")).scalar_one() == 1

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("select 1")


def test_connection_opened_afterwards_does_not_stay_open(tmp_path: Path) -> None:
    """Several times: the pool opens a new one each time."""
    world = make_world(tmp_path)
    world.close()

    for _ in range(2):
        with world.engine.connect() as late:
            raw = _raw(late)
            assert late.execute(text("select 1")).scalar_one() == 1
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            raw.execute("select 1")
