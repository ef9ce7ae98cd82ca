"""The effect of one attempt, as its service makes it: what the fault plan asks for, and transaction B.

Transaction B checks the idempotency key, applies the effect and writes it into the ledger. No fault and no
crash point lies inside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, literal_column, select
from sqlalchemy.exc import IntegrityError

from bakeoff.errors import BusinessError, InjectedFault, StepFault, TombstoneError, UnserialisableError
from bakeoff.saga import JSON, Action, Call, idempotency_key
from bakeoff.world import schema
from bakeoff.world.database import writing
from bakeoff.world.points import Aim, Point, reach
from bakeoff.world.prepared import Prepared
from bakeoff.world.services import Services

_ledger = schema.ledger

#: Literally, as in the conditions of the partial indexes: SQLite plans anew at every execution otherwise.
ATTEMPT: ColumnElement[str] = literal_column("'attempt'")
_STORED = Prepared(
    select(_ledger.c.kind, _ledger.c.result).where(
        _ledger.c.key == bindparam("key"), _ledger.c.kind != ATTEMPT
    )
)
APPEND = Prepared(insert(_ledger), [column.name for column in _ledger.c if not column.primary_key])

#: A long sleep is cut into slices, because a thread can only be interrupted between them.
_SLICE_S = 0.02


class _AlreadyApplied(Exception):
    """The key is taken: ``args[0]`` is the stored result."""


def carry_out(
    services: Services, function: Action, call: Call, ordinal: int, word: str, *, armed: bool
) -> JSON:
    """Do what attempt number ``ordinal`` of a call asks for.

    Args:
        services: Database and rules.
        function: The action or compensation.
        call: Whose attempt is recorded already.
        ordinal: 1-based, as the service database counts.
        word: What the fault plan wants of this attempt (``bakeoff.world.fate``).
        armed: Whether points of this call are armed, so that they must be looked at.

    Raises:
        BusinessError: For a decline.
        Exception: Whatever the function raises is a fault.
    """
    kind, _, seconds = word.partition(":")
    if kind == "decline":
        raise BusinessError(f"{call.step} declined")
    if kind == "fault":
        raise InjectedFault(f"{call.step} failed")
    if kind == "slow":
        _sleep(float(seconds))
    if armed:
        reach_point(services, call, Point.BEFORE_EFFECT)
    result = _apply(services, function, call, ordinal, spoil=kind == "unserialisable")
    if armed:
        reach_point(services, call, Point.AFTER_EFFECT)
    if kind == "unknown":
        raise InjectedFault(f"{call.step}: no answer, the outcome is unknown")
    if kind == "late":
        _sleep(float(seconds))
    return result


def reach_point(services: Services, call: Call, point: Point) -> None:
    """Stop at a point of this call if it is armed."""
    reach(services.engine, call.workflow_id, Aim(call.step, call.direction, point))


def _apply(services: Services, function: Action, call: Call, ordinal: int, *, spoil: bool) -> JSON:
    """Transaction B, opened when the action first asks for it and closed after the ledger entry."""
    key = f"{call.key}#{ordinal}" if services.naive else call.key
    opened: list[Connection] = []

    with contextlib.ExitStack() as stack:

        def transaction() -> Connection:
            if not opened:
                opened.append(stack.enter_context(writing(services.engine)))
                _check_key(opened[0], key, call)
            return opened[0]

        call._open = transaction
        try:
            if call.direction == "compensation" and not _action_took_effect(
                transaction(), call, services.naive
            ):
                return _apply_nothing(transaction(), services, call, ordinal, key)
            result = function(call)
            tx = transaction()  # a taken key answers before a repeated result is judged
            _check_json(object() if spoil else result, call)
            APPEND.run(tx, entry(call, "effect", ordinal, key=key, result=result))
            return result
        except _AlreadyApplied as applied:
            return applied.args[0]
        except IntegrityError as error:
            # PostgreSQL lets two attempts of one key come this far; the second one lost.
            raise StepFault(f"{call.step}: a concurrent attempt was faster") from error
        finally:
            call._open = None


def _check_key(tx: Connection, key: str, call: Call) -> None:
    stored = _STORED.first(tx, {"key": key})
    if stored is None:
        return
    if stored.kind == "tombstone":
        raise TombstoneError(f"{call.step} was compensated before it ran")
    if call.direction == "action" and _was_undone(tx, call):
        # Whoever asks is a copy that comes too late, and must not go on as if the effect were there.
        raise TombstoneError(f"{call.step} was compensated after it ran")
    raise _AlreadyApplied(stored.result)


def _was_undone(tx: Connection, call: Call) -> bool:
    key = idempotency_key(call.workflow_id, call.step, "compensation")
    return _STORED.first(tx, {"key": key}) is not None


def _apply_nothing(tx: Connection, services: Services, call: Call, ordinal: int, key: str) -> JSON:
    """The action never had an effect: there is nothing to undo, and there must not be one later."""
    APPEND.run(tx, entry(call, "nothing", ordinal, key=key))
    if not services.naive:
        action_key = idempotency_key(call.workflow_id, call.step, "action")
        APPEND.run(tx, entry(call, "tombstone", ordinal, key=action_key, direction="action"))
    return None


def _action_took_effect(tx: Connection, call: Call, naive: bool) -> bool:
    own = idempotency_key(call.workflow_id, call.step, "action")
    if naive:
        query = select(func.count()).where(_ledger.c.kind == "effect", _ledger.c.key.startswith(f"{own}#"))
        return bool(tx.execute(query).scalar_one())
    stored = _STORED.first(tx, {"key": own})
    return stored is not None and stored.kind == "effect"


def _check_json(result: object, call: Call) -> None:
    try:
        json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UnserialisableError(f"{call.step} returned something that is not JSON: {error}") from error


def entry(
    call: Call,
    kind: str,
    ordinal: int,
    *,
    repeat: bool = False,
    key: str | None = None,
    direction: str | None = None,
    result: JSON = None,
) -> dict[str, Any]:
    """A row of the ledger about this call, written by this process now."""
    return {
        "kind": kind,
        "key": key or call.key,
        "workflow_id": call.workflow_id,
        "step": call.step,
        "direction": direction or call.direction,
        "ordinal": ordinal,
        "attempt": call.attempt,
        "repeat": repeat,
        "pid": os.getpid(),
        "at": time.time(),
        "result": result,
    }


def _sleep(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, _SLICE_S))
