"""`bakeoff load` in pictures: latency against the offered rate, and its distribution."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from bakeoff_bench.report.drawing import BAD, colour, drawn, line, marker, plain
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Figure, Mood, Table, cell
from bakeoff_bench.report.sections.loaded import conditions_of, latencies_of, open_blocks
from bakeoff_bench.report.sources import Source
from bakeoff_bench.run.journal import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bakeoff_bench.load.histograms import Histograms

#: Percentiles that are drawn; those that too few values show are left out of the table.
_DRAWN = (0, 25, 50, 75, 90, 95, 99, 99.9)
#: Values that it takes to draw a distribution up to a percentile: ten beyond it.
_BEYOND = 10
_ID = "load"


def hockey_stick(run: Source) -> Figure | None:
    """The 95th percentile at every rate that was offered; ``None`` if no rate was."""
    tried = {label: points for label in run.result["contestants"] if (points := _tried(run, label))}
    if not tried:
        return None
    title = f"Latency against offered load ({run.name})"
    told_so = (
        "The 95th percentile of completed sagas at every rate that was offered; filled: the backlog did "
        "not grow, "
        "open: it did, and the value tells how long the load lasted. Vertical: the highest sustained rate. "
        "Dashed: --slo."
    )

    def draw(axes: Axes) -> None:
        for label, points in tried.items():
            place = run.numbers[label]
            rates, latencies = [one[0] for one in points], [one[1] for one in points]
            axes.plot(rates, latencies, color=colour(place), linestyle=line(place), linewidth=0.8, alpha=0.6)
            for kept_up in (True, False):
                some = [one for one in points if one[2] is kept_up]
                axes.scatter(
                    [one[0] for one in some],
                    [one[1] for one in some],
                    marker=marker(place),
                    s=24,
                    facecolors=colour(place) if kept_up else "none",
                    edgecolors=colour(place),
                    label=label if kept_up else None,
                )
            sustained = run.result["contestants"][label].get("sustained")
            if sustained and sustained["rate_per_s"]:
                axes.axvline(sustained["rate_per_s"], color=colour(place), linewidth=1, linestyle=":")
        axes.axhline(run.result["plan"]["slo_s"], color=BAD, linewidth=1, linestyle="--")
        axes.set_xscale("log")
        axes.set_yscale("log")
        plain(axes.xaxis)
        plain(axes.yaxis)
        axes.set_xlabel("offered, sagas per second")
        axes.set_ylabel("p95 of completed sagas, seconds")

    table = Table(
        id=slug(_ID, "stick-table", run.number),
        title=title,
        columns=["contestant", "offered /s", "p95, s", "backlog"],
        rows=[
            [label, f"{rate:.1f}", f"{p95_s:.3f}", "did not grow" if kept_up else cell("grew", Mood.CAUTION)]
            for label, points in tried.items()
            for rate, p95_s, kept_up in points
        ],
    )
    return Figure(
        id=slug(_ID, "stick", run.number),
        title=title,
        svg=partial(drawn, title, told_so, draw, height_in=4.0),
        told=told_so,
        conditions="Every load with a valid ledger, those of the search too. "
        f"--slo {run.result['plan']['slo_s']:g} s. "
        f"{conditions_of(run)}",
        table=table,
        command=run.command,
    )


def _tried(run: Source, label: str) -> list[tuple[float, float, bool]]:
    """``(offered per second, p95 in seconds, kept up)`` of all open loads, the search's too."""
    rows: list[Row] = [
        row for row in run.loads if row["contestant"] == label and not row["users"] and _counts(row)
    ]
    found = []
    for row in rows:
        p95_s = latencies_of(row["measured"]).get("p95")
        if p95_s is not None:
            found.append(
                (float(row["measured"]["offered_per_s"]), float(p95_s), bool(row["measured"]["kept_up"]))
            )
    return sorted(found)


def _counts(row: Row) -> bool:
    return not row["measured"]["void"] and row["measured"]["validity"] == "valid"


def distribution(run: Source, status: str) -> Figure | None:
    """By percentile on an axis that gives every further nine the same room."""
    pooled = {label: found for label in run.result["contestants"] if (found := _pooled(run, label, status))}
    if not pooled:
        return None
    title = f"Latency of {status} sagas, by percentile ({run.name})"
    told_so = (
        f"How long the fastest share of all {status} sagas took, at the highest open rate whose backlog "
        f"did not "
        "grow. To the right every step is ten times rarer."
    )
    curves = {label: _curve(*found) for label, found in pooled.items()}

    def draw(axes: Axes) -> None:
        for label, points in curves.items():
            place = run.numbers[label]
            xs = [100 / (100 - share) for share, _ in points]
            ys = [seconds for _, seconds in points]
            axes.plot(
                xs, ys, color=colour(place), linestyle=line(place), marker=marker(place), ms=3, label=label
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        plain(axes.yaxis)
        ticks = [50, 90, 99, 99.9]
        axes.set_xticks([100 / (100 - tick) for tick in ticks], [f"p{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set_ylabel("seconds from the intended start")

    table = Table(
        id=slug(_ID, status, "table", run.number),
        title=title,
        columns=["contestant", "load", "sagas", *(f"p{share:g}" for share in _DRAWN)],
        rows=[
            [label, pooled[label][1], str(pooled[label][0].count(pooled[label][2])), *_values(points)]
            for label, points in curves.items()
        ],
    )
    return Figure(
        id=slug(_ID, status, run.number),
        title=title,
        svg=partial(drawn, title, told_so, draw),
        told=told_so,
        conditions=f"Up to where {_BEYOND} values lie beyond. {conditions_of(run)}",
        table=table,
        command=run.command,
    )


def _pooled(run: Source, label: str, status: str) -> tuple[Histograms, str, str] | None:
    """The histograms of the rounds that count, the load's name and the distribution's."""
    from bakeoff_bench.load.folder import LoadFolder
    from bakeoff_bench.load.histograms import Histograms

    kept = [one for one in open_blocks(run, label) if one["kept_up"] and latencies_of(one, status)]
    if run.stored or not kept:
        return None
    block, found, folder = kept[-1], Histograms(), LoadFolder(run.path)
    for row in run.loads:
        of_block = (row["contestant"], row["block"], row["phase"]) == (label, block["block"], block["phase"])
        if of_block and _counts(row):
            slug_ = row.get("part", run.result["contestants"][label]["slug"])
            found.merge_all(Histograms.load(folder.load(slug_, row["label"])))
    names = [name for name in found if name.endswith(f"-{status}-settled") and not name.startswith("slow-")]
    return (found, block["block"], names[0]) if names else None


def _curve(found: Histograms, _: str, name: str) -> list[tuple[float, float]]:
    count = found.count(name)
    shares = [share for share in _DRAWN if count * (100 - share) / 100 >= _BEYOND or share <= 50]
    points = ((share, found.percentile_s(name, share / 100)) for share in shares)
    return [(share, seconds) for share, seconds in points if seconds is not None]


def _values(points: Sequence[tuple[float, float]]) -> list[str]:
    by_share = dict(points)
    return [f"{by_share[share]:.3f}" if share in by_share else "too few" for share in _DRAWN]
