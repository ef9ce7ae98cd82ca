"""``bakeoff tune``: from options to an exit code."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.bridge.bridges import IN_PROCESS, choose_bridge
from bakeoff.cli.options import (
    BridgeOption,
    EngineOption,
    SetOption,
    WorkersOption,
    choose_engines,
    choose_saga,
)
from bakeoff.cli.screen import say, warn
from bakeoff.errors import UsageError
from bakeoff.tuned import FILE, VARIABLE
from bakeoff_bench.load.extra import check_extra
from bakeoff_bench.load.plan import Block, LoadPlan
from bakeoff_bench.load.resources import split_cpus
from bakeoff_bench.run.command import check_json
from bakeoff_bench.tune.knobs import Given, Knob, knobs_of
from bakeoff_scenarios import find_load


def tune(
    engine: EngineOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--knob", metavar="NAME", help="Try only this setting; repeat.")
    ] = None,
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="`bakeoff scenarios` lists them.")
    ] = "order-steady",
    rounds: Annotated[int, typer.Option("--rounds", min=2, max=30, help="Of every stage of the search.")] = 3,
    confirm: Annotated[
        int, typer.Option("--confirm", min=2, max=30, help="Rounds of what was found against recommended.")
    ] = 8,
    duration: Annotated[
        float, typer.Option("--duration", metavar="SECONDS", help="Of each load, with the warm-up.")
    ] = 10.0,
    in_flight: Annotated[
        int, typer.Option("--closed", min=1, max=10_000, metavar="SAGAS", help="In flight in each load.")
    ] = 16,
    worth: Annotated[
        float, typer.Option("--worth", metavar="SHARE", help="A value is kept if it is faster by this.")
    ] = 0.05,
    weaker: Annotated[
        bool, typer.Option("--weaker", help="Also try values by which the engine gives up a promise.")
    ] = False,
    set_: SetOption = None,
    workers: WorkersOption = 1,
    slots: Annotated[
        int,
        typer.Option("--slots", "--concurrency", min=1, max=1024, help="Steps that one worker runs at once."),
    ] = 4,
    bridge: BridgeOption = IN_PROCESS,
    cpus: Annotated[
        int | None, typer.Option("--cpus", min=0, help="Of each deployment, as for `bakeoff load`.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of arrivals and fates.")] = 1,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where what was found is written.")
    ] = Path(FILE),
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep every load in this new folder.")
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Every candidate as JSON.")
    ] = None,
) -> None:
    """Search an engine's settings for faster ones that keep its promises; `--config tuned` uses them.

    One setting after the other: its values take turns in a closed loop, on the same CPUs and with the same
    number of steps at once, and the best one is kept. What was found is measured against class `recommended`
    in new rounds, and only written down if it is faster beyond doubt.

    Exit code 0: searched, whatever was found. 1: a ledger was not valid, or too few rounds count to tell
    anything. 2: nothing started.

    \b
    Examples:
        bakeoff tune --engine celery
        bakeoff tune --engine temporal --knob local_activities --out runs/tune
        bakeoff load --engine celery --config recommended --config tuned
    """
    check_extra("tomlkit")
    from bakeoff_bench.tune.conduct import Wishes, search_all
    from bakeoff_bench.tune.found import check_writable

    check_json(json_, out)
    check_writable(output)
    _check_numbers(duration, worth)
    searches = _searches(engine, only or (), set_ or ())
    wishes = Wishes(
        confirm=confirm, worth=worth, weaker=weaker, goes_on=bool(only), named=tuple(engine or ())
    )
    between = choose_bridge(bridge)
    the_load = find_load(scenario)
    the_saga, references = choose_saga(the_load.saga)
    plan = LoadPlan(
        contestants=(),
        load=the_load,
        saga=the_saga,
        references=references,
        blocks=[Block(name=f"{in_flight} in flight", users=in_flight)],
        rounds=rounds,
        seconds=duration,
        warm_up_s=min(2.0, duration / 4),
        seed=seed,
        workers=workers,
        slots=slots,
        bridge=between,
        cpus=split_cpus(cpus),
    )
    results = search_all(searches, plan, wishes, output, out, json_)
    if any(one.decided for one in results):
        usual = Path(os.environ.get(VARIABLE) or FILE) == output
        say(f"{output}: `--config tuned` uses it" + ("" if usual else f" with {VARIABLE}={output}"))
    if out is not None:
        say(f"loads kept in {out}")
    if any(not one.valid for one in results):
        warn("a ledger was not valid: whatever broke it is worth more attention than speed")
    if not all(one.valid and one.decided for one in results):
        raise typer.Exit(1)


def _searches(
    names: Sequence[str] | None, only: Sequence[str], sets: Sequence[str]
) -> list[tuple[Given, Sequence[Knob]]]:
    """Every engine with what is to be tried of it.

    Raises:
        UsageError: For an unknown engine, setting or value, or if there is nothing to try.
    """
    found: list[tuple[Given, Sequence[Knob]]] = []
    known: set[str] = set()
    for one in choose_engines(names, sets=sets):
        given = Given(engine=one.name, sets=tuple(t for t in sets if t.partition(".")[0] == one.name))
        known.update(knob.name for knob in knobs_of(given))
        if knobs := list(knobs_of(given, only)):
            found.append((given, knobs))
        elif names and one.name in names:
            own = ", ".join(knob.name for knob in knobs_of(given)) or "none"
            raise UsageError(f"--engine {one.name}: nothing to try; its knobs that are not fixed: {own}")
    for name in only:
        if name not in known:
            raise UsageError(f"--knob {name}: no engine asked for has it; known: {', '.join(sorted(known))}")
    if not found:
        raise UsageError("no engine asked for has a setting to try")
    return found


#: Seconds of one load; a search makes hundreds.
_LONGEST_S = 3600


def _check_numbers(duration: float, worth: float) -> None:
    if not (math.isfinite(duration) and 2 <= duration <= _LONGEST_S):
        raise UsageError(f"--duration {duration:g}: from 2 to {_LONGEST_S} seconds")
    if not (math.isfinite(worth) and 0 <= worth <= 1):
        raise UsageError(f"--worth {worth:g}: a share from 0 to 1; 0.05 is 5 %")
