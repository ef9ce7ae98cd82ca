"""``bakeoff run``, ``bakeoff check`` and ``bakeoff scenarios``: from options to an exit code."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.cli.options import (
    ConfigOption,
    EngineOption,
    LedgerOption,
    SagaOption,
    SetOption,
    SetRawOption,
    SlotsOption,
    WorkersOption,
    check_ledger,
    check_ledger_is_empty,
    check_slots_of,
    choose_engines,
    choose_saga,
)
from bakeoff.cli.screen import say, show_table, warn
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.orders.loader import OrderBook, load_orders, real_orders
from bakeoff.processes import run_interruptibly, scratch_folder
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.check import check_crash
from bakeoff_bench.crash.folder import is_crash_folder
from bakeoff_bench.crash.picture import PlotOption, check_plot
from bakeoff_bench.load.check import check_load
from bakeoff_bench.load.extra import is_load_folder
from bakeoff_bench.run.conduct import all_stacks_were_up, conduct
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.plan import RunPlan, contestants, expected_seconds
from bakeoff_bench.run.preflight import with_servers
from bakeoff_bench.run.result import result_of
from bakeoff_bench.run.stored import reading
from bakeoff_bench.run.tables import show_result
from bakeoff_scenarios import LOADS, SCENARIOS, find_scenario

_COUNT, _QUICK_COUNT = 200, 60
_ROUNDS, _QUICK_ROUNDS = 4, 2


class ParticipantsChoice(StrEnum):
    """How the services treat a repeated call."""

    IDEMPOTENT = "idempotent"
    NAIVE = "naive"


OrdersOption = Annotated[
    str | None,
    typer.Option(
        "--orders",
        metavar="FILE",
        help="Your own orders, CSV or JSON Lines (docs/orders-file.md), - for standard input; "
        "the real invoices that come with bakeoff if left out.",
    ),
]
CountOption = Annotated[
    int | None,
    typer.Option("--count", min=1, help=f"Orders per engine; {_COUNT} real ones, or all of your file."),
]
JsonOption = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the whole result as JSON.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Keep the run in this new folder: `bakeoff check DIR`."),
]


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
    participants: Annotated[
        ParticipantsChoice,
        typer.Option(help="`naive` switches the idempotency keys off, to see what happens twice."),
    ] = ParticipantsChoice.IDEMPOTENT,
    out: OutOption = None,
    json_: JsonOption = None,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"{_QUICK_COUNT} orders per engine, under a minute in all.")
    ] = False,
) -> None:
    """Run the same saga on every engine, with the same orders and faults, and judge it from the ledger.

    Exit code 0: every verdict is valid. 1: one is invalid or unknown. 2: it could not start.

    \b
    Examples:
        bakeoff run --quick
        bakeoff run --engine temporal --engine celery --orders my-orders.csv --out runs/first
        bakeoff run --saga my_package.my_module:MY_SAGA
        bakeoff run --scenario scarcity
    """
    began_s = time.monotonic()
    chosen = choose_engines(engine, config=config, sets=set_, raws=set_raw)
    check_slots_of(chosen, slots)
    the_saga, references = choose_saga(saga)
    check_ledger_of_run(ledger, len(chosen))
    check_json(json_, out)
    book = _orders(orders, count, quick)
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
    )
    all_of_them = contestants(plan)
    names = ", ".join(one.chosen.name for one in all_of_them)
    with _folder(out) as folder:
        seconds = expected_seconds(plan, all_of_them)
        say(
            f"{len(book.orders)} {the_saga.name} sagas on each engine ({names}): about {seconds:.0f} s in all"
        )
        try:
            run_interruptibly(conduct(plan, all_of_them, folder, began_s))
        except KeyboardInterrupt:
            say("broken off; " + (f"judge what was done: bakeoff check {out}" if out else "nothing kept"))
            raise
        result = result_of(folder)
        show_result(result)
        _write_json(result, json_)
        first = result["first_settled_s"]
        if first is not None:
            say(
                f"first saga settled {first:.1f} s after the start; {time.monotonic() - began_s:.0f} s in all"
            )
        say(
            f"kept in {out}; judge it again with: bakeoff check {out}"
            if out
            else "nothing kept (--out DIR keeps it)"
        )
    _exit(result)


def check(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A folder that `bakeoff run`, `crash` or `load` wrote (--out)."),
    ],
    json_: JsonOption = None,
    plot: PlotOption = None,
) -> None:
    """Judge a stored run again, from its plan, ledger and history.

    \b
    Example:
        bakeoff check runs/first
    """
    check_json(json_)
    check_plot(plot)
    if is_crash_folder(directory):
        check_crash(directory, json_, plot)
        return
    if plot is not None:
        raise UsageError("--plot: recovery is drawn of what `bakeoff crash` or `sweep` wrote")
    if is_load_folder(directory):
        check_load(directory, json_)
        return
    with reading(directory):  # what no look at a single file can find
        result = result_of(RunFolder(directory))
        show_result(result)
    _write_json(result, json_)
    _exit(result)


def scenarios() -> None:
    """List the scenarios that `bakeoff run --scenario` and `bakeoff load --scenario` know.

    \b
    Example:
        bakeoff scenarios
    """
    rows = [["run", one.name, one.description] for one in SCENARIOS.values()]
    rows += [["load", one.name, one.description] for one in LOADS.values()]
    show_table(["bakeoff", "scenario", "what it is"], rows)


def _orders(path: str | None, count: int | None, quick: bool) -> OrderBook:
    if path is not None:
        book = load_orders(path)
        return book.take(count if count is not None else _QUICK_COUNT if quick else len(book.orders))
    return real_orders(count or (_QUICK_COUNT if quick else _COUNT))


def check_ledger_of_run(ledger: str, engines: int) -> None:
    """Refuse a ledger that this many engines cannot use; ``UsageError`` says why."""
    if check_ledger(ledger) not in ("sqlite", "postgres"):
        if ledger.startswith("sqlite"):
            raise UsageError("--ledger sqlite keeps the file in the run folder (--out DIR); give no file")
        if engines > 1:
            raise UsageError(
                "--ledger URL: every engine needs an empty database of its own; choose one with --engine"
            )
        check_ledger_is_empty(ledger)


def check_json(file: Path | None, out: Path | None = None) -> None:
    """Find out before the run, not after it, that the result cannot be written.

    Args:
        file: Where the result goes.
        out: The new folder of ``--out``; in there nothing of the user's can be before the run.

    Raises:
        UsageError: If it cannot be written, or lies in ``out``.
    """
    if file is None:
        return
    if out is not None and (file.resolve() == out.resolve() or out.resolve() in file.resolve().parents):
        raise UsageError(f"--json {file}: cannot be written into --out {out}, which is to be a new folder")
    try:
        existed = file.exists()
        file.open("a").close()
        if not existed:
            file.unlink()
    except OSError as error:
        raise UsageError(f"--json {file}: cannot be written ({error.strerror})") from error


@contextmanager
def _folder(out: Path | None) -> Iterator[RunFolder]:
    """The user's folder, or one that is gone afterwards; nothing is left of a run that never began."""
    if out is None:
        with scratch_folder("run") as path:
            yield RunFolder(path)
        return
    existed = out.exists()
    folder = RunFolder.create(out)
    try:
        yield folder
    except BakeoffError:
        if not all_stacks_were_up(folder):
            for path in out.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if not existed:
                out.rmdir()
        raise


def _write_json(result: dict[str, Any], json_: Path | None) -> None:
    if json_ is not None:
        json_.write_text(json.dumps(result, indent=2, default=str) + "\n")


def _exit(result: dict[str, Any]) -> None:
    if result["validity"] != "valid":
        raise typer.Exit(1)
