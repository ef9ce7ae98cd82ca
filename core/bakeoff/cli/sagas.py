"""``bakeoff start``, ``result``, ``signal`` and ``cancel``: what a client does to one saga."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import replace
from typing import Annotated, Any

import typer
from sqlalchemy import select

from bakeoff.cli.clients import (
    Connected,
    JsonOption,
    OneEngineOption,
    TimeoutOption,
    WorkflowId,
    outcome_of,
    why_no_worker,
    with_client,
)
from bakeoff.cli.options import BUILT_IN_SAGAS
from bakeoff.cli.screen import say, show_json, warn
from bakeoff.cli.state import DEFAULT_STATE, StateOption
from bakeoff.engine import Cancels, Capability, Describes, Signals
from bakeoff.errors import UsageError
from bakeoff.orders.model import Order
from bakeoff.outcome import Outcome, Status
from bakeoff.registry import find_saga, load_sagas
from bakeoff.saga import JSON, Saga
from bakeoff.signals import deliver, waits_for
from bakeoff.world import schema
from bakeoff.world.database import reading

_NO_ORDER = ("noop",)


def start(
    saga: Annotated[
        str, typer.Argument(metavar="SAGA", help="Name of the saga, or package.module:attribute.")
    ],
    input: Annotated[
        str, typer.Argument(metavar="INPUT", help="The order id; for your own sagas JSON, else plain text.")
    ],
    id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Workflow id; order-<order id> if left out.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcome and print it.")] = False,
    timeout: TimeoutOption = 60.0,
    engine: OneEngineOption = None,
    as_json: JsonOption = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Start a saga on a running deployment.

    Starting the same one again changes nothing.

    With --wait the exit code is 0 if the saga completed, 1 if it was compensated or has not settled.

    \b
    Examples:
        bakeoff start order order-123 --wait
        bakeoff start order-approval order-128
    """

    if id is not None and not id.strip():
        raise UsageError("--id '': a workflow id has at least one character; leave --id out for one of ours")

    async def act(up: Connected) -> Outcome | None:
        chosen = chosen_saga(up, saga)
        is_order = takes_an_order(chosen)
        value = input if is_order else _json_or_text(input)
        if is_order:
            _check_order(up, input)
        workflow_id = id or _workflow_id(chosen, value, is_order)
        fresh = await up.client.start(chosen, workflow_id, value)
        warn_without_workers(up)
        if not as_json:
            say(f"started {workflow_id}" if fresh else f"{workflow_id} exists already; nothing was started")
            for title, url in up.pages.items():
                say(f"{title}: {url}")
        outcome = await outcome_of(up.client, workflow_id, timeout) if wait else None
        if as_json:
            show_json(
                {"workflow_id": workflow_id, "started": fresh, **(outcome.to_json() if outcome else {})}
            )
        elif outcome:
            print_outcome(workflow_id, _in_order(outcome, chosen))
        return outcome

    _exit_by(with_client(state, engine, act))


def result(
    workflow_id: WorkflowId,
    timeout: TimeoutOption = 60.0,
    engine: OneEngineOption = None,
    as_json: JsonOption = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Wait for the outcome of a saga and print it.

    Exit code 0 if it completed, 1 if it was compensated or has not settled.

    \b
    Example:
        bakeoff result order-123 --timeout 10
    """

    async def act(up: Connected) -> tuple[Outcome, Saga | None]:
        outcome = await outcome_of(up.client, workflow_id, timeout)
        name = (await up.client.describe(workflow_id)).saga if isinstance(up.client, Describes) else None
        return outcome, load_sagas(up.deployment.sagas).get(name or "")

    outcome, its = with_client(state, engine, act)
    if as_json:
        show_json({"workflow_id": workflow_id, **outcome.to_json()})
    else:
        print_outcome(workflow_id, outcome if its is None else _in_order(outcome, its))
    _exit_by(outcome)


def signal(
    workflow_id: WorkflowId,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the wait, or as it is called outside: approval.")
    ],
    payload: Annotated[
        str, typer.Option("--payload", metavar="JSON", help="What the wait returns; null if left out.")
    ] = "null",
    signal_id: Annotated[
        str | None,
        typer.Option("--signal-id", metavar="ID", help="A repeated id counts once; a new one if left out."),
    ] = None,
    engine: OneEngineOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Send a signal to a saga.

    It may wait for it already, or later.

    \b
    Example:
        bakeoff start order-approval order-128
        bakeoff signal order-128 approval --payload '{"approved": true}'
    """
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"--payload {payload[:200]}: this is not JSON ({error}); quote it, e.g. '{{\"approved\": true}}'"
        ) from None
    number = signal_id or uuid.uuid4().hex

    async def act(up: Connected) -> bool:
        signals = up.able(Capability.SIGNALS, Signals)  # type: ignore[type-abstract]
        saga = await _saga_of(up, workflow_id)
        if saga is None or not waits_for(saga, name):  # the engine knows better how to refuse it
            return await signals.signal(workflow_id, name, number, value)
        return await deliver(signals, saga, workflow_id, name, number, value)

    if with_client(state, engine, act):
        say(f"{workflow_id}: signal {name} delivered (id {number})")
    else:
        say(f"{workflow_id}: signal {number} was delivered before; nothing changed")


