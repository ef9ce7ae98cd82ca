"""What a thousand sagas cost: CPU, memory, bytes, processes, billable actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bakeoff_bench.meter import cost_per_1000
from bakeoff_bench.report.drawing import colour, drawn
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Section, Table, cell
from bakeoff_bench.report.sections.loaded import conditions_of
from bakeoff_bench.report.sources import Kind, Source, of_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ID = "cost"
COLUMN = "CPU s per 1,000 sagas"
_MB = 1_000_000
_ROLES = ("servers", "workers", "client")
#: ``(key, unit, head)`` in the order of the columns.
_SHOWN = (
    *((f"cpu_s.{role}", 1, f"CPU s, {role}") for role in (*_ROLES, "total")),
    ("steady_memory_bytes.total", _MB, "memory, MB"),
    ("peak_memory_bytes.total", _MB, "peak, MB"),
    ("most_processes.total", 1, "processes"),
    ("stored_bytes.servers", _MB, "MB stored by servers"),
    ("stored_bytes.ledger", _MB, "MB of the ledger"),
)


def told(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: CPU seconds of the whole deployment}``."""
    found = {}
    for source in of_kind(sources, Kind.LOAD):
        for label, block in blocks_of(source).items():
            total = block["cost"].get("cpu_s.total")
            if total is not None:
                found[label] = cell(f"{total:.1f}", link=slug(ID, "table", source.number))
    return found


def section(sources: Sequence[Source]) -> Section | None:
    """A picture of CPU by role, the table, and what an event history would be billed."""
    runs = [run for run in of_kind(sources, Kind.LOAD) if blocks_of(run)]
    if not runs:
        return None
    blocks: list[Table | Figure] = []
    for run in runs:
        blocks.append(_picture(run))
        if (bill := _bill(run)) is not None:
            blocks.append(bill)
    return Section(
        id=ID,
        title="What it costs",
        lead=(
            "CPU, memory and bytes of the whole deployment, servers and the client included, read from the "
            "process tree. The services' own work is in it, and is the same for all.",
        ),
        blocks=blocks,
    )


def blocks_of(run: Source) -> dict[str, Mapping[str, Any]]:
    """Per contestant the open load with the highest rate that was kept up, else the closed one."""
    found: dict[str, Mapping[str, Any]] = {}
    for block in run.result["blocks"]:
        if not block["cost"] or not block["kept_up"]:
            continue
        before = found.get(block["contestant"])
        if before is None or _rank(block) > _rank(before):
            found[block["contestant"]] = block
    return found


def _rank(block: Mapping[str, Any]) -> tuple[bool, float]:
    return not block["users"], block["settled_per_s"] or 0.0


def _picture(run: Source) -> Figure:
    blocks = blocks_of(run)
    title = f"CPU seconds per 1,000 sagas ({run.name})"
    told_so = (
        "How many CPU seconds servers, workers and client took for a thousand sagas, added up per contestant."
    )

    def draw(axes: Axes) -> None:
        names, left = list(blocks), [0.0] * len(blocks)
        for place, role in enumerate(_ROLES):
            widths = [block["cost"].get(f"cpu_s.{role}") or 0.0 for block in blocks.values()]
            axes.barh(
                names, widths, left=left, color=colour(place), label=role, hatch=("", "//", "..")[place]
            )
            left = [before + width for before, width in zip(left, widths, strict=True)]
        axes.invert_yaxis()
        axes.set_xlabel("CPU seconds per 1,000 sagas")

    rows = [
        [label, block["block"], *(_number(block["cost"], key, unit) for key, unit, _ in _SHOWN)]
        for label, block in blocks.items()
    ]
    return Figure(
        id=slug(ID, "table", run.number),
        title=title,
        svg=partial(drawn, title, told_so, draw, height_in=1.2 + 0.3 * len(blocks)),
        told=told_so,
        conditions=f"Medians over rounds. {conditions_of(run)}",
        table=Table(
            id=slug(ID, "numbers", run.number),
            title=title,
            columns=["contestant", "load", *(head for _, _, head in _SHOWN)],
            rows=rows,
        ),
        command=run.command,
    )


def _number(cost: Mapping[str, float | None], key: str, unit: int) -> str:
    if key not in cost:
        return "none"  # it has no such processes
    value = cost[key]
    return "unknown" if value is None else f"{value / unit:.3g}"


def _bill(run: Source) -> Table | None:
    price = run.result.get("price_per_million_actions")
    rows: list[list[Cell | str]] = []
    for label, about in run.result["contestants"].items():
        history = about.get("history")
        if not history or not history["events_per_saga"]:
            continue
        actions = history["billable_actions_per_saga"]
        total = None if actions is None else sum(actions.values())
        rows.append(
            [
                label,
                f"{history['events_per_saga']:.1f}",
                "unknown" if history["bytes_per_saga"] is None else f"{history['bytes_per_saga']:.0f}",
                "none" if total is None else f"{total:.2f}",
                "no price given"
                if price is None or total is None
                else f"{cost_per_1000(total, price):.2f} of your money",
                history["note"],
            ]
        )
    if not rows:
        return None
    return Table(
        id=slug(ID, "bill", run.number),
        title=f"Event history and billable actions per saga ({run.name})",
        columns=["contestant", "events", "bytes", "billable actions", "1,000 sagas", "note"],
        rows=rows,
        conditions="Means over the last sagas of the run; a price per million actions is yours to give "
        "(--price-per-million-actions).",
        command=run.command,
    )
