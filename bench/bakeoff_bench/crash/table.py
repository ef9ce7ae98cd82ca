"""The crash matrix as a person reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome

_STYLES = {str(outcome): "bold red" for outcome in HARMFUL} | {
    str(KillOutcome.CLEAN): "green",
    str(KillOutcome.RETRIED): "green",
    str(KillOutcome.WOULD_HAVE_DUPLICATED): "yellow",
    str(KillOutcome.NOT_SUPPORTED): "dim",
}


def show_matrix(rows: Sequence[dict[str, Any]]) -> None:
    """Points down, engines across: outcomes, and the median time to full recovery."""
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    cells: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        cells.setdefault((row["fault"], row["point"]), {}).setdefault(row["engine"], []).append(row)
    say()
    show_table(
        ["fault", "point", *engines],
        [[*key, *(_cell(found.get(engine, [])) for engine in engines)] for key, found in cells.items()],
        styles=_STYLES,
    )
    say("seconds: median from the fault to the end of every saga in flight; mostly it is the lease")
    for row in rows:
        if KillOutcome(row["outcome"]) in HARMFUL or row["outcome"] == KillOutcome.NOT_SUPPORTED:
            say(f"{row['engine']}, {row['fault']} at {row['point']}: {row['outcome']}: {row['detail']}")


def _cell(rows: Sequence[dict[str, Any]]) -> str:
    counted = Counter(row["outcome"] for row in rows)
    words = ", ".join(what if len(rows) == 1 else f"{n} {what}" for what, n in counted.items())
    times = [row["recovery_s"] for row in rows if row["recovery_s"] is not None]
    return f"{words} {median(times):.1f} s" if times else words
