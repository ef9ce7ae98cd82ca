"""``bakeoff crash``: from options to an exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.options import (
    ChosenEngine,
    ConfigOption,
    EngineOption,
    SagaOption,
    SetOption,
    SetRawOption,
    choose_engines,
    choose_saga,
)
from bakeoff.cli.screen import say
from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.nemesis import Fault
from bakeoff.plugins import Plugins
from bakeoff.processes import run_interruptibly, scratch_folder
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.conduct import conduct
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome
from bakeoff_bench.crash.plan import CrashPlan
from bakeoff_bench.crash.points import check_saga, choose_points
from bakeoff_bench.crash.table import show_matrix
from bakeoff_bench.run.command import check_json
from bakeoff_bench.run.preflight import with_servers


def crash(
    engine: EngineOption = None,
    saga: SagaOption = "order",
    point: Annotated[
        list[str] | None,
        typer.Option(
            "--point", metavar="NAME", help="STEP.POINT, or STEP for all of its points; all if left out."
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME", help="worker-kill, child-kill, server-kill."),
    ] = None,
    kills: Annotated[int, typer.Option("--kills", min=1, max=1000, help="Per engine, point and fault.")] = 1,
    deadline: Annotated[
        float,
        typer.Option("--deadline", min=1, metavar="SECONDS", help="What is not settled by then is stuck."),
    ] = 90.0,
    config: ConfigOption = ConfigClass.RECOMMENDED,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every kill as JSON.")
    ] = None,
) -> None:
    """Kill workers or servers while sagas stand at named points, and say from the ledger what became of them.

    A process is caught at the point, killed from outside, and seen to end. Points of every step and of every
    compensation: between_steps, before_effect, after_effect.

    Exit code 0: every saga ended all-or-nothing. 1: one did not, or a fault did not land. 2: nothing started.

    \b
    Examples:
        bakeoff crash --engine celery --engine temporal --point charge_payment
        bakeoff crash --engine dramatiq --fault server-kill --set dramatiq.broker=rabbitmq
    """
    the_saga, references = choose_saga(saga)
    check_saga(the_saga)
    points, faults = choose_points(the_saga, point or []), _faults(fault or ["worker-kill"])
    check_json(json_)
    chosen = run_interruptibly(
        with_servers(_ours(engine, config, set_, set_raw), named=bool(engine) and "all" not in (engine or []))
    )
    plan = CrashPlan(
        engines=chosen,
        saga=the_saga,
        references=references,
        points=points,
        faults=faults,
        kills=kills,
        deadline_s=deadline,
        ledger="sqlite",
    )
    with scratch_folder("crash") as folder:
        say(
            f"{plan.kills_in_all} kills of {the_saga.name} sagas ({', '.join(one.name for one in chosen)}; "
            f"class {config}): about {plan.expected_seconds():.0f} s, longer where a lease is"
        )
        rows = run_interruptibly(conduct(plan, folder))
    show_matrix(rows)
    if json_ is not None:
        json_.write_text(
            json.dumps({"config": str(config), "deadline_s": deadline, "kills": rows}, indent=2) + "\n"
        )
    if any(KillOutcome(row["outcome"]) in HARMFUL for row in rows):
        raise typer.Exit(1)


def _ours(
    names: Sequence[str] | None, config: ConfigClass, sets: Sequence[str] | None, raws: Sequence[str] | None
) -> list[ChosenEngine]:
    """Engines with settings, none of them on servers that are not ours to kill."""
    chosen = choose_engines(list(names) if names else None, config=config, sets=sets, raws=raws)
    for one in chosen:
        if outside := [s.role for s in one.engine.servers(one.settings) if s.external_address is not None]:
            raise UsageError(
                f"{one.name}: {', '.join(outside)} was not started by bakeoff, and nothing is killed there; "
                "leave the address out to have one started"
            )
    return chosen


def _faults(names: Sequence[str]) -> list[Fault]:
    known = Plugins().faults()
    for name in names:
        if name not in known:
            listed = "; ".join(f"{fault.name}: {fault.description}" for fault in known.values())
            raise UnknownNameError(f"--fault {name}: there is no such fault. {listed}")
    return [known[name] for name in dict.fromkeys(names)]
