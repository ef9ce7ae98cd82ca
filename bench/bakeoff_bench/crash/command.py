"""``bakeoff crash``: from options to an exit code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.cli.failures import of_the_machine
from bakeoff.cli.numbers import DeadlineOption
from bakeoff.cli.options import (
    BridgeOption,
    EngineOption,
    OtlpOption,
    SagaOption,
    SetOption,
    SetRawOption,
    choose_receiver,
    choose_saga,
)
from bakeoff.cli.screen import say, warn
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.processes import run_interruptibly, scratch_folder
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.crash.conduct import conduct
from bakeoff_bench.crash.contestants import Options
from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.crash.manifest import manifest_of
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.crash.picture import PlotOption, check_plot, draw
from bakeoff_bench.crash.plan import CrashPlan
from bakeoff_bench.crash.profiles import COPIES, WORDS, Part, Profile, parts_of
from bakeoff_bench.crash.result import failed, result_of, show
from bakeoff_bench.run.command import ParticipantsChoice, check_json
from bakeoff_bench.run.countdown import span
from bakeoff_bench.run.output import check_several, write_json
from bakeoff_bench.run.page import NoReportOption, ReportOption, make_page, page_for
from bakeoff_bench.run.stored import reading

LanesOption = Annotated[
    int, typer.Option("--lanes", min=1, max=16, help="Kills that compute at the same time.")
]
CopiesOption = Annotated[
    int | None,
    typer.Option(
        "--copies",
        min=1,
        max=16,
        help="Stacks of each engine with a long lease, to wait for it side by side.",
    ),
]


def crash(
    context: typer.Context,
    engine: EngineOption = None,
    saga: SagaOption = "order",
    profile: Annotated[
        Profile,
        typer.Option(
            "--profile",
            help="; ".join(f"{name}: {text}" for name, text in WORDS.items())
            + "; with --bridge nats each strikes services, too",
        ),
    ] = Profile.QUICK,
    point: Annotated[
        list[str] | None,
        typer.Option(
            "--point",
            metavar="NAME",
            help="STEP.POINT, STEP for all of its points, `windows` for engines' own, `service-windows` for "
            "those of services.",
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME", help="docs/faults.md describes them: worker-kill, ..."),
    ] = None,
    config: Annotated[
        list[ConfigClass] | None,
        typer.Option("--config", help="Only this configuration class; repeat for several."),
    ] = None,
    broker: Annotated[
        list[str] | None,
        typer.Option("--broker", metavar="NAME", help="Only this broker, where an engine has a choice."),
    ] = None,
    short_leases: Annotated[
        bool | None,
        typer.Option(
            "--short-leases/--own-leases", help="Give leases, and nothing else, their values of class ci."
        ),
    ] = None,
    kills: Annotated[
        int | None, typer.Option("--kills", min=1, max=1000, help="Per engine, point and fault.")
    ] = None,
    deadline: DeadlineOption = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Decides the order of the kills and which orders they take.")
    ] = 1,
    lanes: LanesOption = 2,
    copies: CopiesOption = None,
    participants: Annotated[
        ParticipantsChoice,
        typer.Option(help="`naive` switches the idempotency keys off, to see what happens twice."),
    ] = ParticipantsChoice.IDEMPOTENT,
    bridge: BridgeOption = IN_PROCESS,
    otlp: OtlpOption = None,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep the run in this new folder.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="DIR", help="Go on with an interrupted run."),
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the matrix and every kill as JSON.")
    ] = None,
    plot: PlotOption = None,
    report: ReportOption = None,
    no_report: NoReportOption = False,
) -> None:
    """Kill workers or servers while sagas stand at named points, and say from the ledger what became of them.

    A process is caught at the point, the fault is done to it from outside and seen to land. The settings
    are those of each engine's own guidance and, beside them, as it is shipped.

    Exit code 0: every saga ended all-or-nothing. 1: one did not, or a fault did not land. 2: nothing started.

    \b
    Examples:
        bakeoff crash --engine celery --engine temporal --point charge_payment
        bakeoff crash --engine dramatiq --broker rabbitmq --fault server-kill
        bakeoff crash --profile full --out runs/crash
        bakeoff crash --resume runs/crash
        bakeoff check runs/crash
    """
    check_json(json_, out)
    check_plot(plot)
    check_several({"--json": json_, "--plot": plot, "--report": report})
    if resume is not None:
        _refuse_others(context)
        page = None if no_report else page_for(report, resume)
        folder = CrashFolder(resume)
        with reading(resume):
            asked = Asked.from_json(folder.manifest()["asked"])
        make_kills(asked, folder, json_, plot, keeps=True, page=page)
        return
    page = None if no_report else page_for(report, out)
    # Who says where or what to strike means that alone.
    blocks = parts_of(profile, choose_saga(saga)[0], IN_PROCESS if point or fault else bridge)
    asked = Asked(
        saga=saga,
        options=Options(
            engines=tuple(name for name in engine or () if name != "all"),
            brokers=tuple(broker or ()),
            sets=tuple(set_ or ()),
            raws=tuple(set_raw or ()),
        ),
        parts=_parts(blocks, config, point, fault, kills, deadline, short_leases),
        seed=seed,
        lanes=lanes,
        copies=copies or COPIES[profile],
        participants=participants.value,
        bridge=bridge,
        otlp=choose_receiver(otlp),
    )
    with crash_folder(asked, out) as folder:
        make_kills(asked, folder, json_, plot, keeps=out is not None, page=page)


def make_kills(
    asked: Asked,
    folder: CrashFolder,
    json_: Path | None,
    plot: Path | None = None,
    *,
    keeps: bool,
    page: Path | None,
) -> None:
    """Do what is left to do, show everything, and end with the exit code.

    ``keeps``: whether the folder stays; ``page``: where the page goes, if there is to be one.
    """
    result = kill_all(asked, folder, keeps=keeps)
    write_json(json_, result)  # first: a broken pipe ends what is shown
    show(result)
    if plot is not None:
        draw(result, plot)
    make_page(folder.path, page, keeps=keeps)
    if failed(result):
        raise typer.Exit(1)


def kill_all(asked: Asked, folder: CrashFolder, *, keeps: bool) -> dict[str, Any]:
    """Do what is left to do; return everything, as ``show`` takes it."""
    with folder.held():
        return _kill_all(asked, folder, keeps)


def _kill_all(asked: Asked, folder: CrashFolder, keeps: bool) -> dict[str, Any]:
    plan = asked.plan()
    kept = (folder.path / "manifest.json").exists()
    if kept:
        _check_same(folder.manifest(), manifest_of(asked, plan))
    else:
        folder.write_manifest(manifest_of(asked, plan))
    leases = {label: about["lease_s"] for label, about in folder.manifest()["contestants"].items()}
    done = sum(row["outcome"] != KillOutcome.VOID for row in folder.rows())
    seconds = plan.expected_seconds(leases) * (1 - done / max(1, plan.kills_in_all))
    say(
        f"{plan.kills_in_all - done} kills of {plan.saga.name} sagas ({', '.join(leases)}), "
        f"{plan.lanes} at a time: about {span(seconds)}; Ctrl-C loses nothing with --out"
    )
    again = f"go on with: bakeoff crash --resume {folder.path}" if keeps else "nothing kept (--out DIR)"
    try:
        _conduct(plan, folder, again)
    except KeyboardInterrupt:
        say(f"broken off after {len(folder.rows())} kills; {again}")
        raise
    return result_of(folder)


def _conduct(plan: CrashPlan, folder: CrashFolder, again: str) -> None:
    """Make the kills; a full disk ends them in one line, and what is in the folder stays.

    Raises:
        BakeoffError: If the folder or a ledger in it cannot be written any more.
    """
    try:
        run_interruptibly(conduct(plan, folder))
    except Exception as error:
        told = of_the_machine(error)
        if told is None:
            raise
        raise BakeoffError(
            f"the run cannot go on: {told}; {len(folder.rows())} kills were made; {again}"
        ) from error


@contextmanager
def crash_folder(asked: Asked, out: Path | None) -> Iterator[CrashFolder]:
    """The user's new folder, or one that is gone afterwards; nothing is left of a run that never began."""
    asked.plan()  # a mistake in the options leaves no folder behind
    if out is None:
        with scratch_folder("crash") as path:
            yield CrashFolder.create(path)
        return
    existed = out.exists()
    folder = CrashFolder.create(out)
    try:
        yield folder
    except BakeoffError:
        if not folder.rows():
            for path in out.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if not existed:
                out.rmdir()
        raise


