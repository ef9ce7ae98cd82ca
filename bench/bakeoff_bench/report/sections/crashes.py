"""`bakeoff crash`: what became of the sagas wherever their processes died."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bakeoff_bench.crash.cells import Times, cell_of, group, is_harmful, outcome_word
from bakeoff_bench.crash.declared import gap_of
from bakeoff_bench.crash.manifest import commands_of
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Section, Table, cell, worst
from bakeoff_bench.report.sections.classes import Measured, beside
from bakeoff_bench.report.sections.killed import SECONDS, kills_cell
from bakeoff_bench.report.sections.rounds import spread
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

ID = "crashes"
COLUMN = "killed processes"


def told(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: harmed of all kills that were judged}``, with Wilson's interval."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.CRASH):
        for name, rows in group(source.result["kills"], lambda row: row["contestant"]).items():
            about, more = source.about["contestants"][name], short_leases(source, rows)
            if not_promised := any(gap_of(about, fault) for fault in {row["fault"] for row in rows}):
                more += ", not promised"
            told = _share(rows, slug(ID, "sums", source.number), more)
            if not_promised and told.mood is Mood.GOOD:
                told = replace(told, mood=Mood.CAUTION)
            worst(found, name, told)
    return found


def short_leases(run: Source, rows: Sequence[Row]) -> str:
    """What must be said of kills whose contestant had other leases than its class."""
    titles = {run.about["series"][row["series"]]["title"] for row in rows}
    return ", short leases" if any("short leases" in title for title in titles) else ""


def section(sources: Sequence[Source]) -> Section | None:
    """Class beside class where several were measured, every other series by itself, then the sums."""
    runs = of_kind(sources, Kind.CRASH)
    if not runs:
        return None
    blocks, shown = beside(runs, ID)
    for run in runs:
        blocks += _points(run, shown)
        blocks.append(_sums(run))
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
            "median from the fault to the end of every saga in flight, in brackets the shortest and longest.",
        ),
        blocks=blocks,
        notes=[note for run in runs for note in _notes(run)],
    )


def _points(run: Source, shown: frozenset[Measured]) -> list[Table]:
    """A table per series and fault of whoever is not shown already."""
    tables = []
    for place, series in enumerate(run.about["series"]):
        of_series = [row for row in run.result["kills"] if row["series"] == place]
        for fault, rows in group(of_series, lambda row: row["fault"]).items():
            at = group(rows, lambda row: (row["point"], row["contestant"]))
            names = [
                name
                for name in series["contestants"]
                if any(name == who for _, who in at) and (run.number, place, fault, name) not in shown
            ]
            if not names:
                continue
            points = [point for point in series["points"] if any(point == where for where, _ in at)]
            tables.append(
                Table(
                    id=slug(ID, run.number, place, fault),
                    title=f"{fault}, {series['title']} ({run.name})",
                    columns=["point", *names],
                    rows=[
                        [point, *(kills_cell(at.get((point, name), []), series["kills"]) for name in names)]
                        for point in points
                    ],
                    conditions=f"{series['kills']} kills per cell, waited for {series['deadline_s']:g} s; "
                    f"seed {run.about['seed']}, {run.about['participants']} services. {SECONDS}",
                    command=run.command,
                )
            )
    return tables


def _sums(run: Source) -> Table:
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
                _share(kills),
                _times(summed.detection),
                _times(summed.first_progress),
                _span(kills),
                _seconds(summed.documented_s),
            ]
        )
    return Table(
        id=slug(ID, "sums", run.number),
        title=f"All kills of a contestant together ({run.name})",
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
        conditions="Seconds are medians with the shortest and longest that were seen; n is how many landed; "
        "the intervals of shares are Wilson's. Kills at different points are not alike: the share is of "
        "these kills, at these points.",
        command=judged_again(run),
    )


def judged_again(run: Source, *options: str) -> str:
    """What makes its kills again, and what judges those that were kept, with these options."""
    return f"{run.command}; {' '.join(['bakeoff', 'check', run.place, *options])}"


def _share(kills: Sequence[Row], link: str = "", more: str = "") -> Cell:
    summed = cell_of(kills)
    unseen = summed.landed - summed.judged
    beside = f", {unseen} not observed" if unseen else ""
    if summed.harm is None:
        return cell(f"not judged{beside}{more}", Mood.SILENT, link)
    low, high = summed.harm
    text = f"{summed.harmed} of {summed.judged} harmed ({100 * low:.0f} to {100 * high:.0f} %){beside}{more}"
    mood = Mood.BAD if summed.harmed else Mood.CAUTION if unseen else Mood.GOOD
    return cell(text, mood, link)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _times(times: Times) -> str:
    return "-" if times.median_s is None else spread(times.median_s, times.seen_s, "{:.1f}".format)


def _span(kills: Sequence[Row]) -> str:
    times = cell_of(kills).recovery
    if not times.seen_s:
        late = f"not within {kills[0]['deadline_s']:g}"
        return late if times.censored else "never" if times.never else "-"
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
        found.append(f"{left} of {planned} kills are not made yet: bakeoff crash --resume {run.place}")
    return found
