"""Under which conditions everything holds: settings, versions, machine, and the rules for numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Section, Table, cell
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.manifest import shown_settings

ID = "conditions"
_GB = 1_000_000_000


def section(sources: Sequence[Source]) -> Section:
    """Contestants, machine and rules."""
    return Section(
        id=ID,
        title="Conditions",
        lead=("What all of this was measured with, on what, and by which rules.",),
        blocks=[_contestants(sources), _machines(sources), _rules(sources)],
    )


def _contestants(sources: Sequence[Source]) -> Table:
    rows: dict[tuple[str, str, str], list[Cell | str]] = {}
    for source in sources:
        for label, about in source.contestants.items():
            settings = shown_settings({"changed": [], "raw": {}, **about}) or "none"
            versions = ", ".join(f"{what} {number}" for what, number in about["versions"].items())
            words = [about["title"], *filter(None, [about.get("note")])]
            rows.setdefault(
                (label, about["config_class"], settings),
                [label, about["config_class"], "; ".join(words), settings, versions],
            )
    return Table(
        id=slug(ID, "contestants"),
        title="Contestants and their settings",
        columns=["contestant", "class", "what it is", "settings", "versions"],
        rows=list(rows.values()),
        conditions="default: as shipped. recommended: leases by each engine's own guidance from one common "
        "step timeout. tuned: found by search. ci: short leases for tests. (set): changed by hand.",
        command="bakeoff engines",
    )


def _machines(sources: Sequence[Source]) -> Table:
    rows: list[list[Cell | str]] = []
    for source in sources:
        if machine := source.about.get("machine"):
            rows.append(
                [
                    str(source.path.name),
                    source.kind,
                    str(source.about.get("created_at", "")),
                    str(machine["cpus"]),
                    f"{machine.get('memory_bytes', 0) / _GB:.0f}",
                    str(machine.get("system", "")),
                    f"Python {machine.get('python', '?')}, bakeoff {source.about.get('bakeoff', '?')}",
                ]
            )
    return Table(
        id=slug(ID, "machines"),
        title="Machine",
        columns=["folder", "kind", "when", "CPUs", "memory, GB", "system", "software"],
        rows=rows,
    )


def _rules(sources: Sequence[Source]) -> Table:
    return Table(
        id=slug(ID, "rules"),
        title="The rules for numbers, and how they were kept",
        columns=["rule", "kept?", "how"],
        rows=[[rule, *_kept(kept), how] for rule, kept, how in _judged_rules(sources)],
        conditions="n/a: nothing in this report is of that kind.",
    )


def _kept(kept: bool | None) -> tuple[Cell]:
    if kept is None:
        return (cell("n/a", Mood.SILENT),)
    return (cell("yes", Mood.GOOD),) if kept else (cell("no", Mood.BAD),)


def _judged_rules(sources: Sequence[Source]) -> Iterator[tuple[str, bool | None, str]]:
    loads, crashes = of_kind(sources, Kind.LOAD), of_kind(sources, Kind.CRASH)
    runs = of_kind(sources, Kind.RUN)
    blocks = [block for load in loads for block in load.result["blocks"]]
    measured = bool(loads)
    yield (
        "1 judged from the ledger",
        True,
        "every verdict and every end of a saga is read from the services' database",
    )
    closed = sum(1 for block in blocks if block["users"])
    yield (
        "2 open loop, from the intended start",
        True if measured else None,
        f"{len(blocks) - closed} of {len(blocks)} loads are open; the closed ones are marked, as is all of "
        "`bakeoff run`"
        if measured
        else "`bakeoff run` is a closed loop, and marked so",
    )
    void = sum(block["void"] for block in blocks)
    yield (
        "3 offered and achieved rate",
        True if measured else None,
        f"both shown; {void} rounds are void and left out",
    )
    censored = sum(block["censored"] for block in blocks)
    yield (
        "4 unsettled sagas are censored",
        True if measured else None,
        f"{censored} of them, in no percentile, counted",
    )
    yield (
        "5 percentiles only where they mean something",
        True if measured else None,
        "too few and overload are marked",
    )
    warm = sum(block["warm_up"] for block in blocks)
    yield "6 warm-up is left out", True if measured else None, f"{warm} sagas of warm-up are in no number"
    pairs = [one for load in loads for one in load.result["comparisons"]]
    yield (
        "7 interleaved rounds, paired intervals",
        bool(pairs) if measured else None,
        f"{len(pairs)} pairs, corrected for being so many"
        if pairs
        else "one round: no difference can be told",
    )
    yield (
        "8 histograms, raw data kept",
        True if measured else None,
        "HDR histograms and every sample lie in the folder",
    )
    yield "9 completed and compensated apart", True, "two distributions, never one"
    kills = sum(len(run.result["kills"]) for run in crashes)
    per_cell = [series["kills"] for run in crashes for series in run.about["series"]]
    yield (
        "10 crash results are distributions",
        min(per_cell) >= _FEW if per_cell else None,
        f"{kills} kills, {min(per_cell)} or more per cell; Wilson's interval with each sum"
        if per_cell
        else "",
    )
    classes = {about["config_class"] for one in sources for about in one.contestants.values()}
    yield (
        "11 same steps, retries, concurrency",
        True,
        f"classes here: {', '.join(sorted(classes))}; settings above",
    )
    yield (
        "12 durability tier",
        True,
        "survives the kill of a process where the engine says so; power loss is not tested",
    )
    inline = any("inline" in load.result["contestants"] for load in loads)
    yield (
        "13 the harness's own cost",
        inline if measured else None,
        "the null engine is in the load"
        if inline
        else "no null engine in the load; bakeoff bench overhead measures it",
    )
    yield "14 grouped by guarantee", True, "no ranking over unequal guarantees"
    costed = any(block["cost"] for block in blocks)
    yield (
        "15 cost of the whole deployment",
        costed if measured else None,
        "servers, workers and client, from the process tree",
    )
    yield (
        "16 an adapter's fault is not an engine's",
        bool(runs) if runs or loads else None,
        "the main job is the self-check",
    )
    temporal = any("temporal" in label for one in sources for label in one.contestants)
    yield (
        "17 Temporal is its dev server",
        True if temporal else None,
        "one shard, SQLite; its capacity in production is unknown",
    )


#: Kills of a cell below which it is an anecdote.
_FEW = 5
