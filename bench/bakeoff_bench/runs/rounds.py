"""The measurements of a stored load run, round by round."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff_bench.run.journal import Row

#: What can be compared: the name, where it is in a load's numbers, and whether more is better.
METRICS: Mapping[str, bool] = {
    "settled_per_s": True,
    "p50": False,
    "p90": False,
    "p95": False,
    "cpu_s_per_1000": False,
    "memory_bytes": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric of one contestant in one block.

    Attributes:
        contestant, block, metric: Which.
        values: ``{round: value}`` of the rounds that count and have it; positive. Under overload there is no
            latency of the engine.
        counted: The rounds that count.
    """

    contestant: str
    block: str
    metric: str
    values: Mapping[int, float]
    counted: Collection[int] = ()

    @property
    def mostly(self) -> bool:
        """Whether two of three rounds that count have it; the others would be a choice of the best."""
        return 3 * len(self.values) >= 2 * len(self.counted)

    @property
    def key(self) -> tuple[str, str, str]:
        """By which it is found in another run."""
        return self.contestant, self.block, self.metric


def series_of(rows: Sequence[Row]) -> list[Series]:
    """Everything that can be compared; rounds that are void or whose ledger is not valid are left out."""
    found: dict[tuple[str, str, str], dict[int, float]] = {}
    counted: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        measured = row["measured"]
        if row["phase"] != "round" or measured["void"] or measured["validity"] != "valid":
            continue
        counted.setdefault((row["contestant"], row["block"]), set()).add(row["round"])
        for metric in METRICS:
            value = value_of(measured, metric)
            if value is not None and value > 0:
                key = (row["contestant"], row["block"], metric)
                found.setdefault(key, {})[row["round"]] = value
    return [
        Series(
            contestant=contestant,
            block=block,
            metric=metric,
            values=values,
            counted=sorted(counted[contestant, block]),
        )
        for (contestant, block, metric), values in found.items()
    ]


def value_of(measured: Mapping[str, Any], metric: str) -> float | None:
    """One number of one load; ``None`` if it is not known, or measured under overload."""
    if metric == "settled_per_s":
        return float(measured["settled_per_s"])
    if metric == "cpu_s_per_1000":
        return _number(measured["cost"].get("per_1000", {}).get("cpu_s.total"))
    if metric == "memory_bytes":
        total = measured["cost"].get("roles", {}).get("total")
        return None if total is None else float(total["steady_memory_bytes"])
    if not measured["kept_up"]:
        return None
    kinds = [
        one[metric]
        for name, one in measured["latencies"].items()
        if name.endswith("-completed-settled") and not name.startswith("slow-")
    ]
    return _number(kinds[0]) if len(kinds) == 1 else None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
