"""``bakeoff sweep``: from options to an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.cli.numbers import DeadlineOption
from bakeoff.cli.options import BridgeOption, EngineOption, SagaOption, SetOption, SetRawOption
from bakeoff.cli.screen import say, show_table
from bakeoff.errors import UsageError
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.crash.command import LanesOption, crash_folder, make_kills
from bakeoff_bench.crash.contestants import Options
from bakeoff_bench.crash.picture import PlotOption, check_plot
from bakeoff_bench.crash.profiles import TWO_POINTS, Part
from bakeoff_bench.run.command import check_json
from bakeoff_bench.run.output import check_several
from bakeoff_bench.run.page import NoReportOption, ReportOption, page_for
from bakeoff_bench.sweep.grid import grid, parse_vary
from bakeoff_scenarios.sweeps import SWEEPS, Sweep, find_sweep


def sweep(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="One of those that come with bakeoff; none lists them."),
    ] = None,
    engine: EngineOption = None,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="[ENGINE.]NAME=VALUE,...", help="Repeat for a grid."),
    ] = None,
    broker: Annotated[list[str] | None, typer.Option("--broker", metavar="NAME")] = None,
    fault: Annotated[list[str] | None, typer.Option("--fault", metavar="NAME")] = None,
    point: Annotated[list[str] | None, typer.Option("--point", metavar="NAME")] = None,
    saga: SagaOption = "order",
    config: Annotated[
        ConfigClass, typer.Option("--config", help="Where all other settings come from.")
    ] = ConfigClass.RECOMMENDED,
    kills: Annotated[int, typer.Option("--kills", min=1, max=1000, help="Per cell.")] = 2,
    deadline: DeadlineOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 1,
    lanes: LanesOption = 3,
    bridge: BridgeOption = IN_PROCESS,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep the run in this new folder.")
    ] = None,
    json_: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Everything as JSON.")] = None,
    plot: PlotOption = None,
    report: ReportOption = None,
    no_report: NoReportOption = False,
) -> None:
    """See what a setting does to orders before it is changed: the same kills for every value of it.

    Loss, repeats and recovery per combination of values. An interrupted one goes on with
    `bakeoff crash --resume DIR`; `bakeoff check DIR` judges it again.

    \b
    Examples:
        bakeoff sweep
        bakeoff sweep celery-redelivery --out runs/redelivery
        bakeoff sweep --engine celery --vary visibility_timeout=12,20,45 --vary task_acks_late=true,false
    """
    if name is None and not vary:
        show_table(["sweep", "what it is"], [[one.name, one.description] for one in SWEEPS.values()])
        return
    check_json(json_, out)
    check_plot(plot)
    check_several({"--json": json_, "--plot": plot, "--report": report})
    page = None if no_report else page_for(report, out)
    wanted = _wanted(name, engine, vary)
    asked = Asked(
        saga=saga,
        options=Options(
            engines=tuple(wanted.engines),
            brokers=tuple(broker or wanted.brokers),
            sets=tuple(set_ or ()),
            raws=tuple(set_raw or ()),
        ),
        parts=[
            Part(
                config=config,
                faults=tuple(fault or wanted.faults),
                points=tuple(point or wanted.points),
                kills=kills,
                deadline_s=deadline or wanted.deadline_s,
            )
        ],
        seed=seed,
        lanes=lanes,
        participants="idempotent",
        varied=grid(wanted.vary),
        bridge=bridge,
    )
    with crash_folder(asked, out) as folder:
        make_kills(asked, folder, json_, plot, keeps=out is not None, page=page)
    if wanted.untested:
        say(wanted.untested)


def _wanted(name: str | None, engines: list[str] | None, vary: list[str] | None) -> Sweep:
    """The sweep of that name, or the one that ``--vary`` describes."""
    if name is not None:
        if vary or engines:
            raise UsageError(
                f"{name} says which engines and settings it varies; leave --engine and --vary out"
            )
        return find_sweep(name)
    if not engines or "all" in engines:
        raise UsageError("--vary: say whose setting it is: add --engine NAME")
    return Sweep(
        name="", description="", engines=engines, vary=parse_vary(vary or [], engines), points=TWO_POINTS
    )
