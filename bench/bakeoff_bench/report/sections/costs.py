"""What a thousand sagas cost: CPU, memory, bytes, processes, billable actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bakeoff_bench.meter import cost_per_1000
from bakeoff_bench.meter.usage import NO_WIRE
from bakeoff_bench.report.drawing import INK, colour, drawn
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Mood, Section, Table, cell
from bakeoff_bench.report.sections.loaded import conditions_of, name_of, rounds_of
from bakeoff_bench.report.sections.rounds import BRACKETS, WORTH, counted, in_short, spread, used_of
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ID = "cost"
COLUMN = "CPU s per 1,000 sagas"
CPU = "cpu_s.total"
_MB = 1_000_000
_ROLES = ("servers", "workers", "client")
_LEVELS = ("steady_memory_bytes", "peak_memory_bytes", "most_processes")
_WIRE, _STORED = "wire_bytes", "stored_bytes."
#: ``(key, unit, head)`` in the order of the columns.
_SHOWN = (
    *((f"cpu_s.{role}", 1, f"CPU s, {role}") for role in (*_ROLES, "total")),
    ("steady_memory_bytes.total", _MB, "memory, MB"),
    ("peak_memory_bytes.total", _MB, "peak, MB"),
    ("most_processes.total", 1, "processes"),
    (f"{_STORED}servers", _MB, "MB stored by servers"),
    (f"{_STORED}ledger", _MB, "MB of the ledger"),
    (_WIRE, _MB, "MB on the wire"),
)


def told(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: CPU seconds of the whole deployment}``."""
    found = {}
    for source in of_kind(sources, Kind.LOAD):
        for label, block in blocks_of(source).items():
            total = block["cost"].get(CPU)
            if total is not None:
                rounds = list(per_round(source, block, CPU).values())
                text = in_short(total, rounds, used_of(block), "{:.1f}".format)
                found[label] = cell(text, link=slug(ID, "table", source.number))
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
        notes=(WORTH,),
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


def load_words(block: Mapping[str, Any]) -> str:
    """Which load it is, and how much that was."""
    rate = block["settled_per_s"] if block["users"] else block["offered_per_s"]
    return name_of(block) + ("" if rate is None else f", {rate:.1f}/s")


def per_round(run: Source, block: Mapping[str, Any], key: str) -> dict[int, float]:
    """``{round: number}`` of one cost in every round that knows it; nothing of a result without rounds."""
    found = {row["round"]: _of_round(row, key) for row in rounds_of(run, block)}
    return {number: value for number, value in found.items() if value is not None}


def _of_round(row: Row, key: str) -> float | None:
    cost = row["measured"].get("cost") or {}
    what, _, role = key.partition(".")
    if what in _LEVELS:
        usage = cost.get("roles", {}).get(role)
        return None if usage is None else usage.get(what)
    value: float | None = cost.get("per_1000", {}).get(key)
    return value


def _picture(run: Source) -> Figure:
    blocks = blocks_of(run)
    title = f"CPU seconds per 1,000 sagas ({run.name})"
    told_so = (
        "How many CPU seconds servers, workers and client took for a thousand sagas, added up per "
        "contestant; the thin line goes from the lowest round's sum to the highest."
    )

    def draw(axes: Axes) -> None:
        names, left = list(blocks), [0.0] * len(blocks)
        for place, role in enumerate(_ROLES):
            widths = [block["cost"].get(f"cpu_s.{role}") or 0.0 for block in blocks.values()]
            axes.barh(
                names, widths, left=left, color=colour(place), label=role, hatch=("", "//", "..")[place]
            )
            left = [before + width for before, width in zip(left, widths, strict=True)]
        for place, block in enumerate(blocks.values()):
            sums = list(per_round(run, block, CPU).values())
            if len(sums) > 1:
                axes.hlines([place], [min(sums)], [max(sums)], colors=INK, linewidth=1.2)
        axes.invert_yaxis()
        axes.set_xlabel("CPU seconds per 1,000 sagas")

    return Figure(
        id=slug(ID, "table", run.number),
        title=title,
        svg=partial(drawn, title, told_so, draw, height_in=1.2 + 0.3 * len(blocks)),
        told=told_so,
        conditions=f"Medians over rounds. {BRACKETS} On the wire: {NO_WIRE}. {conditions_of(run)}",
        table=Table(
            id=slug(ID, "numbers", run.number),
            title=title,
            columns=["contestant", "load", "rounds", "sagas", *(head for _, _, head in _SHOWN)],
            rows=[_row(run, label, block) for label, block in blocks.items()],
        ),
        command=run.command,
    )


def _row(run: Source, label: str, block: Mapping[str, Any]) -> list[Cell | str]:
    return [
        label,
        load_words(block),
        counted(block, len(per_round(run, block, CPU))),
        str(block["arrived"]),
        *(
            _amount(block["cost"], key, unit, list(per_round(run, block, key).values()))
            for key, unit, _ in _SHOWN
        ),
    ]


def _amount(cost: Mapping[str, float | None], key: str, unit: int, rounds: Sequence[float]) -> Cell | str:
    if key not in cost and key != _WIRE:
        return "none"  # it has no such processes
    value = cost.get(key)
    if value is None:
        return cell("unknown", Mood.SILENT)
    if key.startswith(_STORED) and min([value, *rounds]) < 0:
        shrunk = sum(one < 0 for one in rounds)
        where = f" in {shrunk} of {len(rounds)} rounds" if len(rounds) > 1 else ""
        return cell(f"unknown (its files shrank{where})", Mood.SILENT)
    return spread(value, rounds, lambda one: f"{one / unit:.3g}")


def _bill(run: Source) -> Table | None:
    price = run.result.get("price_per_million_actions")
    rows: list[list[Cell | str]] = []
    for label, about in run.result["contestants"].items():
        history = about.get("history")
        if not history or not history["events_per_saga"]:
            continue
        actions = history["billable_actions_per_saga"]
        total = None if actions is None else sum(actions.values())
        size = history["bytes_per_saga"]
        rows.append(
            [
                label,
                str(history.get("looked_at", "not told")),
                f"{1000 * history['events_per_saga']:,.0f}",
                "unknown" if size is None else f"{1000 * size / _MB:.3g}",
                "none" if total is None else f"{1000 * total:,.0f}",
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
        title=f"Event history and billable actions per 1,000 sagas ({run.name})",
        columns=["contestant", "sagas looked at", "events", "MB", "billable actions", "price", "note"],
        rows=rows,
        conditions="1,000 times the mean over the last sagas of the run, whose spread is not kept: no "
        "interval. A price per million actions is yours to give (--price-per-million-actions).",
        command=run.command,
    )
