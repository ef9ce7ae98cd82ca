"""``bakeoff run``: from options to an exit code and a page."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.bridge.bridges import IN_PROCESS, choose_bridge
from bakeoff.cli.options import (
    BridgeOption,
    ConfigOption,
    EngineOption,
    LedgerOption,
    OtlpOption,
    SagaOption,
    SetOption,
    SetRawOption,
    SlotsOption,
    WorkersOption,
    check_slots_of,
    choose_engines,
    choose_receiver,
    choose_saga,
)
from bakeoff.cli.screen import complain, say, warn
from bakeoff.errors import BakeoffError
from bakeoff.processes import run_interruptibly
from bakeoff.settings import ConfigClass
from bakeoff_bench.run.command import (
    CountOption,
    JsonOption,
    OrdersOption,
    OutOption,
    ParticipantsChoice,
    check_json,
    check_ledger_of_run,
    orders_of,
    run_folder,
)
from bakeoff_bench.run.output import check_several
from bakeoff_bench.run.page import NoReportOption, ReportOption, make_page, page_for
from bakeoff_bench.run.plan import RunPlan
from bakeoff_bench.run.preflight import with_servers
from bakeoff_bench.whole.agenda import Agenda
from bakeoff_bench.whole.doing import do, has_judged, where_kept
from bakeoff_bench.whole.parts import RunPart
from bakeoff_scenarios import find_scenario

_ROUNDS, _QUICK_ROUNDS = 4, 2


def run(
    engine: EngineOption = None,
    saga: SagaOption = "order",
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="`bakeoff scenarios` lists them.")
    ] = "orders",
    orders: OrdersOption = None,
    count: CountOption = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=10_000, help="Sagas in flight per engine.")
    ] = 8,
    workers: WorkersOption = 1,
    slots: SlotsOption = 4,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, max=100, help="Turns of each engine.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the faults that are drawn.")] = 1,
    config: ConfigOption = ConfigClass.RECOMMENDED,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    ledger: LedgerOption = "sqlite",
    bridge: BridgeOption = IN_PROCESS,
    otlp: OtlpOption = None,
    participants: Annotated[
        ParticipantsChoice,
        typer.Option(help="`naive` switches the idempotency keys off, to see what happens twice."),
    ] = ParticipantsChoice.IDEMPOTENT,
    only: Annotated[
        list[RunPart] | None, typer.Option("--only", help="Only this part; repeat for several.")
    ] = None,
    out: OutOption = None,
    json_: JsonOption = None,
    report: ReportOption = None,
    no_report: NoReportOption = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer orders, two crash points, one load: a few minutes in all.")
    ] = False,
) -> None:
    """Run the same saga on every engine, kill its workers, put it under load; judge it all by the ledger.

    Three parts: sagas with the same orders and faults; one kill of a worker at every crash point, with short
    leases; a short load. Then a page with the answer and all the evidence.

    Exit code 0: every verdict is valid, and no engine lost what it declares to keep. 1: otherwise. 2: it
    could not start.

    \b
    Examples:
        bakeoff run --quick
        bakeoff run --engine temporal --engine celery --orders my-orders.csv --out runs/first
        bakeoff run --saga my_package.my_module:MY_SAGA --only sagas
        bakeoff run --scenario scarcity --only sagas
    """
    began_s = time.monotonic()
    chosen = choose_engines(engine, config=config, sets=set_, raws=set_raw)
    check_slots_of(chosen, slots)
    the_saga, references = choose_saga(saga)
    check_ledger_of_run(ledger, len(chosen))
    between = choose_bridge(bridge)
    receiver = choose_receiver(otlp)
    check_json(json_, out, [Path(orders)] if orders and orders != "-" else [])
    check_several({"--json": json_, "--report": report})
    unasked = bool(only) and report is None and out is None  # a part alone makes none
    page = None if no_report or unasked else page_for(report, out)
    book = orders_of(orders, count, quick)
    if count is not None and len(book.orders) < count:
        warn(f"--count {count}: {book.source} holds {len(book.orders)} usable orders")
    chosen = run_interruptibly(with_servers(chosen, named=bool(engine) and "all" not in (engine or [])))
    plan = RunPlan(
        engines=chosen,
        saga=the_saga,
        references=references,
        scenario=find_scenario(scenario),
        book=book,
        seed=seed,
        rounds=min(rounds or (_QUICK_ROUNDS if quick else _ROUNDS), len(book.orders)),
        concurrency=concurrency,
        workers=workers,
        slots=slots,
        ledger=ledger,
        participants=participants.value,
        prefix=f"bakeoff-{secrets.token_hex(3)}-",
        bridge=between,
        otlp=receiver,
    )
    agenda = Agenda(plan, saga, set_ or (), set_raw or (), only or (), quick=quick)
    with run_folder(out) as folder:
        say(agenda.announcement())
        try:
            failed = do(agenda, folder, began_s, json_, out)
        except BakeoffError as error:
            if not has_judged(folder):
                raise
            complain(" ".join(str(error).split()))  # what was judged before stands, and is told
            failed = True
        make_page(folder.path, page, keeps=out is not None)
        say(
            f"{time.monotonic() - began_s:.0f} s in all; "
            + (where_kept(folder) if out else "not kept: --out DIR keeps it, to judge again or decide by")
        )
    if failed:
        raise typer.Exit(1)
