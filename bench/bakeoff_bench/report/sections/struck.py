"""A fault in the middle of a load: the dip, and how it is worked off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from bakeoff_bench.report.drawing import BAD, colour, drawn, line
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Mood, Section, Table, cell
from bakeoff_bench.report.sections.loaded import conditions_of
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ID = "struck"
#: Seconds of one step of the curve.
_STEP_S = 1.0


def section(sources: Sequence[Source]) -> Section | None:
    """Per run with a fault: what settled, second by second."""
    runs = [run for run in of_kind(sources, Kind.LOAD) if _struck(run)]
    if not runs:
        return None
    return Section(
        id=ID,
        title="A fault under load",
        lead=("Throughput while a process is killed, and what those paid who were in flight.",),
        blocks=[_table(run) if run.stored else _figure(run) for run in runs],
    )


def _struck(run: Source) -> list[Row]:
    """Every round whose fault landed and whose generator kept up, whatever the ledger says of it."""
    return [
        row
        for row in run.loads
        if row["phase"] == "round"
        and (fault := row["measured"].get("fault"))
        and not fault["missed"]
        and not row["measured"]["void"]
    ]


def _figure(run: Source) -> Figure:
    struck = _struck(run)
    title = f"Sagas settled per second while {run.result['plan']['fault']} strikes ({run.name})"
    told_so = "Sagas that settled in every second, counted from the fault (vertical line); one round of each."
    first = {row["contestant"]: row for row in reversed(struck)}
    curves = {label: _settled(run, row) for label, row in first.items()}

    def draw(axes: Axes) -> None:
        for label, points in curves.items():
            place = run.numbers[label]
            seconds = sorted(points)
            axes.step(
                seconds,
                [points[second] / _STEP_S for second in seconds],
                where="post",
                color=colour(place),
                linestyle=line(place),
                linewidth=1,
                label=label,
            )
        axes.axvline(0, color=BAD, linewidth=1, gid="fault")
        axes.set_xlabel("seconds from the fault")
        axes.set_ylabel("sagas settled per second")
        axes.set_ylim(bottom=0)

    return Figure(
        id=slug(ID, run.number),
        title=title,
        svg=partial(drawn, title, told_so, draw),
        told=told_so,
        conditions=f"n = 1 round of each contestant: no interval. {conditions_of(run)}",
        table=_table(run),
        command=run.command,
    )


def _table(run: Source) -> Table:
    columns = ["contestant", "load", "round", "ledger", "in flight", "lost"]
    return Table(
        id=slug(ID, "table", run.number),
        title=f"What {run.result['plan']['fault']} cost under load ({run.name})",
        columns=[*columns, "silence, s", "all in flight over, s", "drained, s", "open"],
        rows=[_told(row) for row in _struck(run)],
        conditions="n = 1 in every row, the rounds below each other; one load: no interval. "
        f"{conditions_of(run)}",
        command=run.command,
    )


def _told(row: Row) -> list[Cell | str]:
    fault, verdict = row["measured"]["fault"], row["measured"]["validity"]
    mood = {"valid": Mood.GOOD, "invalid": Mood.BAD}.get(verdict, Mood.SILENT)
    return [
        row["contestant"],
        row["block"],
        str(row["round"] + 1),
        cell(verdict, mood, note="; ".join(row["measured"]["reasons"])),
        str(fault["in_flight"]),
        cell(fault["in_flight_lost"], Mood.BAD if fault["in_flight_lost"] else Mood.PLAIN),
        *("not seen" if fault[name] is None else f"{fault[name]:.1f}" for name in _TIMES),
        f"{fault['open_before']} to {fault['open_after']}",
    ]


_TIMES = ("silent_s", "recovery_s", "drained_s")


def _settled(run: Source, row: Row) -> Counter[float]:
    """``{second from the fault: sagas that settled in it}``, seconds without any included."""
    from bakeoff_bench.load.folder import LoadFolder, load_samples

    slug_ = row.get("part", run.result["contestants"][row["contestant"]]["slug"])
    samples = load_samples(LoadFolder(run.path).load(slug_, row["label"]))
    at_s = row["measured"]["fault"]["at_s"]
    steps = [int((one.settled_s - at_s) // _STEP_S) for one in samples if one.settled_s is not None]
    found: Counter[float] = (
        Counter({step * _STEP_S: 0 for step in range(min(steps), max(steps) + 1)}) if steps else Counter()
    )
    found.update(step * _STEP_S for step in steps)
    return found
