"""Statements of the hot path, compiled once and handed to SQLite as text.

SQLAlchemy's machinery around each execution costs three to ten times what SQLite does for a short statement,
and an order saga executes thirty of them. Elsewhere a round trip dwarfs that, so other databases are served
by SQLAlchemy as usual.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]
_Process = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement as SQLite takes it.

    Attributes:
        sql: With ``?`` for each value.
        binds: ``(name of the value, what it must go through)`` in the order of the ``?``.
        fixed: Values that the statement itself brings.
        row: What a row becomes; ``None`` for a statement that returns none.
        results: What each column must go through; empty if none of them has to.
    """

    sql: str
    binds: tuple[tuple[str, _Process], ...]
    fixed: Mapping[str, Any]
    row: Callable[..., Any] | None
    results: tuple[_Process, ...]

    def given(self, values: Values) -> list[Any]:
        """Return the values in the order of the ``?``, as the driver wants them."""
        if self.fixed:
            values = {**self.fixed, **values}
        return [values[name] if to is None else to(values[name]) for name, to in self.binds]


class Prepared:
    """A statement of SQLAlchemy, executed within a transaction of SQLAlchemy.

    Values bound to the condition of a partial index keep SQLite from planning once: write those literally.

    Args:
        statement: Without lists that expand (``in_``).
        columns: Of an insert: the names of its values.
    """

    def __init__(self, statement: Select[Any] | Insert | Update, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns)
        self._text: _Text | None = None

    def all(self, tx: Connection, values: Values) -> Sequence[Any]:
        """Return the rows, whose columns are attributes."""
        if tx.dialect.name != "sqlite":
            return tx.execute(self._statement, values).all()
        text = self._text or self._prepare(tx.dialect)
        rows = _execute(tx, text, values).fetchall()
        row = text.row
        assert row is not None
        if not text.results:
            return [row(*found) for found in rows]
        return [
            row(*(value if to is None else to(value) for to, value in zip(text.results, found, strict=True)))
            for found in rows
        ]

    def first(self, tx: Connection, values: Values) -> Any:
        """Return the first row; ``None`` if there is none."""
        rows = self.all(tx, values)
        return rows[0] if rows else None

    def run(self, tx: Connection, values: Values) -> None:
        """Execute it for its effect."""
        if tx.dialect.name != "sqlite":
            tx.execute(self._statement, values)
        else:
            _execute(tx, self._text or self._prepare(tx.dialect), values)

    def run_many(self, tx: Connection, values: Sequence[Values]) -> None:
        """Execute it once for each of the mappings, in order.

        Raises:
            sqlalchemy.exc.DBAPIError: As ``Connection.execute`` does: ``IntegrityError`` for a taken key.
        """
        if not values:
            return
        if tx.dialect.name != "sqlite":
            tx.execute(self._statement, list(values))
            return
        text = self._text or self._prepare(tx.dialect)
        try:
            _driver(tx).executemany(text.sql, [text.given(one) for one in values])
        except sqlite3.Error as error:
            raise _said(tx, text, error) from error

    def _prepare(self, dialect: Dialect) -> _Text:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns or None)
        assert isinstance(compiled, SQLCompiler)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise ValueError(f"a list that expands cannot be prepared: {compiled.string}")
        names = compiled.positiontup or []
        kinds = {name: compiled.binds[name].type.dialect_impl(dialect) for name in names}
        columns = self._statement.selected_columns if isinstance(self._statement, Select) else None
        results: tuple[_Process, ...] = ()
        if columns is not None:
            results = tuple(
                column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
            )
        self._text = _Text(
            sql=compiled.string,
            binds=tuple((name, kinds[name].bind_processor(dialect)) for name in names),
            fixed={name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required},
            row=None if columns is None else namedtuple("Row", [column.name for column in columns]),
            results=results if any(results) else (),
        )
        return self._text


def _execute(tx: Connection, text: _Text, values: Values) -> sqlite3.Cursor:
    try:
        return _driver(tx).execute(text.sql, text.given(values))
    except sqlite3.Error as error:
        raise _said(tx, text, error) from error


def _driver(tx: Connection) -> sqlite3.Connection:
    driver: Any = tx.connection.driver_connection
    return driver  # type: ignore[no-any-return]


def _said(tx: Connection, text: _Text, error: sqlite3.Error) -> BaseException:
    """The error as SQLAlchemy raises it."""
    return DBAPIError.instance(text.sql, None, error, sqlite3.Error, dialect=tx.dialect)
