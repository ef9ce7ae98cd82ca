"""The price of a guarantee: what was really kept under faults, against what it costs over the null engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bakeoff_bench.crash.cells import Cell as Kills
from bakeoff_bench.crash.cells import cell_of, group
from bakeoff_bench.crash.declared import gap_of
from bakeoff_bench.report.drawing import colour, drawn, marker
from bakeoff_bench.report.page import Cell, Figure, Mood, Section, Table, cell
from bakeoff_bench.report.sections.loaded import conditions_of
from bakeoff_bench.report.sections.price import Price, price_cells, priced_by
from bakeoff_bench.report.sections.rounds import BRACKETS
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ID = "guarantees"
#: ``{fault: what survives it}`` of the faults that make the steps; each stands on those before it.
_STEPS = {"worker-kill": "a worker dies", "server-kill": "its server or broker dies"}
NOTHING = "nothing"
#: Prices within this factor are taken for the same: what a load run can tell apart at best.
ALIKE = 1.25
#: Kills without harm that make a step; fewer are an anecdote.
ENOUGH = 5
_TOO_FEW = (
    f"Nobody was seen to survive anything, so there is no picture: that takes {ENOUGH} kills of a kind or "
    "more, all without harm and seen to their end (bakeoff crash), of an engine that declares to survive "
    "them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far one contestant was seen to come.

    Attributes:
        steps: Kinds of kills that harmed nobody, each standing on those before it.
        harmed: Whether a kill of the next kind did harm; otherwise nobody knows.
        told: The same with numbers.
    """

    steps: int
    harmed: bool
    told: str


def section(sources: Sequence[Source]) -> Section | None:
    """What was reached and what it cost; needs a crash run, and for the price a load run with inline."""
    reached = reached_by(sources)
    if not reached:
        return None
    priced, run = priced_by(sources, reached)
    front = _front(reached, priced)
    told_by = [*of_kind(sources, Kind.CRASH), *([] if run is None else [run])]
    command = "; ".join(dict.fromkeys(one.command for one in told_by))
    blocks: list[Table | Figure] = [_table(reached, priced, front, command)]
    known = any(one.steps for one in reached.values())
    if run is not None and known:
        blocks.insert(0, _picture(reached, priced, front, run, command))
    missing = "There is no price here: it takes a load run with inline in it, for the same contestants."
    return Section(
        id=ID,
        title="The price of a guarantee",
        lead=(
            "Engines that guarantee different things are not to be ranked by speed. This sets what each "
            "was seen to "
            "survive against the CPU that it takes, as a multiple of the null engine (a function in a "
            "process).",
        ),
        blocks=blocks,
        notes=(*(() if priced else (missing,)), *(() if known else (_TOO_FEW,))),
    )


def reached_by(sources: Sequence[Source]) -> dict[str, Reached]:
    """Of every contestant whose worker was killed; a kind that was never tried ends the climb."""
    kills: dict[str, list[Row]] = {}
    abouts: dict[str, Mapping[str, Any]] = {}
    for run in of_kind(sources, Kind.CRASH):
        abouts |= run.about["contestants"]
        for name, rows in group(run.result["kills"], lambda row: row["contestant"]).items():
            kills.setdefault(name, []).extend(rows)
    return {
        name: _climbed(rows, abouts[name])
        for name, rows in kills.items()
        if any(row["fault"] in _STEPS for row in rows)
    }


def _climbed(rows: Sequence[Row], about: Mapping[str, Any]) -> Reached:
    words = []
    for number, (fault, what) in enumerate(_STEPS.items()):
        own = [row for row in rows if row["fault"] == fault]
        summed = cell_of(own) if own else None
        if summed is None or not summed.judged:
            words.append(f"{what}: not judged")
            return Reached(steps=number, harmed=False, told="; ".join(words))
        unseen = summed.landed - summed.judged
        beside = f", {unseen} not observed" if unseen else ""
        gap = gap_of(about, fault)
        beside += f", but {gap}" if gap else ""
        beside += ", and what it declares is unknown" if gap is None else ""
        words.append(f"{what}: {summed.harmed} of {summed.judged} harmed{_interval(summed)}{beside}")
        if summed.harmed or summed.judged < ENOUGH or unseen or gap != "":
            return Reached(steps=number, harmed=bool(summed.harmed), told="; ".join(words))
    return Reached(steps=len(_STEPS), harmed=False, told="; ".join(words))