def _parts(
    parts: Sequence[Part],
    configs: Sequence[ConfigClass] | None,
    points: Sequence[str] | None,
    faults: Sequence[str] | None,
    kills: int | None,
    deadline: float | None,
    short_leases: bool | None,
) -> list[Part]:
    """The profile's blocks with what the command line says instead; no block twice."""
    wanted = list(dict.fromkeys(configs or [part.config for part in parts]))
    changes: dict[str, Any] = {
        name: value
        for name, value in (
            ("points", tuple(points or ())),
            ("faults", tuple(dict.fromkeys(faults or ()))),
            ("kills", kills),
            ("deadline_s", deadline),
            ("short_leases", short_leases),
        )
        if value not in (None, ())
    }
    found: dict[tuple[Any, ...], Part] = {}
    for config in wanted:
        own = [part for part in parts if part.config is config] or [replace(parts[0], config=config)]
        for part in own:
            changed = replace(part, **changes)
            found.setdefault((config, changed.faults, changed.points), changed)
    return list(found.values())


def _refuse_others(context: typer.Context) -> None:
    """What was given beside ``--resume`` and what is written at the end would be ignored."""
    others = [
        max(option.opts, key=len)
        for option in context.command.params
        if option.name not in ("resume", "json_", "plot", "report", "no_report")
        and (source := context.get_parameter_source(option.name or "")) is not None
        and source.name == "COMMANDLINE"
    ]
    if others:
        given = ", ".join(others)
        raise UsageError(
            f"--resume DIR goes on with what the folder says; leave the other options out: {given}"
        )


def _check_same(then: dict[str, Any], now: dict[str, Any]) -> None:
    """Kills of different versions or settings must not end up in one matrix.

    Raises:
        UsageError: If a contestant is not what it was.
    """
    for label, about in then["contestants"].items():
        today = now["contestants"].get(label)
        if today is None:
            raise UsageError(f"--resume: {label} cannot be started any more; `bakeoff doctor` tells why")
        for what in ("versions", "settings"):
            if today[what] != json.loads(json.dumps(about[what])):
                raise UsageError(f"--resume: {what} of {label} are not what they were; start a new run")
    if then["bakeoff"] != now["bakeoff"]:
        raise UsageError(
            f"--resume: the run began with bakeoff {then['bakeoff']}, this is {now['bakeoff']}; "
            "start a new run"
        )
    if then["machine"] != now["machine"]:
        warn("this is another machine, or another Python, than the run began on; times are not comparable")
