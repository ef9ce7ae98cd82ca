"""`bakeoff crash`: what became of the sagas wherever their processes died."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff_bench.crash.cells import NOT_OBSERVED, cell_of, group, is_harmful, outcome_word
from bakeoff_bench.crash.manifest import commands_of
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Section, Table, cell
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

ID = "crashes"
COLUMN = "killed processes"
_MOODS = {
    KillOutcome.CLEAN: Mood.GOOD,
    KillOutcome.RETRIED: Mood.GOOD,
    KillOutcome.WOULD_HAVE_DUPLICATED: Mood.CAUTION,
    KillOutcome.VOID: Mood.SILENT,
    KillOutcome.NOT_SUPPORTED: Mood.SILENT,
}
_SILENT = (KillOutcome.VOID, KillOutcome.NOT_SUPPORTED)
#: The order of words in a cell, the worst first.
_WORST = [*reversed(KillOutcome)]


def told(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: harmed of all kills that were judged}``, with Wilson's interval."""
    found: dict[str, Cell] = {}
    for number, source in enumerate(of_kind(sources, Kind.CRASH)):
        for name, rows in group(source.result["kills"], lambda row: row["contestant"]).items():
            found[name] = _share(rows, slug(ID, "sums", number))
    return found


def section(sources: Sequence[Source]) -> Section | None:
    """Per series and fault the points against the contestants, then the sums."""
    runs = of_kind(sources, Kind.CRASH)
    if not runs:
        return None
    blocks = []
    for number, run in enumerate(runs):
        blocks += _points(number, run)
        blocks.append(_sums(number, run))
    return Section(
        id=ID,
        title="Wherever a process dies",
        lead=(
            "A process is killed while a saga stands at a named point, confirmed by a row in the ledger "
            "before and "
            "the process's end after. The ledger alone says what became of the saga.",
            "Clean: one attempt, one effect. Retried: more attempts, one effect. Would have duplicated: "
            "tried again "
            "after a committed effect; only the idempotency key kept it from happening twice. The seconds "
            "are the "
            "median from the fault to the end of every saga in flight.",
        ),
        blocks=blocks,
        notes=[note for run in runs for note in _notes(run)],
    )


def _points(number: int, run: Source) -> list[Table]:
    tables = []
    for place, series in enumerate(run.about["series"]):
        of_series = [row for row in run.result["kills"] if row["series"] == place]
        for fault, rows in group(of_series, lambda row: row["fault"]).items():
            at = group(rows, lambda row: (row["point"], row["contestant"]))
            names = [name for name in series["contestants"] if any(name == who for _, who in at)]
            points = [point for point in series["points"] if any(point == where for where, _ in at)]
            tables.append(
                Table(
                    id=slug(ID, number, place, fault),
                    title=f"{fault}, {series['title']} ({run.path.name})",
                    columns=["point", *names],
                    rows=[[point, *(_cell(at.get((point, name), [])) for name in names)] for point in points],
                    conditions=f"{series['kills']} kills per cell, waited for {series['deadline_s']:g} s; "
                    f"seed {run.about['seed']}, {run.about['participants']} services.",
                    command=_command(run, series, fault),
                )
            )
    return tables


def _command(run: Source, series: Mapping[str, Any], fault: str) -> str:
    """Of the whole table; each cell's own command is that of its contestant, with the point."""
    asked = run.about.get("asked", {})
    words = ["bakeoff crash", *(f"--engine {name}" for name in asked.get("options", {}).get("engines", []))]
    words += [f"--fault {fault}", f"--kills {series['kills']}", f"--deadline {series['deadline_s']:g}"]
    return " ".join([*words, f"--seed {run.about['seed']}"])


def _cell(rows: Sequence[Row]) -> Cell:
    if not rows:
        return cell("not done", Mood.SILENT)
    summed = cell_of(rows)
    words = sorted(summed.outcomes.items(), key=lambda one: _rank(one[0]))
    text = ", ".join(what if len(rows) == 1 else f"{n} {what}" for what, n in words)
    if summed.recovery.median_s is not None:
        text += f", {summed.recovery.median_s:.1f} s"
    details = "; ".join(dict.fromkeys(row["detail"] for row in rows if row["detail"]))
    return cell(text, _mood(rows), note=details[:300])


