"""A load that changes, or is long, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Table, cell
from bakeoff_bench.report.sections.loaded import by_tier, conditions_of, name_of, tier_of
from bakeoff_bench.report.sections.rounds import ONE, used_of
from bakeoff_bench.report.sources import Source

_ID = "load"
_PERCENTILES = ("p50", "p90", "p95")
#: By so much of a part's arrivals, and some, those in flight may become more: as of a whole load.
GROWTH, SLACK = 0.05, 5


def parts(run: Source) -> Table | None:
    """A row per part of every such load; ``None`` if there is none."""
    order = [label for labels in by_tier(run).values() for label in labels]
    rows: list[list[Cell | str]] = []
    for label in order:
        for block in run.result["blocks"]:
            if block["contestant"] == label:
                before = 0
                for part in block["parts"]:
                    rows.append(_row(run, block, part, before))
                    before = part["open_at_end"]
    if not rows:
        return None
    return Table(
        id=slug(_ID, "parts", run.number),
        title=f"Part by part: completed sagas that arrived then ({run.name})",
        columns=[
            *("contestant", "durability", "load", "seconds", "sagas", "rounds", "offered /s"),
            *(*_PERCENTILES, "open at its end"),
        ],
        rows=rows,
        conditions="Percentiles of the values of all rounds together: no interval. Overload: more sagas were "
        "open at the end of the part than before it, by more than chance, in more than a third of the "
        f"rounds; its percentiles tell how long it lasted. {conditions_of(run)}",
        command=run.command,
    )


def _row(run: Source, block: Mapping[str, Any], part: Mapping[str, Any], before: int) -> list[Cell | str]:
    used = used_of(block)
    grew = not block["users"] and _grew(part, before)
    return [
        block["contestant"],
        tier_of(run, block["contestant"]),
        name_of(block),
        f"{part['from_s']:g} to {part['until_s']:g}",
        str(part["latency"]["n"]),
        ONE if used == 1 else str(used),
        f"{part['offered_per_s']:.1f}",
        *(_percentile(part["latency"].get(name), grew) for name in _PERCENTILES),
        str(part["open_at_end"]),
    ]


def _grew(part: Mapping[str, Any], before: int) -> bool:
    """Whether more were open at the end of a part than before it, by more than chance."""
    if "kept_up" in part:
        return not part["kept_up"]
    # An earlier bakeoff did not look; it kept the most that were open in any round.
    arrived = part["offered_per_s"] * (part["until_s"] - part["from_s"])
    return bool(part["open_at_end"] - before > GROWTH * arrived + SLACK)


def _percentile(value: float | None, grew: bool) -> Cell:
    if value is None:
        return cell("too few", Mood.SILENT)
    return cell(f"{value:.3f} overload", Mood.CAUTION) if grew else cell(f"{value:.3f}")
