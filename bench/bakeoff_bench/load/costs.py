"""What a load cost, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.meter import cost_per_1000
from bakeoff_bench.meter.usage import NO_WIRE

_MB = 1_000_000
#: ``(what, unit)`` in the order of the columns.
_SHOWN = (
    *((f"cpu_s.{role}", 1) for role in ("servers", "workers", "client", "total")),
    *((f"stored_bytes.{role}", _MB) for role in ("servers", "ledger")),
    *((f"{level}_memory_bytes.total", _MB) for level in ("steady", "peak")),
    ("most_processes.total", 1),
)


def show_costs(result: Mapping[str, Any]) -> None:
    """Per block: CPU and bytes per 1,000 sagas, memory, processes; then what histories hold, and cost."""
    rows = [
        [
            block["contestant"],
            block["block"],
            *(_number(block["cost"], what, unit) for what, unit in _SHOWN),
        ]
        for block in result["blocks"]
        if block["cost"]
    ]
    if rows:
        say()
        say("what it cost: CPU seconds and MB stored per 1,000 sagas; memory in MB", style="bold")
        columns = ["contestant", "block", "servers", "workers", "generator", "CPU s in all", "MB stored"]
        show_table([*columns, "of the ledger", "memory, steady", "peak", "processes"], rows, keys=2)
        say(f"bytes on the wire: unknown: {NO_WIRE}")
    _show_histories(result)


def _show_histories(result: Mapping[str, Any]) -> None:
    price = result.get("price_per_million_actions")
    for name, about in result["contestants"].items():
        history = about.get("history")
        if not history or not history["events_per_saga"]:
            continue
        text = f"{name}: {history['events_per_saga']:.1f} events"
        if history["bytes_per_saga"] is not None:
            text += f", {history['bytes_per_saga']:.0f} bytes"
        if history["billable_actions_per_saga"] is not None:
            actions = sum(history["billable_actions_per_saga"].values())
            text += f" per saga, {1000 * actions:.0f} billable actions per 1,000 sagas"
            if price is not None:
                text += f" ({cost_per_1000(actions, price):.2f} of your money)"
        else:
            text += " per saga"
        say(f"{text}; mean of the last {history['looked_at']}; {history['note']}")


def _number(cost: Mapping[str, float | None], what: str, unit: int) -> str:
    if what not in cost:
        return "none"  # it has no such processes
    value = cost[what]
    if value is not None and value < 0:
        return "unknown (its files shrank)"
    return "unknown" if value is None else f"{value / unit:.3g}"