def _interval(summed: Kills) -> str:
    """Wilson's, of the share that came to harm."""
    return "" if summed.harm is None else f" ({100 * summed.harm.low:.0f} to {100 * summed.harm.high:.0f} %)"


def _front(reached: Mapping[str, Reached], priced: Mapping[str, Price]) -> set[str]:
    """Those whom nobody surely beats in both; a price within ``ALIKE`` of another is none that differs."""

    def beats(other: str, label: str) -> bool:
        cheaper = priced[other].times * ALIKE < priced[label].times
        more = reached[other].steps > reached[label].steps and reached[label].harmed
        return (cheaper and reached[other].steps >= reached[label].steps) or (
            more and priced[other].times <= priced[label].times
        )

    return {label for label in priced if not any(beats(other, label) for other in priced)}


def _picture(
    reached: Mapping[str, Reached],
    priced: Mapping[str, Price],
    front: set[str],
    run: Source,
    command: str,
) -> Figure:
    title = "What was survived, against its price"
    told_so = (
        "To the right is dearer, above is more survived; the line goes from the lowest round to the highest. "
        "Filled: nobody surely beats it in both. A contestant of which the next step was not tried, or not "
        "often enough, stands where it was last seen."
    )

    def draw(axes: Axes) -> None:
        for label, price in priced.items():
            place = run.numbers[label]
            if len(price.rounds) > 1:
                ends = [min(price.rounds)], [max(price.rounds)]
                axes.hlines([reached[label].steps], *ends, colors=colour(place), linewidth=1)
            axes.scatter(
                [price.times],
                [reached[label].steps],
                facecolors=colour(place) if label in front else "none",
                edgecolors=colour(place),
                marker=marker(place),
                s=40,
                label=label,
            )
        axes.set_yticks(range(len(_STEPS) + 1), [NOTHING, *(f"survived: {what}" for what in _STEPS.values())])
        axes.set_ylim(-0.4, len(_STEPS) + 0.4)
        axes.set_xlabel("CPU per saga, times the null engine's")

    return Figure(
        id=f"{ID}-picture",
        title=title,
        svg=partial(drawn, title, told_so, draw, height_in=3.8),
        told=told_so,
        conditions=f"Survived: none of {ENOUGH} or more kills of that kind, all seen to their end, did harm. "
        f"Prices are medians over the rounds of {run.name}, of the same round of both; a factor below "
        f"{ALIKE:g} counts as none. {BRACKETS} {conditions_of(run)}",
        table=_table(reached, priced, front, command, "picture-table"),
        command=command,
    )


def _table(
    reached: Mapping[str, Reached],
    priced: Mapping[str, Price],
    front: set[str],
    command: str,
    name: str = "table",
) -> Table:
    rows: list[list[Cell | str]] = [
        [
            label,
            _survived(one),
            one.told,
            *price_cells(priced.get(label)),
            "yes" if label in front else "no" if label in priced else "",
        ]
        for label, one in sorted(reached.items(), key=lambda one: -one[1].steps)
    ]
    return Table(
        id=f"{ID}-{name}",
        title="Guarantee reached, and its price",
        columns=[
            *("contestant", "survived when", "kills (95 %)", "CPU, times the null engine's"),
            *("load", "rounds", "sagas", "nobody beats it"),
        ],
        rows=rows,
        conditions="Intervals of harm are Wilson's, those of the price the lowest and the highest round.",
        command=command,
    )


def _survived(one: Reached) -> Cell:
    if one.steps:
        return cell(" and when ".join(list(_STEPS.values())[: one.steps]), Mood.GOOD, link="crashes")
    if one.harmed:
        return cell(NOTHING, Mood.BAD, link="crashes")
    return cell("not known yet", Mood.SILENT, link="crashes")
