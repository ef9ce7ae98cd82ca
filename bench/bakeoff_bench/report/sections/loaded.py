"""What sections about loads share: the blocks that count, and the conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff_bench.report.sources import Source


def conditions_of(run: Source) -> str:
    """What a load's numbers hold under."""
    plan = run.result["plan"]
    cpus = plan["cpus"]
    shared = (
        "all CPUs shared" if cpus is None else f"CPUs: {len(cpus[0])} deployment, {len(cpus[1])} generator"
    )
    steady = f"shape {plan['shape']}, " if plan["shape"] else ""
    return (
        f"{plan['scenario']}{disturbed(run)}, {steady} saga {plan['saga']}, {plan['process']} arrivals for "
        f"{plan['seconds']:g} s of "
        f"which "
        f"{plan['warm_up_s']:g} s warm-up are left out, {plan['workers']} x {plan['slots']} slots, ledger "
        f"{plan['ledger']}, {shared}, "
        f"seed {plan['seed']}; {plan['quality']}."
    )


def disturbed(run: Source) -> str:
    """What was done to the load; nothing where nothing was."""
    fault = run.result["plan"]["fault"]
    return f", struck by {fault}" if fault else ""


def is_broken(run: Source, block: Mapping[str, Any]) -> bool:
    """Whether rounds of this load were left out because the ledger says that something went wrong."""
    return any(
        row["measured"]["validity"] == "invalid"
        for row in run.loads
        if (row["contestant"], row["block"], row["phase"])
        == (block["contestant"], block["block"], block["phase"])
    )


def open_blocks(run: Source, label: str) -> list[Mapping[str, Any]]:
    """The open loads of one contestant that have a round that counts, the slowest first."""
    blocks = [b for b in run.result["blocks"] if b["contestant"] == label and not b["users"] and b["arrived"]]
    return sorted(blocks, key=lambda block: float(block["offered_per_s"]))


def latencies_of(block: Mapping[str, Any], status: str = "completed") -> Mapping[str, Any]:
    """The distribution of this outcome, of those who are nobody's noisy neighbour."""
    end = f"-{status}-settled"
    for name, summed in block["latencies"].items():
        if name.endswith(end) and not name.startswith("slow-"):
            return dict(summed)
    return {}
