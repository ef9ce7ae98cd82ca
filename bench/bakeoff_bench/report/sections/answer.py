"""The answer: one paragraph, one table, every cell on its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bakeoff_bench.crash.cells import is_harmful
from bakeoff_bench.report.page import Cell, Mood, Section, Table, cell
from bakeoff_bench.report.sections import correctness, costs, crashes, loads, promises, recovery
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "answer"


def section(sources: Sequence[Source]) -> Section:
    """Contestants down, kinds of evidence across; what was not looked at says so."""
    columns: dict[str, Mapping[str, Cell]] = {
        correctness.COLUMN: correctness.told(sources),
        promises.COLUMN: promises.told(sources),
        crashes.COLUMN: crashes.told(sources),
        recovery.COLUMN: recovery.told(sources),
        loads.RATE_COLUMN: loads.told_rate(sources),
        loads.P95_COLUMN: loads.told_p95(sources),
        costs.COLUMN: costs.told(sources),
    }
    columns = {name: cells for name, cells in columns.items() if cells}
    labels = sorted({label for cells in columns.values() for label in cells})
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
                conditions="Every cell leads to its evidence. Different guarantees are not ranked by speed.",
            )
        ],
    )


def _paragraph(sources: Sequence[Source], labels: Sequence[str]) -> list[str]:
    """Sentences, each of which one column carries."""
    words = [f"{len(labels)} contestants."]
    words += _of_runs(sources)
    words += [sentence for fault, word in _KILLED.items() if (sentence := _of_kills(sources, fault, word))]
    words += _of_loads(sources)
    return words


#: ``{fault: what was done}`` of the faults that the answer is about.
_KILLED = {"worker-kill": "a worker", "server-kill": "a server or broker"}


def _of_runs(sources: Sequence[Source]) -> list[str]:
    words = []
    for run in of_kind(sources, Kind.RUN):
        judged = {name: one["validity"] for name, one in run.result["engines"].items() if "counts" in one}
        bad = [name for name, validity in judged.items() if validity != "valid"]
        if judged and bad:
            words.append(f"In {run.path.name} not everything came to its computed end on {', '.join(bad)}.")
        elif judged:
            words.append("With the faults of the services alone, all brought every saga to its computed end.")
    return words


def _of_kills(sources: Sequence[Source], fault: str, word: str) -> str:
    kills = [
        row
        for run in of_kind(sources, Kind.CRASH)
        for row in run.result["kills"]
        if row["fault"] == fault and row["outcome"] not in ("void", "not supported")
    ]
    if not kills:
        return ""
    harmed = list(dict.fromkeys(row["contestant"] for row in kills if is_harmful(row)))
    everybody = {row["contestant"] for row in kills}
    if not harmed:
        end = "no saga came to harm"
    elif len(harmed) == len(everybody):
        end = "sagas came to harm on every contestant"
    else:
        end = f"no saga came to harm, except on {', '.join(harmed)}"
    return f"{word.capitalize()} was killed {len(kills)} times: {end}."


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
            words.append(
                f"{len(differ)} of {len(pairs)} pairs differ by more than their noise ({run.path.name})."
            )
    return words
