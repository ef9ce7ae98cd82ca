"""``bakeoff redrive``: go on with a saga that nobody goes on with."""

from __future__ import annotations

from typing import Annotated

import typer

from bakeoff.cli.assessment import PATIENCE_S, Assessor, OlderThanOption, Standing
from bakeoff.cli.clients import (
    Connected,
    OneEngineOption,
    TimeoutOption,
    WorkflowId,
    outcome_of,
    with_client,
)
from bakeoff.cli.sagas import print_outcome
from bakeoff.cli.screen import say, warn
from bakeoff.cli.state import DEFAULT_STATE, StateOption
from bakeoff.engine import Capability, Lists, Means, Redrives
from bakeoff.errors import (
    NotSupportedError,
    RedriveRefusedError,
    ResultTimeoutError,
    UsageError,
    WorkflowError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import Listed, Outcome, Status

#: Nobody is asked for an outcome longer than this before it counts as not there.
_LOOK_S = 2.0
_LISTED_AT_MOST = 100_000


def redrive(
    workflow_id: WorkflowId,
    step: Annotated[
        str | None,
        typer.Option(
            "--step", metavar="STEP", help="Of several compensations that gave up, the one to begin with."
        ),
    ] = None,
    older_than: OlderThanOption = PATIENCE_S,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcome and print it.")] = False,
    timeout: TimeoutOption = 60.0,
    engine: OneEngineOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Go on with a saga that is stuck or ended as compensation_failed.

    By the engine's own means: Temporal resets the workflow, the queues publish its message again. Repeating
    is safe, because idempotency keys keep every effect single; repeated attempts show in the ledger. Repair
    the reason first, else it ends as before.

    Refused with exit code 2: a saga that completed or was compensated, one that waits for a signal or timer,
    and one that made progress within --older-than seconds.

    With --wait the exit code is 0 if the saga completed or was compensated, 1 if it has not settled or a
    compensation gave up again.

    \b
    Examples:
        bakeoff stuck
        bakeoff redrive order-126 --wait
        bakeoff redrive order-126 --step charge_payment
    """

    async def act(up: Connected) -> Outcome | None:
        client = up.able_to(Means.REDRIVE, Redrives)  # type: ignore[type-abstract]
        await _check(up, workflow_id, step, older_than)
        say(f"{workflow_id}: {await client.redrive(workflow_id, step)}")
        if not wait:
            say(f"`bakeoff result {workflow_id}` tells how it ends")
            return None
        return await outcome_of(up.client, workflow_id, timeout)

    outcome = with_client(state, engine, act)
    if outcome is not None:
        print_outcome(workflow_id, outcome)
        if outcome.status is Status.COMPENSATION_FAILED:
            raise typer.Exit(1)


async def _check(up: Connected, workflow_id: str, step: str | None, older_than_s: float) -> None:
    """Refuse what is well, or what nobody could go on with."""
    outcome = await _outcome(up, workflow_id)
    status = outcome.status if outcome else Status.RUNNING
    if status in (Status.COMPLETED, Status.COMPENSATED):
        raise RedriveRefusedError(f"{workflow_id} is {status}: there is nothing to redrive")
    assessor = Assessor(up, older_than_s)
    listed = await _listed(up, workflow_id, status)
    assessor.read([listed])
    if outcome is not None:
        _check_step(step, outcome, workflow_id)
        if assessor.no_worker:
            warn(f"{assessor.no_worker}; in another terminal: bakeoff worker --engine {up.engine.name}")
        return
    if step is not None:
        raise UsageError(
            f"--step {step}: {workflow_id} has not ended; --step chooses among compensations that gave up"
        )
    judged = await assessor.assess(listed)
    if judged is None:
        raise RedriveRefusedError(f"{workflow_id} has just settled: there is nothing to redrive")
    if judged.standing is Standing.MOVING:
        raise RedriveRefusedError(
            f"{workflow_id} is not stuck: {judged.why}; "
            f"it counts as stuck after --older-than {older_than_s:g} s"
        )
    if judged.standing is Standing.WAITING:
        raise RedriveRefusedError(f"{workflow_id} is not stuck: {judged.why}")
    if assessor.no_worker:
        raise RedriveRefusedError(
            f"{workflow_id}: {assessor.no_worker}, so nobody could go on with it; start one "
            f"(bakeoff worker --engine {up.engine.name}) and see whether it is still stuck then"
        )


async def _outcome(up: Connected, workflow_id: str) -> Outcome | None:
    try:
        return await up.client.result(workflow_id, _LOOK_S)
    except ResultTimeoutError:
        return None
    except WorkflowNotFoundError:
        raise
    except WorkflowError:
        return None  # ended from outside: the engine's description tells


def _check_step(step: str | None, outcome: Outcome, workflow_id: str) -> None:
    if step is not None and step not in outcome.failed_compensations:
        gave_up = ", ".join(outcome.failed_compensations)
        raise UsageError(
            f"--step {step}: no compensation of {workflow_id} that gave up; those are: {gave_up}"
        )


async def _listed(up: Connected, workflow_id: str, status: Status) -> Listed:
    """As the engine lists it: which saga, and since when."""
    try:
        client = up.able(Capability.LIST, Lists)  # type: ignore[type-abstract]
    except NotSupportedError:
        return Listed(workflow_id, status)
    found = await client.list_sagas(status, _LISTED_AT_MOST)
    return next((one for one in found if one.workflow_id == workflow_id), Listed(workflow_id, status))
