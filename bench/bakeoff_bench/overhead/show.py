"""The tables of ``bakeoff bench overhead``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.overhead.compare import Word
from bakeoff_bench.overhead.domain_cost import AIM_MS, LIMIT_MS
from bakeoff_bench.overhead.result import (
    CEILINGS,
    GENERATORS,
    RATIOS,
    ceilings,
    differences,
    generators,
    ratios,
)

_STYLES = {Word.MET: "green", Word.MISSED: "bold red", Word.UNKNOWN: "yellow"}


def show(result: Mapping[str, Any]) -> None:
    """Print targets, the World's share, the generator's reach, and in what the two sides differ."""
    styles = {str(word): style for word, style in _STYLES.items()}
    say()
    show_table(RATIOS, list(ratios(result)), styles, keys=3)
    say("\nrates in a closed loop of 16, all CPUs shared; adapter, native: medians of the rounds; ratio:")
    say("geometric mean, Student's t over paired log-ratios")
    say()
    show_table(CEILINGS, list(ceilings(result)))
    say()
    show_table(GENERATORS, list(generators(result)), styles)
    for one in result["contestants"]:
        if note := one.get("note"):
            say(f"{one['label']}: {note}")
    say(f"\n{domain(result)}")
    say("\nin what the workers' settings differ")
    show_table(["contestant", "setting", "adapter", "native"], list(differences(result)), keys=2)


def domain(result: Mapping[str, Any]) -> str:
    """What services and ledger take by themselves, in a sentence."""
    own, tries = result["domain_cpu_ms"], result.get("domain_cpu_ms_of_tries", ())
    # Older results hold the least of five tries alone.
    spread = f" (median of {len(tries)}, {min(tries):.2f} to {max(tries):.2f})" if tries else ""
    return (
        f"services and ledger alone: {own:.2f} ms of CPU per order{spread}; at most {LIMIT_MS:g}, "
        f"aim {AIM_MS:g}"
    )