def _rank(word: str) -> int:
    return len(_WORST) if word == NOT_OBSERVED else _WORST.index(KillOutcome(word))


def _mood(rows: Sequence[Row]) -> Mood:
    """Of the worst that was seen; void kills say nothing beside others that landed."""
    told_of = [row for row in rows if row["outcome"] not in _SILENT]
    if not told_of:
        return Mood.SILENT
    if any(is_harmful(row) for row in told_of):
        return Mood.BAD
    moods = {
        _MOODS.get(KillOutcome(word), Mood.BAD) for word in map(outcome_word, told_of) if word != NOT_OBSERVED
    }
    return Mood.CAUTION if Mood.CAUTION in moods else Mood.GOOD if moods else Mood.SILENT


def _sums(number: int, run: Source) -> Table:
    commands, order = commands_of(run.about), list(run.about["contestants"])
    by_name = group(run.result["kills"], lambda row: (row["contestant"], row["fault"]))
    rows: list[list[Cell | str]] = []
    for (name, fault), kills in sorted(by_name.items(), key=lambda one: order.index(one[0][0])):
        summed = cell_of(kills)
        rows.append(
            [
                cell(name, note=commands.get(name, "")),
                fault,
                str(summed.landed),
                ", ".join(f"{n} {what}" for what, n in summed.outcomes.items()),
                _share(kills, ""),
                _seconds(summed.detection.median_s),
                _seconds(summed.first_progress.median_s),
                _span(kills),
                _seconds(summed.documented_s),
            ]
        )
    return Table(
        id=slug(ID, "sums", number),
        title=f"All kills of a contestant together ({run.path.name})",
        columns=[
            "contestant",
            "fault",
            "landed",
            "outcomes",
            "not all-or-nothing (95 %)",
            "detected, s",
            "first progress, s",
            "full recovery, s",
            "lease, s",
        ],
        rows=rows,
        conditions="Medians, of full recovery with the shortest and longest; the intervals are Wilson's. "
        "Kills at different points are not alike: the share is of these kills, at these points.",
        command=f"bakeoff check {run.path}",
    )


def _share(kills: Sequence[Row], link: str) -> Cell:
    summed = cell_of(kills)
    if summed.harm is None:
        return cell("not judged", Mood.SILENT, link)
    low, high = summed.harm
    text = f"{summed.harmed} of {summed.judged} harmed ({100 * low:.0f} to {100 * high:.0f} %)"
    return cell(text, Mood.BAD if summed.harmed else Mood.GOOD, link)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _span(kills: Sequence[Row]) -> str:
    times = cell_of(kills).recovery
    if not times.seen_s:
        return "never" if times.never else f"not within {kills[0]['deadline_s']:g}" if times.censored else "-"
    middle = "beyond the deadline" if times.median_s is None else f"{times.median_s:.1f}"
    return f"{middle} ({times.seen_s[0]:.1f} to {times.seen_s[-1]:.1f})"


def _notes(run: Source) -> list[str]:
    """What must be explained, with the command that makes the same kill again."""
    commands = commands_of(run.about)
    found = []
    kills = [row for row in run.result["kills"] if is_harmful(row)]
    for (name, fault, word), rows in group(
        kills, lambda row: (row["contestant"], row["fault"], outcome_word(row))
    ).items():
        where = " ".join(f"--point {point}" for point in dict.fromkeys(row["point"] for row in rows))
        again = f"{commands[name]} --deadline {rows[0]['deadline_s']:g} --fault {fault} {where}"
        found.append(f"{name}, {fault}, {len(rows)} times {word}: {rows[0]['detail']}. Again: {again}")
    planned = sum(
        len(one["contestants"]) * len(one["faults"]) * len(one["points"]) * one["kills"]
        for one in run.about["series"]
    )
    if left := planned - len(run.result["kills"]):
        found.append(f"{left} of {planned} kills are not made yet: bakeoff crash --resume {run.path}")
    return found
