"""How long a recovery takes, and how much of that is the lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bakeoff_bench.crash.cells import cell_of, group, is_harmful
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.report.drawing import BAD, MUTED, colour, drawn, line, marker
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Mood, Section, Table, cell, worst
from bakeoff_bench.report.sections.crashes import judged_again, short_leases
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ID = "recovery"
COLUMN = "recovery from a dead worker, s"
#: The fault that the answer is about.
_ANSWER = "worker-kill"
_SILENT = (KillOutcome.VOID, KillOutcome.NOT_SUPPORTED)
#: Seconds; longer recoveries need a logarithmic axis.
_LINEAR_UP_TO_S = 120.0


def told(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: median after the kill of a worker}``."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.CRASH):
        for name, rows in _by_contestant(source, _ANSWER).items():
            times = cell_of(rows).recovery
            seen = f"{len(times.seen_s)} of {len(rows)} seen{short_leases(source, rows)}"
            if times.median_s is not None:
                between = f"{_range(times.seen_s)}, " if len(times.seen_s) > 1 else ""
                text, mood = f"{times.median_s:.1f} ({between}{seen})", Mood.PLAIN
            elif times.seen_s or times.censored:
                text, mood = f"beyond {rows[0]['deadline_s']:g} ({seen})", Mood.CAUTION
            else:
                text, mood = "never", Mood.BAD
            worst(found, name, cell(text, mood, slug(ID, "distribution", source.number, _ANSWER)))
    return found


def section(sources: Sequence[Source]) -> Section | None:
    """A picture of recovery against lease, and one of its distribution, per run."""
    told_of = [(run, fault) for run in of_kind(sources, Kind.CRASH) for fault in _faults(run)]
    if not told_of:
        return None
    return Section(
        id=ID,
        title="How long a recovery takes",
        lead=(
            "An engine that cannot see a worker die waits for a lease to run out: a visibility timeout, a "
            "heartbeat "
            "timeout, a step's own timeout. What a recovery takes beyond its lease is the engine's own.",
        ),
        blocks=[
            figure
            for run, fault in told_of
            for figure in (_against_lease(run, fault), _distribution(run, fault))
        ],
    )


def _faults(run: Source) -> list[str]:
    """Those that landed."""
    return list(dict.fromkeys(row["fault"] for row in run.result["kills"] if row["outcome"] not in _SILENT))


def _by_contestant(run: Source, fault: str) -> dict[str, list[Row]]:
    """Kills of this kind that landed."""
    order = list(run.about["contestants"])
    landed = [row for row in run.result["kills"] if row["outcome"] not in _SILENT and row["fault"] == fault]
    landed.sort(key=lambda row: order.index(row["contestant"]))
    return group(landed, lambda row: row["contestant"])


def _against_lease(run: Source, fault: str) -> Figure:
    by_name = _by_contestant(run, fault)
    title = f"Recovery against the lease: {fault} ({run.name})"
    told_so = (
        "Each mark is one kill: its contestant's lease (0: a broken connection tells at once) and the "
        "seconds until "
        "every saga in flight was over. Open triangles had not recovered by the deadline, crosses came to "
        "harm. What an engine adds to its lease is the distance to the dashed line."
    )

    def draw(axes: Axes) -> None:
        for name, rows in by_name.items():
            place = run.numbers[name]
            over = [row for row in rows if row["recovery_s"] is not None and not is_harmful(row)]
            late = [row for row in rows if row["recovery_s"] is None and not is_harmful(row)]
            harmed = [row for row in rows if is_harmful(row)]
            axes.scatter(*_points(over), c=colour(place), marker=marker(place), s=22, alpha=0.75, label=name)
            axes.scatter(*_points(late), facecolors="none", edgecolors=colour(place), marker="^", s=30)
            axes.scatter(*_points(harmed), c=BAD, marker="x", s=30)
        longest_s = max((row["lease_s"] or 0.0 for rows in by_name.values() for row in rows), default=1.0)
        (guide,) = axes.plot([0, longest_s], [0, longest_s], color=MUTED, linestyle="--", gid="lease")
        guide.set_label("recovery = lease")
        if longest_s > _LINEAR_UP_TO_S:
            axes.set_xscale("symlog", linthresh=1)
            axes.set_yscale("symlog", linthresh=1)
        axes.set_xlabel("lease, seconds")
        axes.set_ylabel("kill to full recovery, seconds")

    rows: list[list[Cell | str]] = []
    for name, kills in by_name.items():
        for lease_s, same in sorted(group(kills, lambda row: row["lease_s"] or 0.0).items()):
            times = cell_of(same).recovery
            rows.append([name, f"{lease_s:g}", str(len(same)), _median(times.median_s), _range(times.seen_s)])
    table = Table(
        id=slug(ID, "lease-table", run.number, fault),
        title=title,
        columns=["contestant", "lease, s", "kills", "median, s", "shortest to longest, s"],
        rows=rows,
    )
    return Figure(
        id=slug(ID, "lease", run.number, fault),
        title=title,
        svg=partial(drawn, title, told_so, draw, height_in=4.0),
        told=told_so,
        conditions=_conditions(run),
        table=table,
        command=judged_again(run, "--plot", "recovery.svg"),
    )


def _distribution(run: Source, fault: str) -> Figure:
    by_name = _by_contestant(run, fault)
    title = f"Distribution of recovery times: {fault} ({run.name})"
    told_so = (
        "The share of kills whose sagas were all over so many seconds after the fault. A line that ends "
        "below 100 % "
        "leaves kills that had not recovered by the deadline, or never will."
    )

    kills = [row for rows in by_name.values() for row in rows]
    seen_s = [row["recovery_s"] for row in kills if row["recovery_s"] is not None]
    # As far as anything was seen, so that a line shows how far it came.
    end_s = 1.05 * max(seen_s) if seen_s else max((row["deadline_s"] for row in kills), default=1.0)

    def draw(axes: Axes) -> None:
        for name, rows in by_name.items():
            place = run.numbers[name]
            seen = sorted(row["recovery_s"] for row in rows if row["recovery_s"] is not None)
            shares = [100 * (n + 1) / len(rows) for n in range(len(seen))]
            style: dict[str, Any] = {
                "color": colour(place),
                "linestyle": line(place),
                "label": f"{name}, {len(rows)} kills",
            }
            last = shares[-1] if shares else 0.0
            axes.step([0.0, *seen, end_s], [0.0, *shares, last], where="post", **style)
        axes.set_xlabel("seconds after the fault")
        axes.set_ylabel("recovered, % of kills")
        axes.set_ylim(0, 103)

    return Figure(
        id=slug(ID, "distribution", run.number, fault),
        title=title,
        svg=partial(drawn, title, told_so, draw),
        told=told_so,
        conditions=_conditions(run),
        table=_times_table(slug(ID, "distribution-table", run.number, fault), title, by_name),
        command=judged_again(run),
    )


def _times_table(id_: str, title: str, by_name: Mapping[str, Sequence[Row]]) -> Table:
    rows: list[list[Cell | str]] = []
    for name, kills in by_name.items():
        summed = cell_of(kills)
        for what, times in (
            ("detection", summed.detection),
            ("first progress", summed.first_progress),
            ("full recovery", summed.recovery),
        ):
            left = times.censored + times.never
            rows.append(
                [name, what, str(len(times.seen_s)), _median(times.median_s), _range(times.seen_s), str(left)]
            )
    columns = ["contestant", "until", "seen", "median, s", "shortest to longest, s", "not seen"]
    return Table(id=id_, title=title, columns=columns, rows=rows)


def _points(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    lasted = [row["deadline_s"] if row["recovery_s"] is None else row["recovery_s"] for row in rows]
    return [row["lease_s"] or 0.0 for row in rows], lasted


def _median(value: float | None) -> str:
    return "beyond the deadline" if value is None else f"{value:.1f}"


def _range(seen_s: Sequence[float]) -> str:
    return f"{seen_s[0]:.1f} to {seen_s[-1]:.1f}" if seen_s else "-"


def _conditions(run: Source) -> str:
    series = run.about["series"]
    titles = "; ".join(
        f"{one['title']}: {one['kills']} per point, waited for {one['deadline_s']:g} s" for one in series
    )
    lanes = run.about.get("asked", {}).get("lanes", 1)
    beside = f" {lanes} kills computed at the same time." if lanes > 1 else ""
    return f"{titles}.{beside} n: one mark or one step per kill; one kill: no interval."
