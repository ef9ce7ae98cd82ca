"""``bakeoff schedule``, ``schedules`` and ``unschedule``: sagas that the engine's own scheduler starts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from bakeoff.cli.clients import Connected, JsonOption, OneEngineOption, with_client
from bakeoff.cli.sagas import chosen_saga, takes_an_order, warn_without_workers
from bakeoff.cli.screen import say, show_json, show_table
from bakeoff.cli.state import DEFAULT_STATE, StateOption
from bakeoff.engine import Capability, Schedules, Support
from bakeoff.errors import EngineUnavailableError, UsageError
from bakeoff.plugins import Plugins
from bakeoff.schedules import Schedule, in_short, parse_period


def schedule(
    saga: Annotated[
        str, typer.Argument(metavar="SAGA", help="Name of the saga, or package.module:attribute.")
    ],
    every: Annotated[
        str, typer.Option("--every", metavar="PERIOD", help="Length of a period: 90s, 15m, 12h, 30d or 2w.")
    ],
    id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Of the schedule; the saga's name if left out."),
    ] = None,
    engine: OneEngineOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Let the engine start a saga once per period.

    From the next period on, also while the saga of the last one still runs. Periods are counted from
    1970-01-01 (UTC). The saga of one is called ID-PERIOD, and that is its input, too.

    \b
    Example:
        bakeoff up --engine temporal --saga billing
        bakeoff schedule billing --every 30d --id acme
        bakeoff result acme-2026-12-03T00:00:00Z
    """
    period = parse_period(every)

    async def act(up: Connected) -> Schedule:
        schedules = _able(up)
        chosen = chosen_saga(up, saga)
        if takes_an_order(chosen):
            raise UsageError(
                f"saga {chosen.name!r} wants the id of an order, and no period brings one; schedule a saga "
                "that finds its work by the period, e.g. billing (`bakeoff up --saga billing`)"
            )
        made = Schedule(id=chosen.name if id is None else id, saga=chosen.name, every=period)
        await schedules.schedule(chosen, made.id, made.every)
        warn_without_workers(up)
        return made

    made = with_client(state, engine, act)
    say(f"{made.id}: {made.saga} every {in_short(made.every)}, from {_next(made)} (UTC) on")
    say(f"  the first saga is {made.saga_id(made.next_period(time.time()))}")


def schedules(
    engine: OneEngineOption = None, as_json: JsonOption = False, state: StateOption = DEFAULT_STATE
) -> None:
    """List what the engine starts by schedule, and when next.

    \b
    Example:
        bakeoff schedules
    """

    async def act(up: Connected) -> Sequence[Schedule]:
        return await _able(up).schedules()

    found = with_client(state, engine, act)
    if as_json:
        show_json([{**one.to_json(), "next": one.next_period(time.time())} for one in found])
    elif found:
        rows = [(one.id, one.saga, in_short(one.every), _next(one)) for one in found]
        show_table(("schedule", "saga", "every", "next (UTC)"), rows)
    else:
        say("nothing is started by schedule")


def unschedule(
    schedule_id: Annotated[str, typer.Argument(metavar="ID", help="Of the schedule, e.g. acme.")],
    engine: OneEngineOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Let the engine start a saga no more; those that run go on.

    \b
    Example:
        bakeoff unschedule acme
    """

    async def act(up: Connected) -> None:
        await _able(up).unschedule(schedule_id)

    with_client(state, engine, act)
    say(f"{schedule_id}: nothing more is started")


def _able(up: Connected) -> Schedules:
    """The client; ``UsageError`` where the engine has no scheduler, because another one would have."""
    claim = up.engine.info(up.deployment.settings).claims[Capability.SCHEDULES]
    if claim.support is Support.ABSENT or not isinstance(up.client, Schedules):
        others = ", ".join(name for name in _who_can() if name != up.engine.name) or "no other one"
        raise UsageError(
            f"{up.engine.name} starts nothing by schedule: {claim.reason}. Installed and able: {others}"
        )
    return up.client


def _who_can() -> Iterator[str]:
    plugins = Plugins()
    for name in plugins.engine_names():
        try:
            claim = plugins.engine(name).info().claims[Capability.SCHEDULES]
        except (EngineUnavailableError, KeyError):
            continue
        if claim.support is not Support.ABSENT:
            yield name


def _next(schedule: Schedule) -> str:
    return f"{datetime.fromtimestamp(schedule.next_period(time.time()), UTC):%Y-%m-%d %H:%M:%S}"
