"""Contestants of a load against each other, with what each of the two survives and how much it was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff_bench.load.comparison import rounds_words
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Table, cell
from bakeoff_bench.report.sections.loaded import names_of, tier_of
from bakeoff_bench.report.sources import Source

_ID = "load"


def pairs(run: Source) -> Table | None:
    """Every pair in every load that several rounds made comparable; ``None`` if there is none."""
    found = run.result["comparisons"]
    if not found:
        return None
    offered = {
        (block["contestant"], block["block"]): block["offered_per_s"]
        for block in run.result["blocks"]
        if not block["users"]
    }
    names = names_of(run)
    return Table(
        id=slug(_ID, "pairs", run.number),
        title=f"Against each other, over the same rounds ({run.name})",
        columns=["pair", "durability", "load", "ratio (95 %)", "rounds", "what can be said"],
        rows=[
            [
                f"{one['a']} / {one['b']}",
                _tiers(run, one),
                f"{names[one['block']]}{_rates(offered, one)}, {one['metric']}",
                _ratio(one),
                rounds_words(one),
                one["word"],
            ]
            for one in found
        ],
        conditions="Paired log-ratios of interleaved rounds. Each interval is that of its pair alone; what "
        "can be said is corrected for there being so many pairs (Holm). A share is of each one's own rate: "
        "the two rates stand beside it. What is not kept up with has no median to compare.",
        command=run.command,
    )


def is_unequal(run: Source, one: Mapping[str, Any]) -> bool:
    """Whether the two of a pair declare to survive different things."""
    return tier_of(run, one["a"]) != tier_of(run, one["b"])


def _tiers(run: Source, one: Mapping[str, Any]) -> Cell:
    a, b = tier_of(run, one["a"]), tier_of(run, one["b"])
    if not is_unequal(run, one):
        return cell(f"both: {a}")
    return cell(f"unequal: {a} / {b}", Mood.CAUTION)


def _rates(offered: Mapping[tuple[str, str], float | None], one: Mapping[str, Any]) -> str:
    """What each of the two was offered; nothing of a closed loop."""
    rates = [offered.get((one[name], one["block"])) for name in ("a", "b")]
    if None in rates:
        return ""
    return f" ({rates[0]:.1f}/s against {rates[1]:.1f}/s)"


def _ratio(one: Mapping[str, Any]) -> str:
    between = "" if one["low"] is None else f" ({one['low']:.2f} to {one['high']:.2f})"
    return f"{one['ratio']:.2f}{between}"
