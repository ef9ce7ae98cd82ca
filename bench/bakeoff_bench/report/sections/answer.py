"""The answer: one paragraph, one table, every cell on its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff_bench.crash.cells import cell_of, group
from bakeoff_bench.crash.declared import gap_of
from bakeoff_bench.report.page import Cell, Mood, Section, Table, cell
from bakeoff_bench.report.sections import correctness, costs, crashes, loads, promises, recovery
from bakeoff_bench.report.sections.guarantees import ENOUGH
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

ID = "answer"
_INTERVALS = (
    "n and interval are in brackets: of kills how many were seen, of loads how many rounds, from the lowest "
    "to the highest (recovery: the shortest to the longest; a share of kills: Wilson's 95 %); one load: no "
    "interval."
)


def section(sources: Sequence[Source]) -> Section | None:
    """Contestants down, kinds of evidence across; what was not looked at says so.

    Returns:
        ``None`` if the sources say nothing of any contestant, but what the harness costs.
    """
    columns: dict[str, Mapping[str, Cell]] = {
        correctness.COLUMN: correctness.told(sources),
        promises.COLUMN: promises.told(sources),
        crashes.COLUMN: crashes.told(sources),
        recovery.COLUMN: recovery.told(sources),
        loads.LEDGER_COLUMN: loads.told_ledger(sources),
        loads.RATE_COLUMN: loads.told_rate(sources),
        loads.P95_COLUMN: loads.told_p95(sources),
        costs.COLUMN: costs.told(sources),
    }
    columns = {name: cells for name, cells in columns.items() if cells}
    labels = sorted({label for cells in columns.values() for label in cells})
    if not labels:
        return None
    unmeasured = cell("not measured", Mood.SILENT, "unknown")
    return Section(
        id=ID,
        title="The answer",
        lead=[" ".join(_paragraph(sources, labels))],
        blocks=[
            Table(
                id=f"{ID}-table",
                title="At a glance",
                columns=["contestant", *columns],
                rows=[
                    [label, *(cells.get(label, unmeasured) for cells in columns.values())] for label in labels
                ],
                conditions=f"Every cell leads to its evidence. {_INTERVALS} Different guarantees are not "
                "ranked by speed.",
            )
        ],
        notes=_notes(sources),
    )


def _notes(sources: Sequence[Source]) -> list[str]:
    """What belongs beside every number of a contestant, by its own word: rule 17."""
    found = {}
    for source in sources:
        for label, about in source.contestants.items():
            if about.get("note"):
                found[label] = f"{label}: {about['note']}."
    return [found[label] for label in sorted(found)]


def _paragraph(sources: Sequence[Source], labels: Sequence[str]) -> list[str]:
    """Sentences, each of which one column carries."""
    words = [f"{len(labels)} contestant{'' if len(labels) == 1 else 's'}."]
    words += _of_runs(sources)
    words += [sentence for fault, word in _KILLED.items() if (sentence := _of_kills(sources, fault, word))]
    words += _of_promises(sources)
    words += _of_loads(sources)
    words.append("Which one to take follows from what you must have: bakeoff decide --init asks for that.")
    return words


#: ``{fault: what was done}`` of the faults that the answer is about.
_KILLED = {"worker-kill": "a worker", "server-kill": "a server or broker"}


def _of_runs(sources: Sequence[Source]) -> list[str]:
    words = []
    for run in of_kind(sources, Kind.RUN):
        by_verdict: dict[str, list[str]] = {}
        for name, about in run.result["engines"].items():
            by_verdict.setdefault(about["validity"], []).append(run.label(name))
        if valid := by_verdict.pop("valid", []):
            words.append(f"Every saga of {run.name} came to its computed end on {', '.join(valid)}.")
        if invalid := by_verdict.pop("invalid", []):
            words.append(f"An invariant was broken in {run.name} on {', '.join(invalid)}.")
        words += [
            f"{verdict.capitalize()} in {run.name}: {', '.join(names)}."
            for verdict, names in by_verdict.items()
        ]
    return words


def _of_kills(sources: Sequence[Source], fault: str, word: str) -> str:
    """How many were judged to an end, and who came to harm."""
    kills = [
        row
        for run in of_kind(sources, Kind.CRASH)
        for row in run.result["kills"]
        if row["fault"] == fault and row["outcome"] not in ("void", "not supported")
    ]
    by_name = {name: cell_of(rows) for name, rows in group(kills, lambda row: row["contestant"]).items()}
    judged = {name: summed for name, summed in by_name.items() if summed.judged}
    if not judged:
        return ""
    harmed = [name for name, summed in judged.items() if summed.harmed]
    if not harmed:
        end = "no saga came to harm"
    elif len(harmed) == len(judged):
        end = "sagas came to harm on every contestant"
    else:
        end = f"no saga came to harm, except on {', '.join(harmed)}"
    count = sum(summed.judged for summed in judged.values())
    unseen = sum(summed.landed - summed.judged for summed in by_name.values())
    more = f" ({unseen} more were not observed to their end)" if unseen else ""
    return f"{word.capitalize()} was killed {count} times{more}: {end}."


def _of_promises(sources: Sequence[Source]) -> list[str]:
    """Who came through a worker's death without promising it, and how little a few kills tell."""
    kills: dict[str, list[Row]] = {}
    abouts: dict[str, Mapping[str, Any]] = {}
    for run in of_kind(sources, Kind.CRASH):
        abouts |= run.about["contestants"]
        for row in run.result["kills"]:
            if row["fault"] == "worker-kill":
                kills.setdefault(row["contestant"], []).append(row)
    whole = {name: cell_of(rows) for name, rows in kills.items()}
    unharmed = {name: summed for name, summed in whole.items() if summed.judged and not summed.harmed}
    words = []
    if lucky := [name for name in unharmed if gap_of(abouts[name], "worker-kill")]:
        words.append(f"{', '.join(lucky)} came through too, but does not promise that for every moment.")
    few = [summed for name, summed in unharmed.items() if name not in lucky and summed.judged < ENOUGH]
    if few and (open_ := max(summed.harm.high for summed in few if summed.harm is not None)):
        fewest = min(summed.judged for summed in few)
        words.append(
            f"So few kills prove little: after {fewest} without harm up to {100 * open_:.0f} % may still do "
            "some; bakeoff crash does more."
        )
    return words


def _of_loads(sources: Sequence[Source]) -> list[str]:
    words = []
    for run in of_kind(sources, Kind.LOAD):
        rates = [
            about["sustained"]["rate_per_s"]
            for about in run.result["contestants"].values()
            if "sustained" in about
        ]
        found = sorted(float(rate) for rate in rates if rate)
        if found:
            words.append(
                f"Sustained were {found[0]:.1f} to {found[-1]:.1f} sagas per second; compare those that "
                "guarantee the same."
            )
        pairs = run.result["comparisons"]
        differ = [one for one in pairs if one["finding"] == "different"]
        if pairs:
            words.append(f"{len(differ)} of {len(pairs)} pairs differ by more than their noise ({run.name}).")
    return words
