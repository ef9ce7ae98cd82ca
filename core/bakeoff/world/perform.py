"""One attempt of one call, the same in every engine's worker.

Transaction A commits the attempt, so that neither a decline nor a crash erases it. Transaction B checks
the idempotency key, applies the effect and writes it into the ledger. No fault and no crash point lies
inside a transaction.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, func, insert, literal_column, select
from sqlalchemy.exc import IntegrityError

from bakeoff.errors import BusinessError, InjectedFault, StepFault, TombstoneError, UnserialisableError
from bakeoff.saga import JSON, Call, Saga, Step, idempotency_key
from bakeoff.world import schema
from bakeoff.world.database import writing
from bakeoff.world.fate import Fate, Profile, behaviour
from bakeoff.world.points import Aim, Point, reach
from bakeoff.world.prepared import Prepared

_ledger = schema.ledger

#: Literally, as in the conditions of the partial indexes: SQLite plans anew at every execution otherwise.
_ATTEMPT: ColumnElement[str] = literal_column("'attempt'")
_BEFORE_ATTEMPT = select(
    select(func.count())
    .where(_ledger.c.key == bindparam("key"), _ledger.c.kind == _ATTEMPT)
    .scalar_subquery()
    .label("attempts"),
    select(func.count())
    .where(_ledger.c.key == bindparam("key"), _ledger.c.kind != _ATTEMPT)
    .scalar_subquery()
    .label("effects"),
    select(schema.fates.c.fates)
    .where(schema.fates.c.workflow_id == bindparam("workflow_id"))
    .scalar_subquery()
    .label("fates"),
)
_armed = schema.armed_points.c
#: One look for all points of a call, in the query that is made anyway: where none is armed it costs nothing
#: that could be measured.
_BEFORE_ATTEMPT_UNDER_FAULTS = Prepared(
    _BEFORE_ATTEMPT.add_columns(
        select(func.count())
        .where(
            _armed.workflow_id == bindparam("workflow_id"),
            _armed.step == bindparam("step"),
            _armed.direction == bindparam("direction"),
        )
        .scalar_subquery()
        .label("armed")
    )
)
_BEFORE_ATTEMPT_WITHOUT_FAULTS = Prepared(_BEFORE_ATTEMPT)
_STORED = Prepared(
    select(_ledger.c.kind, _ledger.c.result).where(
        _ledger.c.key == bindparam("key"), _ledger.c.kind != _ATTEMPT
    )
)
_APPEND = Prepared(insert(_ledger), [column.name for column in _ledger.c if not column.primary_key])

#: A long sleep is cut into slices, because a thread can only be interrupted between them.
_SLICE_S = 0.02


class _AlreadyApplied(Exception):
    """The key is taken: ``args[0]`` is the stored result."""


@dataclass(frozen=True, slots=True)
class Services:
    """The database of the services and the rules of this world.

    Attributes:
        engine: Database.
        profile: Of the fault plan, for sagas without a written fate.
        naive: ``True`` switches the idempotency key off (``--participants naive``).
        faults: Whether points may be armed.
    """

    engine: Engine
    profile: Profile
    naive: bool = False
    faults: bool = False


def perform(services: Services, saga: Saga, call: Call) -> JSON:
    """Run one attempt of ``call`` and return its JSON result.

    Raises:
        BusinessError: For a decline before or at the pivot: never to be retried.
        StepFault: For anything else; after the pivot a decline is one as well.
    """
    step = saga.step(call.step)
    try:
        if not step.recorded:
            return _function(step, call)(call)
        return _recorded(services, saga, step, call)
    except BusinessError as error:
        if call.direction == "action" and saga.after_pivot(step.name):
            raise StepFault(f"declined after the pivot: {error}") from error
        if call.direction == "compensation":
            raise StepFault(f"compensation declined: {error}") from error
        raise


def _recorded(services: Services, saga: Saga, step: Step, call: Call) -> JSON:
    noted = _record_attempt(services, saga, step, call, look=services.faults)
    if armed := noted is None:
        _reach(services, call, Point.BETWEEN_STEPS)
        noted = _record_attempt(services, saga, step, call, look=False)
    assert noted is not None
    word, ordinal, done = noted
    if done:
        return None
    kind, _, seconds = word.partition(":")
    if kind == "decline":
        raise BusinessError(f"{call.step} declined")
    if kind == "fault":
        raise InjectedFault(f"{call.step} failed")
    if kind == "slow":
        _sleep(float(seconds))
    if armed:
        _reach(services, call, Point.BEFORE_EFFECT)
    result = _apply(services, step, call, ordinal, spoil=kind == "unserialisable")
    if armed:
        _reach(services, call, Point.AFTER_EFFECT)
    if kind == "unknown":
        raise InjectedFault(f"{call.step}: no answer, the outcome is unknown")
    if kind == "late":
        _sleep(float(seconds))
    return result


def _reach(services: Services, call: Call, point: Point) -> None:
    reach(services.engine, call.workflow_id, Aim(call.step, call.direction, point))


def _record_attempt(
    services: Services, saga: Saga, step: Step, call: Call, *, look: bool
) -> tuple[str, int, bool] | None:
    """Transaction A, left without a trace if ``look`` finds that a point of this call is armed.

    Returns:
        The behaviour that this attempt is to show, its ordinal, and whether the effect of a step that is
        recorded ``"once"`` is in the ledger already; ``None`` if the caller has to look at the points first.
    """
    query = _BEFORE_ATTEMPT_UNDER_FAULTS if look else _BEFORE_ATTEMPT_WITHOUT_FAULTS
    names = {"key": call.key, "workflow_id": call.workflow_id, "step": call.step, "direction": call.direction}
    with writing(services.engine) as tx:
        before = query.first(tx, names)
        if look and before.armed:
            return None
        ordinal = before.attempts + 1
        word = behaviour(_fate(services, step, call, before.fates), ordinal)
        done = step.recorded == "once" and word == "ok" and call.direction == "action" and not before.effects
        entries = [_entry(call, "attempt", ordinal, repeat=before.effects > 0)]
        _APPEND.run_many(tx, [*entries, _entry(call, "effect", ordinal)] if done else entries)
    return word, ordinal, done


def _fate(services: Services, step: Step, call: Call, written: dict[str, Fate] | None) -> Fate | None:
    """What is written down for this saga counts; the profile draws for the others."""
    if written is not None:
        return written.get(f"{call.step}:{call.direction}")
    if call.direction == "action":
        return services.profile.fate(call.workflow_id, call.step, step.timeout.total_seconds())
    return None


def _apply(services: Services, step: Step, call: Call, ordinal: int, *, spoil: bool) -> JSON:
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
            result = _function(step, call)(call)
            tx = transaction()  # a taken key answers before a repeated result is judged
            _check_json(object() if spoil else result, call)
            _APPEND.run(tx, _entry(call, "effect", ordinal, key=key, result=result))
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
    if stored is not None and stored.kind == "tombstone":
        raise TombstoneError(f"{call.step} was compensated before it ran")
    if stored is not None:
        raise _AlreadyApplied(stored.result)


def _apply_nothing(tx: Connection, services: Services, call: Call, ordinal: int, key: str) -> JSON:
    """The action never had an effect: there is nothing to undo, and there must not be one later."""
    _APPEND.run(tx, _entry(call, "nothing", ordinal, key=key))
    if not services.naive:
        action_key = idempotency_key(call.workflow_id, call.step, "action")
        _APPEND.run(tx, _entry(call, "tombstone", ordinal, key=action_key, direction="action"))
    return None


def _action_took_effect(tx: Connection, call: Call, naive: bool) -> bool:
    own = idempotency_key(call.workflow_id, call.step, "action")
    if naive:
        query = select(func.count()).where(_ledger.c.kind == "effect", _ledger.c.key.startswith(f"{own}#"))
        return bool(tx.execute(query).scalar_one())
    stored = _STORED.first(tx, {"key": own})
    return stored is not None and stored.kind == "effect"


def _function(step: Step, call: Call) -> Callable[[Call], JSON]:
    if call.direction == "action":
        return step.action
    if step.compensation is None:
        raise StepFault(f"{step.name} has no compensation")
    return step.compensation


def _check_json(result: object, call: Call) -> None:
    try:
        json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UnserialisableError(f"{call.step} returned something that is not JSON: {error}") from error


def _entry(
    call: Call,
    kind: str,
    ordinal: int,
    *,
    repeat: bool = False,
    key: str | None = None,
    direction: str | None = None,
    result: JSON = None,
) -> dict[str, Any]:
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
