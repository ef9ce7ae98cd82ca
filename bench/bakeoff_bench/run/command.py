"""``bakeoff check`` and ``bakeoff scenarios``, and what commands that write runs share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.cli.options import (
    check_ledger,
    check_ledger_is_empty,
)
from bakeoff.cli.screen import say, show_table
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.orders.loader import OrderBook, load_orders, real_orders
from bakeoff.processes import scratch_folder
from bakeoff_bench.crash.check import check_crash
from bakeoff_bench.crash.folder import is_crash_folder
from bakeoff_bench.crash.picture import PlotOption, check_plot
from bakeoff_bench.load.check import check_load
from bakeoff_bench.load.extra import is_load_folder
from bakeoff_bench.run.conduct import all_stacks_were_up
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.journal import MANIFEST
from bakeoff_bench.run.output import check_file, write_json
from bakeoff_bench.run.result import result_of
from bakeoff_bench.run.stored import reading
from bakeoff_bench.run.tables import show_result
from bakeoff_scenarios import LOADS, SCENARIOS

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
    check_json(json_, reads=[directory])
    check_plot(plot)
    if is_crash_folder(directory):
        check_crash(directory, json_, plot)
        return
    if plot is not None:
        raise UsageError("--plot: recovery is drawn of what `bakeoff crash` or `sweep` wrote")
    if is_load_folder(directory):
        check_load(directory, json_)
        return
    parts = [name for name in ("crash", "load") if (directory / name / MANIFEST).is_file()]
    if parts and not (directory / MANIFEST).exists():
        lines = " and ".join(f"bakeoff check {directory / name}" for name in parts)
        raise UsageError(f"{directory} holds parts of a run, each judged by itself: {lines}")
    with reading(directory):  # what no look at a single file can find
        result = result_of(RunFolder(directory))
        show_result(result)
    for part in parts:
        say(f"its {part} part: bakeoff check {directory / part}")
    write_json(json_, result)
    exit_of(result)


def scenarios() -> None:
    """List the scenarios that `bakeoff run --scenario` and `bakeoff load --scenario` know.

    \b
    Example:
        bakeoff scenarios
    """
    rows = [["run", one.name, one.description] for one in SCENARIOS.values()]
    rows += [["load", one.name, one.description] for one in LOADS.values()]
    show_table(["bakeoff", "scenario", "what it is"], rows)


def orders_of(path: str | None, count: int | None, quick: bool) -> OrderBook:
    """The user's orders, or real ones; as many as were asked for."""
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


def check_json(file: Path | None, out: Path | None = None, reads: Sequence[Path] = ()) -> None:
    """``check_file`` of ``--json``, if it was given."""
    if file is not None:
        check_file("--json", file, reads=reads, whole=out)


@contextmanager
def run_folder(out: Path | None) -> Iterator[RunFolder]:
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
        if not all_stacks_were_up(folder) and not _has_rows(out):
            for path in out.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if not existed:
                out.rmdir()
        raise


def _has_rows(out: Path) -> bool:
    """Whether a kill or a load was made in it."""
    return any(file.stat().st_size for name in ("kills.jsonl", "loads.jsonl") for file in out.rglob(name))


def exit_of(result: dict[str, Any]) -> None:
    """End with code 1 unless everything is valid."""
    if result["validity"] != "valid":
        raise typer.Exit(1)
