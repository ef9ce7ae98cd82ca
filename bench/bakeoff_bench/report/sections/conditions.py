"""Under which conditions everything holds: settings, versions, machine, and the rules for numbers."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff_bench.crash.manifest import durability_of
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Section, Table, cell
from bakeoff_bench.report.sections.loaded import UNTOLD
from bakeoff_bench.report.sections.rules import Kept, rules
from bakeoff_bench.report.sources import Source
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
        for label, about in source.abouts.items():
            settings = UNTOLD
            if "settings" in about:
                settings = shown_settings({"changed": [], "raw": {}, **about}) or "none"
            versions = ", ".join(f"{what} {number}" for what, number in about["versions"].items())
            words = filter(None, [about.get("title"), about.get("note")])
            rows.setdefault(
                (label, about["config_class"], settings),
                [
                    label,
                    about["config_class"],
                    "; ".join(words),
                    durability_of(about) or UNTOLD,
                    settings,
                    versions,
                ],
            )
    return Table(
        id=slug(ID, "contestants"),
        title="Contestants and their settings",
        columns=["contestant", "class", "what it is", "durability", "settings", "versions"],
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
                    source.name,
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
    words = {Kept.YES: Mood.GOOD, Kept.NO: Mood.BAD}
    return Table(
        id=slug(ID, "rules"),
        title="The rules for numbers, and how they were kept",
        columns=["rule", "kept?", "how"],
        rows=[[rule, cell(kept, words.get(kept, Mood.SILENT)), how] for rule, kept, how in rules(sources)],
        conditions="yes and no were looked up in these runs; by design: the harness knows no other way; n/a: "
        "nothing here is of that kind.",
    )
