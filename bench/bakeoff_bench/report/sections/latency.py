"""The distribution of latencies, by percentile on an axis that gives every further nine the same room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bakeoff_bench.report.drawing import colour, drawn, line, marker, plain
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Figure, Table
from bakeoff_bench.report.sections.loaded import (
    by_tier,
    conditions_of,
    latencies_of,
    open_blocks,
    percentile_of_rounds,
    rounds_of,
    tier_of,
)
from bakeoff_bench.report.sections.rounds import BRACKETS, counted, spread
from bakeoff_bench.report.sources import Source
from bakeoff_bench.run.journal import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bakeoff_bench.load.histograms import Histograms

#: Percentiles that are drawn; those that too few values show are left out of the table.
_DRAWN = (0, 25, 50, 75, 90, 95, 99, 99.9)
#: Those of them that every round tells by itself, as far as it has the values: what the band is made of.
_OF_ROUNDS = {50: "p50", 90: "p90", 95: "p95", 99: "p99"}
#: Values that it takes to draw a distribution up to a percentile: ten beyond it.
_BEYOND = 10
_ID = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """The distribution of one contestant.

    Attributes:
        block: The load that it is of.
        rows: Its rounds that count.
        sagas: Values.
        points: ``{percentile: seconds}`` of all rounds together.
        rounds_s: ``{percentile: seconds of each round}`` where every one has the values.
    """

    block: Mapping[str, Any]
    rows: Sequence[Row]
    sagas: int
    points: Mapping[float, float]
    rounds_s: Mapping[float, Sequence[float]]

    @property
    def band(self) -> list[tuple[float, float, float]]:
        """``(percentile, lowest, highest)`` where several rounds show it, and the curve as well."""
        return [
            (share, min(seconds), max(seconds))
            for share, seconds in self.rounds_s.items()
            if len(seconds) > 1 and share in self.points
        ]


def distributions(run: Source) -> Iterator[Figure]:
    """Of completed and of compensated sagas, at the highest open rate that was kept up.

    Nothing where no folder tells, or no saga ended so.
    """
    order = [label for labels in by_tier(run).values() for label in labels]
    merged: dict[tuple[str, str], Histograms] = {}
    for status in ("completed", "compensated"):
        curves = {label: found for label in order if (found := _curve(run, label, status, merged))}
        if curves:
            yield _figure(run, status, curves)


def _figure(run: Source, status: str, curves: Mapping[str, _Curve]) -> Figure:
    title = f"Latency of {status} sagas, by percentile ({run.name})"
    told_so = (
        f"How long the fastest share of all {status} sagas took, at the highest open rate that was kept up "
        "with: the backlog grew in no more than a third of its rounds. Pale: from the lowest round to the "
        "highest. To the right every step is ten times rarer."
    )

    def draw(axes: Axes) -> None:
        for label, curve in curves.items():
            place = run.numbers[label]
            if curve.band:
                axes.fill_between(
                    [_place(share) for share, _, _ in curve.band],
                    [low for _, low, _ in curve.band],
                    [high for _, _, high in curve.band],
                    color=colour(place),
                    alpha=0.18,
                    linewidth=0,
                )
            axes.plot(
                [_place(share) for share in curve.points],
                list(curve.points.values()),
                color=colour(place),
                linestyle=line(place),
                marker=marker(place),
                ms=3,
                label=label,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        plain(axes.yaxis)
        ticks = [50, 90, 99, 99.9]
        axes.set_xticks([_place(tick) for tick in ticks], [f"p{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set_ylabel("seconds from the intended start")

    return Figure(
        id=slug(_ID, status, run.number),
        title=title,
        svg=partial(drawn, title, told_so, draw),
        told=told_so,
        conditions=f"Up to where {_BEYOND} values lie beyond, all rounds pooled. {BRACKETS} "
        f"{conditions_of(run)}",
        table=Table(
            id=slug(_ID, status, "table", run.number),
            title=title,
            columns=[
                *("contestant", "durability", "load", "sagas", "rounds"),
                *(f"p{share:g}" for share in _DRAWN),
            ],
            rows=[
                [
                    label,
                    tier_of(run, label),
                    curve.block["block"],
                    str(curve.sagas),
                    counted(curve.block, len(curve.rows)),
                    *(_value(curve, share) for share in _DRAWN),
                ]
                for label, curve in curves.items()
            ],
        ),
        command=run.command,
    )


def _place(share: float) -> float:
    """Of a percentile on the axis: 10 is p90, 100 is p99."""
    return 100 / (100 - share)


def _value(curve: _Curve, share: float) -> str:
    if share not in curve.points:
        return "too few"
    return spread(curve.points[share], curve.rounds_s.get(share, ()), "{:.3f}".format)


def _curve(run: Source, label: str, status: str, merged: dict[tuple[str, str], Histograms]) -> _Curve | None:
    """``merged`` holds what was read already; reading is slow."""
    kept = [one for one in open_blocks(run, label) if one["kept_up"] and latencies_of(one, status)]
    if run.stored or not kept:
        return None
    block = kept[-1]
    rows, key = rounds_of(run, block), (label, block["block"])
    if key not in merged:
        merged[key] = _merged(run, label, rows)
    found = merged[key]
    names = [name for name in found if name.endswith(f"-{status}-settled") and not name.startswith("slow-")]
    if not names:
        return None
    sagas = found.count(names[0])
    shares = [share for share in _DRAWN if sagas * (100 - share) / 100 >= _BEYOND or share <= 50]
    points = ((share, found.percentile_s(names[0], share / 100)) for share in shares)
    return _Curve(
        block=block,
        rows=rows,
        sagas=sagas,
        points={share: seconds for share, seconds in points if seconds is not None},
        rounds_s={share: percentile_of_rounds(rows, name, status) for share, name in _OF_ROUNDS.items()},
    )


def _merged(run: Source, label: str, rows: Sequence[Row]) -> Histograms:
    from bakeoff_bench.load.folder import LoadFolder
    from bakeoff_bench.load.histograms import Histograms
    from bakeoff_bench.load.result import histograms_of

    found, folder = Histograms(), LoadFolder(run.path)
    for row in rows:
        slug_ = row.get("part", run.result["contestants"][label]["slug"])
        found.merge_all(histograms_of(folder.load(slug_, row["label"]), row))
    return found
