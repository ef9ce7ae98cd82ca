"""``bakeoff stuck``: the sagas of a deployment that need a person, and why."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from bakeoff.cli.assessment import PATIENCE_S, Assessment, Assessor, OlderThanOption, Standing, ago, told
from bakeoff.cli.clients import Connected, JsonOption, OneEngineOption, with_client
from bakeoff.cli.looking import print_description
from bakeoff.cli.screen import say, show_json
from bakeoff.cli.state import DEFAULT_STATE, StateOption
from bakeoff.engine import Capability, Lists
from bakeoff.outcome import Listed, Status

#: An engine lists the newest first, and those that are stuck are old.
_LISTED_AT_MOST = 100_000
#: Sagas that the engine is asked about at once.
_AT_ONCE = 8

_NEEDS_A_PERSON = (Standing.STUCK, Standing.FAILED)


def stuck(
    older_than: OlderThanOption = PATIENCE_S,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Also show those that wait for a signal or a timer.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most so many, oldest first.")] = 100,
    engine: OneEngineOption = None,
    as_json: JsonOption = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """List the sagas that need a person, and why.

    Those that have not settled and made no progress for --older-than seconds, and those that ended as
    compensation_failed. What the engine knows and what the services' ledger has seen stand side by side;
    where an engine cannot tell, it says so. A saga that waits for a signal or a timer is not stuck.

    Exit code 0 if there is none, 1 if there are some.

    \b
    Examples:
        bakeoff stuck
        bakeoff stuck --older-than 600 --json
    """

    async def act(up: Connected) -> list[Assessment]:
        client = up.able(Capability.LIST, Lists)  # type: ignore[type-abstract]
        assessor = Assessor(up, older_than)
        listed: list[Listed] = []
        for status in (Status.RUNNING, Status.COMPENSATION_FAILED):
            listed += await client.list_sagas(status, _LISTED_AT_MOST)
        assessor.read(listed)
        listed.sort(key=lambda one: assessor.idle_s(one) or 0.0, reverse=True)
        found: list[Assessment] = []
        for start in range(0, len(listed), _AT_ONCE):
            # An engine without a worker may take seconds to say so, of each.
            judged = await asyncio.gather(*map(assessor.assess, listed[start : start + _AT_ONCE]))
            found += [one for one in judged if one is not None and one.standing is not Standing.MOVING]
            if sum(one.standing in _NEEDS_A_PERSON for one in found) >= limit:
                break
        return found

    found = with_client(state, engine, act)
    sick = [one for one in found if one.standing in _NEEDS_A_PERSON][:limit]
    patient = [one for one in found if one.standing is Standing.WAITING]
    shown = [*sick, *(patient if waiting else [])]
    if as_json:
        show_json([_as_json(one) for one in shown])
    else:
        _print(shown)
        if patient and not waiting:
            say(f"{len(patient)} more wait for a signal or a timer (--waiting shows them)")
        if not sick:
            say(f"no saga is stuck (no progress for {older_than:g} s)", style="bold green")
    if sick:
        raise typer.Exit(1)


def _print(found: Sequence[Assessment]) -> None:
    now = time.time()
    for one in found:
        name = f" ({one.saga})" if one.saga else ""
        since = "" if one.idle_s is None else f", last progress {ago(one.idle_s)}"
        style = "bold" if one.standing is Standing.WAITING else "bold red"
        say(f"{one.workflow_id}{name} {one.standing}{since}", style=style)
        say(f"  {'why':14} {one.why}")
        if one.description is not None:
            print_description(one.description, but=("saga",))
        if one.progress is None:
            say(f"  {'ledger':14} no step of it has been tried")
        else:
            say(f"  {'ledger':14} {told(one.progress.last, now)}")
            if one.progress.last.seq > one.progress.step.seq:
                say(f"  {'progress':14} {told(one.progress.step, now)}")
        if one.then:
            say(f"  {'then':14} {one.then}")


def _as_json(one: Assessment) -> dict[str, Any]:
    return {
        "workflow_id": one.workflow_id,
        "saga": one.saga,
        "standing": str(one.standing),
        "why": one.why,
        "then": one.then,
        "idle_s": None if one.idle_s is None else round(one.idle_s, 3),
        "engine": asdict(one.description) if one.description else None,
        "ledger": None
        if one.progress is None
        else {"last": asdict(one.progress.last), "progress": asdict(one.progress.step)},
    }
