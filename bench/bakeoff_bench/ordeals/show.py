"""The results of ordeals as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.ordeals.ordeal import NOT_SUPPORTED, Ordeal

_STYLES = {"valid": "green", "invalid": "bold red", "unknown": "yellow", NOT_SUPPORTED: "dim"}

#: Parts of a result and how one of their values is written.
_PARTS = {
    "counts": "{}",
    "integers": "{}",
    "times_s": "{:.3f} s",
    "rates_per_s": "{:.1f} per s",
    "ratios": "x {:.1f}",
    "memory_mb": "{:.0f} MB",
}


def show_ordeals(ordeals: Sequence[Ordeal]) -> None:
    """What there is."""
    show_table(
        ["ordeal", "what is done", "--size", "counts"],
        [[one.name, one.description, str(one.size), one.size_means] for one in ordeals],
    )
    say("\nbakeoff ordeal NAME ... [--engine NAME ...]; `bakeoff ordeal --help` tells more")


def show_result(name: str, results: Mapping[str, Mapping[str, Any]]) -> None:
    """One ordeal: what was counted and measured down, engines across; then reasons and notes."""
    engines = list(results)
    rows = [[name, *(str(results[engine]["verdict"]) for engine in engines)]]
    for part, form in _PARTS.items():
        for what in dict.fromkeys(key for one in results.values() for key in one[part]):
            rows.append([what, *(_cell(results[engine], part, what, form) for engine in engines)])
    say()
    show_table(["", *engines], rows, styles=_STYLES)
    for engine, one in results.items():
        about = (one["engine_note"],) if one.get("engine_note") else ()
        for line in (*about, *one["reasons"], *one["notes"]):
            say(f"{engine}: {line}")


def _cell(result: Mapping[str, Any], part: str, what: str, form: str) -> str:
    if what not in result[part]:
        return "0" if part == "counts" and result["verdict"] != NOT_SUPPORTED else ""
    value = result[part][what]
    return "not by the deadline" if value is None else form.format(value)
