"""The crash matrix as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.crash.cells import NOT_OBSERVED, Cell, Times, cell_of, group, outcome_word
from bakeoff_bench.crash.manifest import commands_of
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome
from bakeoff_bench.run.journal import Row

_STYLES = {str(outcome): "bold red" for outcome in HARMFUL} | {
    str(KillOutcome.CLEAN): "green",
    str(KillOutcome.RETRIED): "green",
    str(KillOutcome.WOULD_HAVE_DUPLICATED): "yellow",
    str(KillOutcome.NOT_SUPPORTED): "dim",
    NOT_OBSERVED: "dim",
}


_COLUMNS = (
    "contestant",
    "fault",
    "kills",
    "outcomes",
    "not all-or-nothing (95 %)",
    "detected",
    "progress",
    "recovered",
)


def show_matrix(rows: Sequence[Row], manifest: Mapping[str, Any]) -> None:
    """Points down, contestants across; then a line per contestant and fault, and what must be explained."""
    for number, series in enumerate(manifest["series"]):
        of_series = [row for row in rows if row["series"] == number]
        for fault, of_fault in group(of_series, lambda row: row["fault"]).items():
            _show_points(f"{fault}, {series['title']}", of_fault, series)
    say("seconds: median from the fault to the end of every saga in flight; mostly it is the lease")
    lanes = manifest.get("asked", {}).get("lanes", 1)
    if lanes > 1:
        say(
            f"up to {lanes} kills computed at the same time: where nobody waits for a lease, recovery is the "
            "start of a process, and longer than with --lanes 1"
        )
    _show_sums(rows)
    _show_what_to_explain(rows, commands_of(manifest))


def _show_points(title: str, rows: Sequence[Row], series: Mapping[str, Any]) -> None:
    at = group(rows, lambda row: (row["point"], row["contestant"]))
    names = [name for name in series["contestants"] if any(name == contestant for _, contestant in at)]
    points = [point for point in series["points"] if any(point == where for where, _ in at)]
    say()
    show_table(
        [title, *names],
        [[point, *(_cell(at.get((point, name), [])) for name in names)] for point in points],
        styles=_STYLES,
    )


def _cell(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    cell = cell_of(rows)
    words = ", ".join(what if len(rows) == 1 else f"{n} {what}" for what, n in cell.outcomes.items())
    return f"{words} {cell.recovery.median_s:.1f} s" if cell.recovery.median_s is not None else words


def _show_sums(rows: Sequence[Row]) -> None:
    say()
    sums = group(rows, lambda row: (row["contestant"], row["fault"]))
    show_table(
        _COLUMNS,
        [
            [
                *key,
                str(cell.landed),
                ", ".join(f"{n} {what}" for what, n in cell.outcomes.items()),
                _share(cell),
                *(_span(times, cell) for times in (cell.detection, cell.first_progress, cell.recovery)),
            ]
            for key, cell in ((key, cell_of(found)) for key, found in sums.items())
        ],
        keys=2,
    )
    say("kills: those that landed; times: median (shortest to longest) after the fault, >: not by then")
    say("not all-or-nothing: the share of these kills, at these points; each point stands alone above")


def _share(cell: Cell) -> str:
    if cell.harm is None:
        return "-"
    low, high = cell.harm
    return f"{cell.harmed} of {cell.judged} ({100 * low:.0f} to {100 * high:.0f} %)"


def _span(times: Times, cell: Cell) -> str:
    beyond = f"> {cell.deadline_s:.0f}" if times.censored else "never"
    if not times.seen_s:
        documented = f", documented {cell.documented_s:.0f} s" if cell.documented_s else ""
        return f"{beyond} s{documented}" if times.censored else "never" if times.never else "-"
    middle = beyond if times.median_s is None else f"{times.median_s:.1f}"
    longest = beyond if times.censored or times.never else f"{times.seen_s[-1]:.1f}"
    return f"{middle} s ({times.seen_s[0]:.1f} to {longest})"


def _show_what_to_explain(rows: Sequence[Row], commands: Mapping[str, str]) -> None:
    """What is neither clean nor retried, by contestant and outcome, with the command that reproduces it."""
    fine = (KillOutcome.CLEAN, KillOutcome.RETRIED)
    odd = [row for row in rows if KillOutcome(row["outcome"]) not in fine]
    for (name, fault, outcome), found in group(
        odd, lambda row: (row["contestant"], row["fault"], outcome_word(row))
    ).items():
        say()
        say(f"{name}, {fault}: {outcome}", style=_STYLES.get(outcome))
        if outcome == NOT_OBSERVED:
            lease_s, deadline_s = found[0]["lease_s"], found[0]["deadline_s"]
            say(f"  not within {deadline_s:.0f} s; by its documentation about {lease_s:.0f} s")
        points = group(found, lambda row: (row["point"], row["detail"]))
        for (point, detail), same in points.items():
            say(f"  {point}{f' ({len(same)} times)' if len(same) > 1 else ''}: {detail}")
        if outcome != KillOutcome.NOT_SUPPORTED:
            where = " ".join(f"--point {point}" for point in dict.fromkeys(row["point"] for row in found))
            say(
                f"  {commands[name]} --deadline {found[0]['deadline_s']:g} --fault {fault} {where}",
                style="dim",
            )
