"""From stored runs to facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bakeoff_bench.decide.facts import Facts, Load
from bakeoff_bench.decide.killed import kills_of, recovery_of
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.promised import promised
from bakeoff_bench.decide.weighed import weighed
from bakeoff_bench.report.sections.loaded import latencies_of, open_blocks
from bakeoff_bench.report.sources import Kind, Source, of_kind

#: What a server that is not the production one has in its note; its capacity says nothing of that.
_DEV = "dev server"


def facts_of(sources: Sequence[Source]) -> list[Facts]:
    """Facts of every contestant of these runs; of what several runs measured, the last one counts."""
    abouts: dict[str, list[tuple[Source, Mapping[str, Any]]]] = defaultdict(list)
    for source in sources:
        for label, about in source.contestants.items():
            abouts[label].append((source, about))
    stand_ins = {label: _stand_in(own) for label, own in abouts.items()}
    counted = {
        label: [source for source in _undisturbed(sources) if _counts(source, label, stand_ins[label])]
        for label in abouts
    }
    kills, measures = kills_of(sources), weighed(counted)
    capabilities, promises = promised(of_kind(sources, Kind.CONTRACT))
    found = []
    for label, own in sorted(abouts.items()):
        servers, place = _servers(own)
        recovery = recovery_of(kills.get(label, {}))
        found.append(
            Facts(
                label=label,
                kills=kills.get(label, {}),
                loads=[load for run in counted[label] for load in _loads(run, label)],
                capabilities=capabilities.get(label, {}),
                promises=promises.get(label, {}),
                servers=servers,
                servers_evidence=place,
                measures={
                    **measures.get(label, {}),
                    **({} if recovery is None else {Measure.RECOVERY: recovery}),
                },
                stand_in=stand_ins[label],
            )
        )
    return found


def _undisturbed(sources: Sequence[Source]) -> list[Source]:
    """Loads that nothing struck."""
    return [run for run in of_kind(sources, Kind.LOAD) if run.result["plan"]["fault"] is None]


def _stand_in(abouts: Sequence[tuple[Source, Mapping[str, Any]]]) -> str:
    """By the last run that says which server it had, a load if there is one: that is what was measured."""
    noted = [(source.kind is Kind.LOAD, str(about["note"])) for source, about in abouts if "note" in about]
    notes = [note for loaded, note in noted if loaded] or [note for _, note in noted]
    if notes and _DEV in notes[-1]:
        return "its dev server stands in for one of production, whose capacity is unknown"
    return ""


def _counts(run: Source, label: str, stand_in: str) -> bool:
    """Whether it loaded this contestant, on the server that counts."""
    about = run.contestants.get(label)
    return about is not None and (_DEV in str(about.get("note", ""))) == bool(stand_in)


def _servers(abouts: Sequence[tuple[Source, Mapping[str, Any]]]) -> tuple[Sequence[str] | None, str]:
    """Of the last run that tells, and where that stands."""
    telling = [(source, about) for source, about in abouts if "servers" in about]
    if not telling:
        return None, ""
    source, about = telling[-1]
    return about["servers"], str(source.path)


def _loads(run: Source, label: str) -> Iterator[Load]:
    """Every load by itself, then all rounds of each: together they may have the values of a percentile."""
    for row in run.loads:
        measured = row["measured"]
        if row["contestant"] != label or row["users"]:
            continue
        if measured["void"] or measured["validity"] == "unknown":
            continue
        yield Load(
            offered_per_s=measured["offered_per_s"],
            p95_s=latencies_of(measured).get("p95"),
            kept_up=measured["kept_up"] and measured["validity"] == "valid",
            evidence=str(run.path),
        )
    for block in open_blocks(run, label):
        yield Load(
            offered_per_s=block["offered_per_s"],
            p95_s=latencies_of(block).get("p95"),
            kept_up=block["kept_up"],
            evidence=str(run.path),
        )
