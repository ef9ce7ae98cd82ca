"""``bakeoff compare``, ``combine`` and ``export``: what is done with stored load runs."""

from __future__ import annotations

from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bakeoff.cli.screen import say, show_table, warn
from bakeoff_bench.load.extra import check_extra
from bakeoff_bench.run.command import check_json
from bakeoff_bench.run.output import check_file, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bakeoff_bench.runs.against import Change

RunArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `bakeoff load --out` wrote.")]


class What(StrEnum):
    """Which table."""

    LOADS = "loads"
    SAMPLES = "samples"
    RESOURCES = "resources"


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="The run before the change.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The run after it.")],
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="METRIC:PERCENT",
            help="Exit code 1 if it is worse by more, beyond chance, or B tells none; repeat: p95:10%.",
        ),
    ] = None,
    json_: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="The changes as JSON.")] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="A Markdown table, for a pull request, and nothing else.")
    ] = False,
) -> None:
    """Set two load runs against each other: what changed, with 95 % intervals.

    Rounds of two runs are no pairs, so what slowed the machine during one of them is in the difference:
    where it matters, run both sides in one `bakeoff load` with `--config` or `--set`.

    \b
    Examples:
        bakeoff compare runs/before runs/after --fail-if p95:10% --fail-if settled_per_s:5%
        bakeoff compare runs/before runs/after --markdown > comparison.md
    """
    check_extra()
    from bakeoff_bench.load.folder import LoadFolder
    from bakeoff_bench.load.words import speeds_apart
    from bakeoff_bench.run.stored import reading
    from bakeoff_bench.runs.against import Limit, broken, changes, untold
    from bakeoff_bench.runs.markdown import markdown_of
    from bakeoff_bench.runs.rounds import series_of

    check_json(json_, reads=[before, after])
    limits = [Limit.read(text) for text in fail_if or ()]
    folders = [LoadFolder(path) for path in (before, after)]
    manifests = []
    series = []
    for path, folder in zip((before, after), folders, strict=True):
        with reading(path):
            manifests.append(folder.manifest())
            series.append(series_of(folder.rows()))
    for what in ("machine", "plan"):
        if manifests[0][what] != manifests[1][what]:
            warn(f"the runs differ in their {what}: differences below are its differences, too")
    if words := speeds_apart(manifests[0], manifests[1]):
        warn(words)
    missing = untold(limits, series[0], series[1], manifests[1]["contestants"])
    found = changes(*series)
    worse = broken(limits, found)
    notes = {label: about["note"] for label, about in manifests[1]["contestants"].items() if about["note"]}
    shown, shown_worse = (_called(manifests[1], some) for some in (found, worse))
    if markdown:
        typer.echo(markdown_of(shown, shown_worse, (before.name, after.name), notes, missing))
    else:
        _show(shown, shown_worse)
        for label, note in notes.items():
            say(f"{label}: {note}")
    for sentence in missing:
        warn(sentence)
    write_json(json_, [asdict(one) for one in found])
    if worse or missing:
        raise typer.Exit(1)


def _called(manifest: Mapping[str, Any], found: Sequence[Change]) -> list[Change]:
    """With the name of every closed loop saying that it is one."""
    closed = {block["name"] for block in manifest["plan"]["blocks"] if block["users"]}
    return [replace(one, block=f"{one.block} (closed loop)") if one.block in closed else one for one in found]


def _show(found: Sequence[Change], worse: Sequence[Change]) -> None:
    show_table(
        ["contestant", "block", "what", "A", "B", "B / A", "95 %", "rounds"],
        [
            [
                one.contestant,
                one.block,
                one.metric,
                f"{one.before:.4g}",
                f"{one.after:.4g}",
                f"{one.ratio:.3f}",
                "one round" if one.low is None else f"{one.low:.3f} to {one.high:.3f}",
                f"{one.rounds[0]} and {one.rounds[1]}",
            ]
            for one in found
        ],
        keys=3,
    )
    for one in worse:
        say(f"worse than allowed: {one.contestant}, {one.block}: {one.metric} x {one.ratio:.3f}", style="red")


def combine(
    runs: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Load runs of the same plan.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder.")],
) -> None:
    """Make one load run of several: rounds of other days or machines, pooled.

    Contestants, blocks and settings must be the same. What was measured on another machine is told.

    \b
    Example:
        bakeoff combine runs/monday runs/tuesday --out runs/both
    """
    check_extra()
    from bakeoff_bench.runs.combining import combined

    folder = combined(runs, out)
    machines = [one["machine"] for one in folder.manifest()["combined"]]
    for path, machine in zip(runs[1:], machines[1:], strict=True):
        if machine != machines[0]:
            warn(f"{path} was measured on another machine than {runs[0]}: their rounds differ by that, too")
    say(f"{len(folder.rows())} loads of {len(runs)} runs in {out}; show them: bakeoff check {out}")


def export(
    run: RunArgument,
    csv: Annotated[Path, typer.Option("--csv", metavar="FILE", help="Where the table goes.")],
    what: Annotated[What, typer.Option("--what", help="Loads, single sagas, or resources.")] = What.LOADS,
) -> None:
    """Write a table of a load run as CSV; docs/load.md describes the columns.

    \b
    Example:
        bakeoff export runs/load --csv loads.csv
        bakeoff export runs/load --what samples --csv sagas.csv
    """
    check_extra()
    from bakeoff_bench.runs.exporting import export_csv

    check_file("--csv", csv, reads=[run])
    count = export_csv(run, what.value, csv)
    say(f"{count} rows in {csv}")
