"""`bakeoff run`: did every saga come to the end that was computed beforehand?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Section, Table, cell, worst
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "correctness"
COLUMN = "as computed"
_MOODS = {"valid": Mood.GOOD, "invalid": Mood.BAD}
_COUNTED = (
    *("completed", "compensated", "compensation_failed", "stuck", "lost", "start_unknown", "not_started"),
    "rejected",
)


def told(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: verdict}``; of several runs the worst."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.RUN):
        for engine, about in source.result["engines"].items():
            validity = about["validity"]
            text = f"{validity}, {started(about)} sagas" if "counts" in about else validity
            worst(found, source.label(engine), cell(text, _mood(validity), _table_id(source.number)))
    return found


def started(about: Mapping[str, Any]) -> int:
    """Sagas that were started, or were to be; orders that were refused beforehand are none."""
    return sum(count for what, count in about["counts"].items() if what != "rejected")


def section(sources: Sequence[Source]) -> Section | None:
    """Counts and verdicts of every run."""
    runs = of_kind(sources, Kind.RUN)
    if not runs:
        return None
    blocks = [table for run in runs for table in _tables(run)]
    return Section(
        id=ID,
        title="The same sagas, the same faults",
        lead=(
            "How many sagas must complete and how many must be compensated was computed before anything "
            "started, "
            "by code that knows nothing of the services. The ledger in the services' own database says what "
            "really happened.",
        ),
        blocks=blocks,
        notes=[note for run in runs for note in _notes(run)],
    )


def _tables(run: Source) -> list[Table]:
    engines: Mapping[str, Mapping[str, Any]] = run.result["engines"]
    judged = {run.label(name): about for name, about in engines.items() if "counts" in about}
    about_run = run.result
    conditions = (
        "n: every saga of the run, counted, so there is no interval. "
        f"Saga {about_run['saga']['name']}, scenario {about_run['scenario']}, seed {about_run['seed']}, "
        f"{about_run['participants']} services, {about_run['orders']['usable']} orders from "
        f"{about_run['orders']['source']}; "
        f"{about_run['workers']} x {about_run['slots']} slots, {about_run['rounds']} interleaved rounds."
    )
    counts: list[list[Cell | str]] = [
        [what, *(_count(about, what) for about in judged.values())]
        for what in (*_COUNTED, "duplicates attempted")
    ]
    verdicts: list[list[Cell | str]] = [
        [f"{invariant}: {title}", *(_verdict(about, invariant) for about in judged.values())]
        for invariant, title in _invariants(judged)
    ]
    command = run.command
    return [
        Table(
            id=_table_id(run.number),
            title=f"Sagas, observed against expected ({run.name})",
            columns=["sagas", *judged],
            rows=[
                ["verdict", *(cell(one["validity"], _mood(one["validity"])) for one in judged.values())],
                *counts,
            ],
            conditions=conditions,
            command=command,
        ),
        Table(
            id=slug(ID, "verdicts", run.number),
            title=f"Invariants ({run.name})",
            columns=["invariant", *judged],
            rows=verdicts,
            conditions=conditions,
            command=command,
        ),
    ]


def _table_id(number: int) -> str:
    return slug(ID, "counts", number)


def _mood(validity: str) -> Mood:
    return _MOODS.get(validity, Mood.SILENT)


def _count(about: Mapping[str, Any], what: str) -> Cell:
    if what == "duplicates attempted":
        observed, expected = about["duplicates"]["attempted"], about["duplicates"]["planned"]
    else:
        observed, expected = about["counts"][what], about["expected"].get(what, 0)
    if observed == expected:
        return cell(observed)
    return cell(
        f"{observed}, expected {expected}", Mood.BAD if about["validity"] == "invalid" else Mood.CAUTION
    )


def _invariants(judged: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    return list(
        dict.fromkeys(
            (verdict["invariant"], verdict["title"])
            for about in judged.values()
            for verdict in about["verdicts"]
        )
    )


def _verdict(about: Mapping[str, Any], invariant: str) -> Cell:
    for verdict in about["verdicts"]:
        if verdict["invariant"] == invariant:
            words = [verdict["reason"] or "", *verdict["findings"][:3]]
            return cell(verdict["validity"], _mood(verdict["validity"]), note="; ".join(filter(None, words)))
    return cell("not judged", Mood.SILENT)


def _notes(run: Source) -> list[str]:
    found = [] if run.result["complete"] else [f"{run.name} was broken off: nothing in it is final."]
    for name, about in run.result["engines"].items():
        for need, reason in about["lacking"].items():
            found.append(f"{name}: not supported: {need}: {reason}")
        if about.get("reason"):
            found.append(f"{name}: {about['reason']}")
        for verdict in about.get("verdicts", ()):
            if verdict["validity"] == "invalid":
                shown = "; ".join(verdict["findings"][:5])
                found.append(f"{name}, {verdict['invariant']} invalid: {verdict['reason']}: {shown}")
    return found
