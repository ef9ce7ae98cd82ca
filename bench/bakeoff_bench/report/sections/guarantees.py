"""The price of a guarantee: what was really kept under faults, against what it costs over the null engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bakeoff_bench.crash.cells import cell_of, group
from bakeoff_bench.report.drawing import MUTED, colour, drawn, marker
from bakeoff_bench.report.page import Cell, Figure, Mood, Section, Table, cell
from bakeoff_bench.report.sections import costs
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ID = "guarantees"
#: ``{fault: what survives it}`` of the faults that make the steps; each stands on those before it.
_STEPS = {"worker-kill": "a worker dies", "server-kill": "its server or broker dies"}
NOTHING = "nothing was survived"


def section(sources: Sequence[Source]) -> Section | None:
    """What was reached and what it cost; needs a crash run and a load run."""
    reached, cost = reached_by(sources), _cpu(sources)
    null = cost.get("inline")
    priced = {label: cost[label] / null for label in reached if label in cost} if null else {}
    if not reached:
        return None
    front = _front(reached, priced)
    blocks: list[Table | Figure] = [_table(reached, priced, front)]
    if priced:
        blocks.insert(0, _picture(reached, priced, front, sources[0].numbers))
    lead = (
        "Engines that guarantee different things are not to be ranked by speed. This sets what each was "
        "seen to "
        "survive against the CPU that it takes, as a multiple of the null engine (a function in a process).",
    )
    missing = "There is no price here: it takes a load run with inline in it, for the same contestants."
    return Section(
        id=ID,
        title="The price of a guarantee",
        lead=lead,
        blocks=blocks,
        notes=() if priced else (missing,),
    )


def reached_by(sources: Sequence[Source]) -> dict[str, int]:
    """``{contestant: steps of guarantee}``: 0 harmed by a killed worker, 1 not, 2 nor by a server's.

    A fault that was never tried, or came to no verdict, ends the climb.
    """
    kills: dict[str, list[Row]] = {}
    for run in of_kind(sources, Kind.CRASH):
        for name, rows in group(run.result["kills"], lambda row: row["contestant"]).items():
            kills.setdefault(name, []).extend(rows)
    return {name: _steps(rows) for name, rows in kills.items() if _judged(rows, "worker-kill")}


def level(steps: int) -> str:
    """In words."""
    return " and when ".join(list(_STEPS.values())[:steps]) or NOTHING


def _judged(rows: Sequence[Row], fault: str) -> int:
    own = [row for row in rows if row["fault"] == fault]
    return cell_of(own).judged if own else 0


def _steps(rows: Sequence[Row]) -> int:
    for number, fault in enumerate(_STEPS):
        own = [row for row in rows if row["fault"] == fault]
        if not own or not (summed := cell_of(own)).judged or summed.harmed:
            return number
    return len(_STEPS)


def _cpu(sources: Sequence[Source]) -> dict[str, float]:
    found = {}
    for run in of_kind(sources, Kind.LOAD):
        for label, block in costs.blocks_of(run).items():
            total = block["cost"].get("cpu_s.total")
            if total:
                found[label] = float(total)
    return found


def _front(reached: Mapping[str, int], priced: Mapping[str, float]) -> set[str]:
    """Those whom nobody beats in both."""

    def beats(other: str, label: str) -> bool:
        as_good = reached[other] >= reached[label] and priced[other] <= priced[label]
        return as_good and (reached[other] > reached[label] or priced[other] < priced[label])

    return {label for label in priced if not any(beats(other, label) for other in priced)}


def _picture(
    reached: Mapping[str, int], priced: Mapping[str, float], front: set[str], numbers: Mapping[str, int]
) -> Figure:
    title = "What was survived, against its price"
    told_so = (
        "To the right is dearer, above is more survived; the line joins those whom nobody beats in both. "
        "Differences smaller than the load run can resolve mean nothing."
    )

    def draw(axes: Axes) -> None:
        for label, price in priced.items():
            place = numbers[label]
            axes.scatter([price], [reached[label]], c=colour(place), marker=marker(place), s=40, label=label)
        best = sorted((priced[label], reached[label]) for label in front)
        axes.step(
            [one[0] for one in best], [one[1] for one in best], where="post", color=MUTED, linestyle="--"
        )
        axes.set_yticks(range(len(_STEPS) + 1), [NOTHING, *(f"survived: {what}" for what in _STEPS.values())])
        axes.set_ylim(-0.4, len(_STEPS) + 0.4)
        axes.set_xlabel("CPU per saga, times the null engine's")

    return Figure(
        id=f"{ID}-picture",
        title=title,
        svg=drawn(title, told_so, draw, height_in=3.8),
        told=told_so,
        conditions="Survived: not one saga was harmed by any kill of that kind that landed and was judged.",
        table=_table(reached, priced, front, "picture-table"),
    )


def _table(
    reached: Mapping[str, int], priced: Mapping[str, float], front: set[str], name: str = "table"
) -> Table:
    rows: list[list[Cell | str]] = [
        [
            label,
            cell(level(steps), Mood.GOOD if steps else Mood.BAD, link="crashes"),
            f"{priced[label]:.1f}" if label in priced else cell("not measured", Mood.SILENT),
            "yes" if label in front else "no" if label in priced else "",
        ]
        for label, steps in sorted(reached.items(), key=lambda one: -one[1])
    ]
    return Table(
        id=f"{ID}-{name}",
        title="Guarantee reached, and its price",
        columns=["contestant", "survived when", "CPU, times the null engine's", "nobody beats it in both"],
        rows=rows,
        conditions="The number of kills and the interval stand with the crash matrix.",
    )
