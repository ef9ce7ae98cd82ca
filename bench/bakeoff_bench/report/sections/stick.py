"""Latency against the offered rate: every rate that was tried, on every contestant."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bakeoff_bench.crash.cells import group
from bakeoff_bench.load.measured import mostly_kept_up
from bakeoff_bench.report.drawing import BAD, colour, drawn, line, marker, plain
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Mood, Table, cell
from bakeoff_bench.report.sections.loaded import (
    by_tier,
    conditions_of,
    counts,
    latencies_of,
    open_blocks,
    overloaded,
    percentile_of_rounds,
    rounds_of,
    tier_of,
)
from bakeoff_bench.report.sections.rounds import BRACKETS, counted, spread
from bakeoff_bench.report.sources import Source
from bakeoff_bench.run.journal import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ID = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """One rate on one contestant.

    Attributes:
        rate_per_s: Offered, the median over the rounds.
        p95_s: Of the completed sagas of all rounds.
        rounds_s: The same of every round that has the values for it.
        rounds: How many count, in words.
        sagas: That completed.
        kept_up: Whether it was kept up with, over all of them.
        overloaded: In how many of how many the backlog grew.
    """

    rate_per_s: float
    p95_s: float
    rounds_s: Sequence[float]
    rounds: str
    sagas: int
    kept_up: bool
    overloaded: tuple[int, int]


def hockey_stick(run: Source) -> Figure | None:
    """The 95th percentile at every rate that was offered; ``None`` if no rate was."""
    order = [label for labels in by_tier(run).values() for label in labels]
    tried = {label: points for label in order if (points := _tried(run, label))}
    if not tried:
        return None
    title = f"Latency against offered load ({run.name})"
    told_so = (
        "The 95th percentile of completed sagas at every rate that was offered, its bar from the lowest "
        "round to the highest; filled: the backlog grew in no more than a third of the rounds, open: it did, "
        "and the value tells how long the load lasted. Vertical: the highest sustained rate. Dashed: --slo."
    )

    def draw(axes: Axes) -> None:
        for label, points in tried.items():
            _draw_one(axes, points, run.numbers[label], label)
            sustained = run.result["contestants"][label].get("sustained")
            if sustained and sustained["rate_per_s"]:
                place = run.numbers[label]
                axes.axvline(
                    sustained["rate_per_s"],
                    color=colour(place),
                    linewidth=1,
                    linestyle=":",
                    gid=f"sustained-{place}",
                )
        axes.axhline(run.result["plan"]["slo_s"], color=BAD, linewidth=1, linestyle="--", gid="slo")
        axes.set_xscale("log")
        axes.set_yscale("log")
        plain(axes.xaxis)
        plain(axes.yaxis)
        axes.set_xlabel("offered, sagas per second")
        axes.set_ylabel("p95 of completed sagas, seconds")

    return Figure(
        id=slug(_ID, "stick", run.number),
        title=title,
        svg=partial(drawn, title, told_so, draw, height_in=4.0),
        told=told_so,
        conditions="Every load with a valid ledger, those of the search too. "
        f"--slo {run.result['plan']['slo_s']:g} s. {BRACKETS} {conditions_of(run)}",
        table=Table(
            id=slug(_ID, "stick-table", run.number),
            title=title,
            columns=["contestant", "durability", "offered /s", "sagas", "rounds", "p95, s", "backlog"],
            rows=[_row(run, label, point) for label, points in tried.items() for point in points],
        ),
        command=run.command,
    )


def _draw_one(axes: Axes, points: Sequence[_Tried], place: int, label: str) -> None:
    axes.plot(
        [one.rate_per_s for one in points],
        [one.p95_s for one in points],
        color=colour(place),
        linestyle=line(place),
        linewidth=0.8,
        alpha=0.6,
    )
    barred = [one for one in points if len(one.rounds_s) > 1]
    axes.vlines(
        [one.rate_per_s for one in barred],
        [min(one.rounds_s) for one in barred],
        [max(one.rounds_s) for one in barred],
        colors=colour(place),
        linewidth=1.2,
    )
    for kept_up in (True, False):
        some = [one for one in points if one.kept_up is kept_up]
        axes.scatter(
            [one.rate_per_s for one in some],
            [one.p95_s for one in some],
            marker=marker(place),
            s=24,
            facecolors=colour(place) if kept_up else "none",
            edgecolors=colour(place),
            label=label if kept_up else None,
        )


def _row(run: Source, label: str, one: _Tried) -> list[Cell | str]:
    return [
        label,
        tier_of(run, label),
        f"{one.rate_per_s:.1f}",
        str(one.sagas),
        one.rounds,
        spread(one.p95_s, one.rounds_s, "{:.3f}".format),
        _backlog(one),
    ]


def _backlog(one: _Tried) -> Cell | str:
    grew, rounds = one.overloaded
    if not grew:
        return "did not grow"
    return cell(f"grew in {grew} of {rounds}", Mood.SILENT if one.kept_up else Mood.CAUTION)


def _tried(run: Source, label: str) -> list[_Tried]:
    """All open loads, the slowest first; rounds of a block are one, and those of a search at one rate."""
    found = []
    for block in open_blocks(run, label):
        summed, rows = latencies_of(block), rounds_of(run, block)
        if block["phase"] == "round" and summed.get("p95") is not None:
            found.append(
                _Tried(
                    rate_per_s=float(block["offered_per_s"]),
                    p95_s=float(summed["p95"]),
                    rounds_s=percentile_of_rounds(rows, "p95"),
                    rounds=counted(block, len(rows)),
                    sagas=int(summed["n"]),
                    kept_up=bool(block["kept_up"]),
                    overloaded=overloaded(rows),
                )
            )
    searched = [
        row
        for row in run.loads
        if row["contestant"] == label and row["phase"] != "round" and not row["users"] and counts(row)
    ]
    found += [
        point for rows in group(searched, lambda row: row["rate"]).values() if (point := _searched(rows))
    ]
    return sorted(found, key=lambda one: (one.rate_per_s, one.p95_s))


def _searched(rows: Sequence[Row]) -> _Tried | None:
    """Loads of a search at the same rate."""
    p95s = percentile_of_rounds(rows, "p95")
    if not p95s:
        return None
    measured = [row["measured"] for row in rows]
    return _Tried(
        rate_per_s=statistics.median(float(one["offered_per_s"]) for one in measured),
        p95_s=statistics.median(p95s),
        rounds_s=p95s,
        rounds=counted({"rounds": len(rows), "void": 0}, len(rows)),
        sagas=sum(int(latencies_of(one).get("n", 0)) for one in measured),
        kept_up=mostly_kept_up([one["kept_up"] for one in measured]),
        overloaded=overloaded(rows),
    )
