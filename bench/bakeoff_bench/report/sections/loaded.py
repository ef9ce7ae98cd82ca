"""What sections about loads share: the loads that count, round by round, and the conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff_bench.load.words import length_of
from bakeoff_bench.report.sources import Source
from bakeoff_bench.run.journal import Row

#: How durability tiers begin, what survives most first; others come last.
_TIERS = ("D2", "D1 (", "D1", "none")
#: Where a manifest says nothing.
UNTOLD = "not told"
#: Until when a latency counts: the last record of the plan is in the ledger; the engine told its client.
SETTLED, TOLD = "settled", "told"
#: Format of a load's result since which unsettled sagas rank in percentiles.
_RANKED = 2


def conditions_of(run: Source) -> str:
    """What a load's numbers hold under."""
    plan = run.result["plan"]
    cpus = plan["cpus"]
    shared = (
        "all CPUs shared" if cpus is None else f"CPUs: {len(cpus[0])} deployment, {len(cpus[1])} generator"
    )
    steady = f"shape {plan['shape']}, " if plan["shape"] else ""
    return (
        f"{plan['scenario']}{disturbed(run)}, {steady}saga {plan['saga']}, {plan['process']} arrivals for "
        f"{length_of(run.result)} of which {plan['warm_up_s']:g} s warm-up are left out, "
        f"{plan['workers']} x {plan['slots']} slots, ledger {plan['ledger']}, {shared}, seed {plan['seed']}; "
        f"{plan['quality']}."
    )


def disturbed(run: Source) -> str:
    """What was done to the load; nothing where nothing was."""
    fault = run.result["plan"]["fault"]
    return f", struck by {fault}" if fault else ""


def censored_words(run: Source) -> str:
    """What became of unsettled sagas in percentiles."""
    ranked = run.result.get("format", 1) >= _RANKED
    return "they rank in percentiles with what they had waited" if ranked else "they are in no percentile"


def counts(row: Row) -> bool:
    """Whether the numbers of a load are about the engine, and what they are about is right."""
    return not row["measured"]["void"] and row["measured"]["validity"] == "valid"


def rounds_of(run: Source, block: Mapping[str, Any]) -> list[Row]:
    """Every round of a load that counts, by itself; none where an earlier bakeoff wrote the result."""
    return [row for row in run.loads if _is_of(row, block) and counts(row)]


def overloaded(rows: Sequence[Row]) -> tuple[int, int]:
    """In how many of how many loads the backlog grew."""
    return sum(not row["measured"]["kept_up"] for row in rows), len(rows)


def is_broken(run: Source, block: Mapping[str, Any]) -> bool:
    """Whether rounds of this load were left out because the ledger says that something went wrong."""
    return any(row["measured"]["validity"] == "invalid" for row in run.loads if _is_of(row, block))


def _is_of(row: Row, block: Mapping[str, Any]) -> bool:
    return all(row[name] == block[name] for name in ("contestant", "block", "phase"))


def open_blocks(run: Source, label: str) -> list[Mapping[str, Any]]:
    """The open loads of one contestant that have a round that counts, the slowest first."""
    blocks = [b for b in run.result["blocks"] if b["contestant"] == label and not b["users"] and b["arrived"]]
    return sorted(blocks, key=lambda block: float(block["offered_per_s"]))


def name_of(block: Mapping[str, Any]) -> str:
    """What a load over its rounds is called; a closed loop says that it is one."""
    return str(block["block"]) + (" (closed loop)" if block["users"] else "")


def names_of(run: Source) -> dict[str, str]:
    """``{load: what it is called}`` of every load of the rounds."""
    return {block["block"]: name_of(block) for block in run.result["blocks"]}


def latencies_of(
    block: Mapping[str, Any], status: str = "completed", end: str = SETTLED
) -> Mapping[str, Any]:
    """The distribution of this outcome, of those who are nobody's noisy neighbour.

    Args:
        block: A load over its rounds, or what was measured in one of these.
        status: The outcome.
        end: Until when: ``SETTLED`` or ``TOLD``. Of an engine that tells nothing there is no ``TOLD``.
    """
    ends = f"-{status}-{end}"
    for name, summed in block["latencies"].items():
        if name.endswith(ends) and not name.startswith("slow-"):
            return dict(summed)
    return {}


def percentile_of_rounds(
    rows: Sequence[Row], name: str, status: str = "completed", end: str = SETTLED
) -> list[float]:
    """The same percentile of every round that has the values for it, in seconds; as ``latencies_of``."""
    found = (latencies_of(row["measured"], status, end).get(name) for row in rows)
    return [float(one) for one in found if one is not None]


def tier_of(run: Source, label: str) -> str:
    """What a contestant declares to survive: its durability tier."""
    return str(run.result["contestants"][label].get("durability") or UNTOLD)


def by_tier(run: Source) -> dict[str, list[str]]:
    """``{durability tier: contestants}``, what survives most first: unlike guarantees stand apart."""
    found: dict[str, list[str]] = {}
    for label in run.result["contestants"]:
        found.setdefault(tier_of(run, label), []).append(label)
    return dict(sorted(found.items(), key=lambda one: _rank(one[0])))


def _rank(tier: str) -> int:
    return next((n for n, start in enumerate(_TIERS) if tier.startswith(start)), len(_TIERS))
