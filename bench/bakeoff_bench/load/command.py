"""``bakeoff load``: from options to an exit code."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.bridge.bridges import IN_PROCESS, choose_bridge
from bakeoff.cli.numbers import read_seconds
from bakeoff.cli.options import (
    BridgeOption,
    EngineOption,
    LedgerOption,
    OtlpOption,
    SetOption,
    SetRawOption,
    WorkersOption,
    check_slots_of,
    choose_receiver,
    choose_saga,
)
from bakeoff.cli.screen import say
from bakeoff.errors import UsageError
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import behind
from bakeoff_bench.load.asked import blocks_of, check_numbers, contestants_of
from bakeoff_bench.load.check import measured_nothing, unmet_slo
from bakeoff_bench.load.extra import check_extra
from bakeoff_bench.load.measuring import measure
from bakeoff_bench.load.plan import LoadPlan
from bakeoff_bench.load.resources import kept_or_scratch, split_cpus
from bakeoff_bench.load.strike import strike_of
from bakeoff_bench.meter import cost_per_1000
from bakeoff_bench.run.command import check_json, check_ledger_of_run
from bakeoff_bench.run.output import check_several
from bakeoff_bench.run.page import NoReportOption, ReportOption, make_page, page_for
from bakeoff_scenarios import find_load, moments


class LoadProfile(StrEnum):
    """How much is measured."""

    INDICATIVE = "indicative"
    PUBLISHABLE = "publishable"


class ArrivalsChoice(StrEnum):
    """How arrivals are spaced."""

    POISSON = "poisson"
    CONSTANT = "constant"


#: Rounds, seconds of each load, warm-up, and levels as shares of what a contestant can do.
_PROFILES: dict[LoadProfile, tuple[int, float, float, tuple[float, ...]]] = {
    LoadProfile.INDICATIVE: (2, 15.0, 3.0, (0.5, 0.8)),
    LoadProfile.PUBLISHABLE: (10, 15.0, 3.0, (0.25, 0.5, 0.75, 0.9)),
}
_ROUNDS_AS_ASKED = 3
_PILOT = 5
_SLO_S, _PARKED_PER_S = 2.0, 5.0
#: Minutes of a publishable run, if nobody says otherwise; its pilot may ask for more rounds than that.
_WITHIN_MIN = 180.0


def load(
    engine: EngineOption = None,
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="`bakeoff scenarios` lists them.")
    ] = "order-steady",
    rate: Annotated[
        float | None,
        typer.Option("--rate", metavar="PER_S", help="Arrivals per second; each engine's own if left out."),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration", parser=read_seconds, metavar="SECONDS", help="Of each load, with the warm-up."
        ),
    ] = None,
    warm_up: Annotated[
        float | None,
        typer.Option("--warm-up", parser=read_seconds, metavar="SECONDS", help="Arrivals that do not count."),
    ] = None,
    arrivals: Annotated[
        ArrivalsChoice, typer.Option("--arrivals", help="Independent clients, or evenly spaced.")
    ] = ArrivalsChoice.POISSON,
    closed: Annotated[
        int | None,
        typer.Option("--closed", min=1, max=10_000, metavar="SAGAS", help="Closed loop: so many in flight."),
    ] = None,
    shape: Annotated[
        str, typer.Option("--shape", metavar="MODULE:CLASS", help="Your LoadTestShape; users are arrivals/s.")
    ] = "",
    profile: Annotated[
        LoadProfile, typer.Option("--profile", help="Minutes, or hours with intervals.")
    ] = LoadProfile.INDICATIVE,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, max=30, help="Turns of each engine, interleaved.")
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(
            "--within",
            metavar="MINUTES",
            help="Rounds that would not be over by then are not begun, but for two. [default: 180 with "
            "`publishable` and nothing else asked for]",
        ),
    ] = None,
    slo: Annotated[
        float | None,
        typer.Option(
            "--slo",
            parser=read_seconds,
            metavar="SECONDS",
            help="Most that the 95th percentile of a sustained rate may take. [default: 2.0]",
        ),
    ] = None,
    fault: Annotated[
        str | None,
        typer.Option("--fault", metavar="FAULT:POINT", help="worker-kill:charge_payment.after_effect, ..."),
    ] = None,
    arm_after: Annotated[
        float | None,
        typer.Option(
            "--arm-after",
            parser=read_seconds,
            metavar="SECONDS",
            help="The next saga at the point is struck.",
        ),
    ] = None,
    saga: Annotated[
        str | None, typer.Option("--saga", metavar="NAME", help="Another saga than the scenario's.")
    ] = None,
    config: Annotated[
        list[ConfigClass] | None, typer.Option("--config", help="Repeat to set classes side by side.")
    ] = None,
    broker: Annotated[
        list[str] | None,
        typer.Option("--broker", metavar="NAME", help="Only this broker, where an engine has a choice."),
    ] = None,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    workers: WorkersOption = 1,
    slots: Annotated[
        int,
        typer.Option("--slots", "--concurrency", min=1, max=1024, help="Steps that one worker runs at once."),
    ] = 4,
    ledger: LedgerOption = "sqlite",
    bridge: BridgeOption = IN_PROCESS,
    otlp: OtlpOption = None,
    cpus: Annotated[
        int | None,
        typer.Option(
            "--cpus",
            min=0,
            help="Of each deployment; the others are the generator's. All but one if left out, 0: all share.",
        ),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            "--price-per-million-actions", metavar="MONEY", help="Yours, for engines that are billed by it."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of arrivals and fates.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep the run in this new folder.")
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the result as JSON.")
    ] = None,
    report: ReportOption = None,
    no_report: NoReportOption = False,
) -> None:
    """Put engines under load and measure them from outside: rate, latency, and what they did by the ledger.

    Sagas arrive when they are due, whatever became of those before them, and their latency counts from then.
    Engines take turns; every round is judged from the ledger. Then a page tells all of it.

    Exit code 0: every ledger is valid. 1: one is not, something could not be measured, or somebody sustained
    no rate within --slo. 2: nothing started, or nobody sustained any rate within --slo.

    \b
    Examples:
        bakeoff load
        bakeoff load --engine celery --rate 20 --duration 60
        bakeoff load --scenario order-worker-crash --rate 10
        bakeoff load --profile publishable --out runs/load
    """
    check_extra()
    check_json(json_, out)
    check_several({"--json": json_, "--report": report})
    page = None if no_report else page_for(report, out)
    the_load = find_load(scenario)
    if the_load.parked_s and rate is None and closed is None and not shape:
        # What waits for a person has no throughput of which half could be offered.
        rate = _PARKED_PER_S
        say(f"{the_load.name}: {rate:g}/s for everybody; --rate says otherwise")
    asked_for = rate is not None or closed is not None or bool(shape)
    the_rounds, seconds, warm_up_s, shares = _PROFILES[profile]
    if asked_for or the_load.duration_s > seconds:
        seconds = the_load.duration_s
    seconds = duration if duration is not None else seconds
    warm_up_s = warm_up if warm_up is not None else min(warm_up_s, seconds / 4)
    searches = profile is LoadProfile.PUBLISHABLE and not asked_for
    if slo is not None and not searches:
        raise UsageError(
            "--slo: it bounds the sustained rate, which nobody searches here; give --profile publishable "
            "without --rate, --closed and --shape"
        )
    slo_s = _SLO_S if slo is None else slo
    check_numbers(rate, seconds, warm_up_s, slo_s, arm_after, closed, shape, within)
    paced = profile is LoadProfile.PUBLISHABLE and not asked_for and rounds is None
    minutes = within if within is not None else _WITHIN_MIN if paced else None
    the_saga, references = choose_saga(saga or the_load.saga)
    arm_after_s = arm_after if arm_after is not None else the_load.arm_at * seconds
    named = fault if fault is not None else the_load.fault
    if arm_after is not None and not named:
        raise UsageError("--arm-after: there is no fault to arm; name one with --fault FAULT:POINT")
    strike = strike_of(named, the_saga, arm_after_s) if named else None
    if strike is not None and closed is not None:
        raise UsageError("--fault: a fault strikes an open loop; leave --closed out")
    if shape:
        from bakeoff_bench.load.order import legs_of_shape

        seconds = float(len(legs_of_shape(shape)))
    elif rate is not None:
        moments(the_load.shape(rate, seconds), arrivals.value, seed)  # something must arrive
    between = choose_bridge(bridge)
    able = contestants_of(engine, broker, set_, set_raw, config, the_saga, strike is not None)
    contestants = behind(able, between.name)
    check_slots_of([one.chosen for one in contestants], slots)
    check_ledger_of_run(ledger, len(contestants))
    receiver = choose_receiver(otlp)
    plan = LoadPlan(
        contestants=contestants,
        load=the_load,
        saga=the_saga,
        references=references,
        blocks=blocks_of(rate, closed, shape, shares),
        rounds=rounds or (_ROUNDS_AS_ASKED if asked_for else the_rounds),
        pilot=_PILOT if paced else 0,
        within_s=None if minutes is None else 60 * minutes,
        seconds=seconds,
        warm_up_s=warm_up_s,
        process=arrivals.value,
        search=searches,
        slo_s=slo_s,
        fault=strike,
        shape=shape,
        seed=seed,
        workers=workers,
        slots=slots,
        ledger=ledger,
        bridge=between,
        otlp=receiver,
        cpus=split_cpus(cpus),
        quality="as asked" if asked_for else profile.value,
    )
    if price is not None:
        cost_per_1000(0.0, price)  # is it one?
    with kept_or_scratch(out, "loads.jsonl") as path:
        result = measure(plan, path, json_, price, out)
        make_page(path, page, keeps=out is not None)
    say(f"kept in {out}" if out else "nothing kept (--out DIR keeps it)")
    if words := unmet_slo(result):
        raise UsageError(words)
    if result["validity"] != "valid" or measured_nothing(result):
        raise typer.Exit(1)