def cancel(
    workflow_id: WorkflowId, engine: OneEngineOption = None, state: StateOption = DEFAULT_STATE
) -> None:
    """Request that a saga is cancelled.

    The outcome tells whether it came in time; then everything is compensated.

    \b
    Example:
        bakeoff cancel order-123
        bakeoff result order-123
    """

    async def act(up: Connected) -> None:
        await up.able(Capability.CANCEL, Cancels).cancel(workflow_id)  # type: ignore[type-abstract]

    with_client(state, engine, act)
    say(f"{workflow_id}: cancel requested; `bakeoff result {workflow_id}` tells whether it came in time")


async def _saga_of(up: Connected, workflow_id: str) -> Saga | None:
    """The definition of a running saga, where the engine tells its name."""
    if not isinstance(up.client, Describes):
        return None
    return load_sagas(up.deployment.sagas).get((await up.client.describe(workflow_id)).saga or "")


def takes_an_order(saga: Saga) -> bool:
    """Whether it is one of ours over the orders of the world."""
    return saga is load_sagas([BUILT_IN_SAGAS]).get(saga.name) and saga.name not in _NO_ORDER


def chosen_saga(up: Connected, text: str) -> Saga:
    """The saga of that name or reference, among those that this deployment's workers load."""
    known = load_sagas(up.deployment.sagas)
    module, colon, attribute = text.partition(":")
    if not colon:
        return find_saga(text, known)
    if not (module.strip() and attribute.strip()):
        raise UsageError(f"saga {text}: give package.module:attribute")
    saga = next(iter(load_sagas([text]).values()))
    if known.get(saga.name) is not saga:
        raise UsageError(
            f"the workers of this deployment do not know {text}; bring it up with "
            f"`bakeoff up --engine {up.engine.name} --saga {text}`"
        )
    return saga


def _check_order(up: Connected, order_id: str) -> None:
    world = up.world()
    try:
        orders = schema.orders.c.order_id
        with reading(world.engine) as connection:
            if connection.execute(select(orders).where(orders == order_id)).first() is None:
                some = connection.execute(select(orders).order_by(orders).limit(8)).scalars().all()
                raise UsageError(f"there is no order {order_id!r} here; there are {', '.join(some)}")
    finally:
        world.close()


def _workflow_id(saga: Saga, value: JSON, is_order: bool) -> str:
    if is_order:
        return Order(order_id=value, lines=()).workflow_id
    # The same saga with the same input is the same execution (S6).
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    plain = len(text) <= 40 and all(c.isalnum() or c in "-_." for c in text)
    return f"{saga.name}-{text if plain else hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _json_or_text(text: str) -> JSON:
    try:
        return json.loads(text)
    except ValueError:
        return text


def warn_without_workers(up: Connected) -> None:
    """Tell who starts something that nobody will take."""
    world = up.world()
    try:
        if what := why_no_worker(world):
            warn(f"{what}; in another terminal: bakeoff worker --engine {up.engine.name}")
    finally:
        world.close()


def _in_order(outcome: Outcome, saga: Saga) -> Outcome:
    """Results as the saga came to them; an engine's database knows no order."""
    in_order = {e.name: outcome.results[e.name] for e in saga.elements if e.name in outcome.results}
    return replace(outcome, results={**in_order, **outcome.results})


def print_outcome(workflow_id: str, outcome: Outcome) -> None:
    """Tell the end of a saga to people."""
    style = "bold green" if outcome.status is Status.COMPLETED else "bold yellow"
    say(f"{workflow_id} {outcome.status}", style=style)
    if outcome.cause:
        say(f"  because {outcome.cause.step}: {outcome.cause.message} ({outcome.cause.type})")
    if outcome.failed_compensations:
        say(f"  not undone, a person must look at it: {', '.join(outcome.failed_compensations)}")
    if outcome.results and outcome.status is not Status.COMPLETED:
        say("  before that, its steps returned:")
    for step, value in outcome.results.items():
        say(f"  {step:20} {json.dumps(value)}")


def _exit_by(outcome: Any) -> None:
    if isinstance(outcome, Outcome) and outcome.status is not Status.COMPLETED:
        raise typer.Exit(1)
