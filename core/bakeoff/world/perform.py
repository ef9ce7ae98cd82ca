"""One attempt of one call, the same in every engine's worker.

Transaction A commits the attempt, so that neither a decline nor a crash erases it. The effect is made by
``bakeoff.world.effect``, in this process or, over a bridge, in a service's.
"""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from bakeoff.errors import BusinessError, StepFault
from bakeoff.saga import JSON, Action, Call, Saga, Step
from bakeoff.world import schema
from bakeoff.world.database import writing
from bakeoff.world.effect import APPEND, ATTEMPT, carry_out, entry, reach_point
from bakeoff.world.fate import Fate, behaviour
from bakeoff.world.points import Point
from bakeoff.world.prepared import Prepared
from bakeoff.world.services import Services

_ledger = schema.ledger

_BEFORE_ATTEMPT = select(
    select(func.count())
    .where(_ledger.c.key == bindparam("key"), _ledger.c.kind == ATTEMPT)
    .scalar_subquery()
    .label("attempts"),
    select(func.count())
    .where(_ledger.c.key == bindparam("key"), _ledger.c.kind != ATTEMPT)
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
        reach_point(services, call, Point.BETWEEN_STEPS)
        noted = _record_attempt(services, saga, step, call, look=False)
    assert noted is not None
    word, ordinal, done = noted
    if done:
        return None
    function = _function(step, call)
    if services.remote is None:
        return carry_out(services, function, call, ordinal, word, armed=armed)
    if armed:
        reach_point(services, call, Point.BEFORE_EFFECT)
    timeout_s = saga.timeout_of(step, call.direction).total_seconds()
    result = services.remote(function, call, ordinal, word, timeout_s)
    if armed:
        reach_point(services, call, Point.AFTER_EFFECT)
    return result


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
        entries = [entry(call, "attempt", ordinal, repeat=before.effects > 0)]
        APPEND.run_many(tx, [*entries, entry(call, "effect", ordinal)] if done else entries)
    return word, ordinal, done


def _fate(services: Services, step: Step, call: Call, written: dict[str, Fate] | None) -> Fate | None:
    """What is written down for this saga counts; the profile draws for the others."""
    if written is not None:
        return written.get(f"{call.step}:{call.direction}")
    if call.direction == "action":
        return services.profile.fate(call.workflow_id, call.step, step.timeout.total_seconds())
    return None


def _function(step: Step, call: Call) -> Action:
    if call.direction == "action":
        return step.action
    if step.compensation is None:
        raise StepFault(f"{step.name} has no compensation")
    return step.compensation
