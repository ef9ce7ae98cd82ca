"""What load runs say of cost and speed, at a load that is the same for everybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from bakeoff_bench.decide.measures import Measure, Value, of_rounds
from bakeoff_bench.report.sections.loaded import latencies_of
from bakeoff_bench.report.sources import Source
from bakeoff_bench.run.journal import Row

_MB = 1_000_000
#: What goes without saying in a load's name.
_USUAL = ("order-steady", "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One load that a contestant kept up with, over the rounds that count.

    Attributes:
        name: The same name is the same load: 50 % is half of what each contestant can do.
        block: As ``block_of`` of a load's result has it.
        rows: Its rounds.
        run: Where it is from.
    """

    name: str
    block: Mapping[str, Any]
    rows: Sequence[Row]
    run: Source


#: ``{name of a load: {contestant: what it made of it}}``.
_ByLoad = Mapping[str, Mapping[str, Kept]]


def weighed(counted: Mapping[str, Sequence[Source]]) -> dict[str, dict[Measure, Value]]:
    """Every measure that load runs tell of these contestants.

    Cost is compared at one load for all, ``p95`` at one that offered all the same rate. Of the possible ones
    that is the load which most contestants kept up with, of these an open one, of these the one with the
    highest rate. Whoever did not keep up with it has no value.

    Args:
        counted: ``{contestant: load runs that count for it}``; of the same load in several the last counts.
    """
    found: dict[str, dict[Measure, Value]] = defaultdict(dict)
    kept: dict[str, dict[str, Kept]] = defaultdict(dict)
    rates: dict[str, set[float]] = defaultdict(set)
    for label, runs in counted.items():
        for run in runs:
            for one in _kept(run, label):
                kept[one.name][label] = one
            for block in run.result["blocks"]:
                rates[_name(run, block)].add(float(block["rate"]))
            rate = (run.result["contestants"][label].get("sustained") or {}).get("rate_per_s")
            if rate is not None:
                found[label][Measure.RATE] = Value(value=float(rate), evidence=str(run.path))
    costly = {
        name: {label: one for label, one in own.items() if one.block["cost"]} for name, own in kept.items()
    }
    for label, one in _common(costly).items():
        found[label] |= dict(_costs(one))
    equal = {name: own for name, own in kept.items() if len(rates[name]) == 1 and rates[name] != {0.0}}
    told = {
        name: {label: one for label, one in own.items() if _p95(one.block)} for name, own in equal.items()
    }
    for label, one in _common(told).items():
        value, rounds = _p95(one.block), [_p95(row["measured"]) for row in one.rows]
        assert value is not None
        found[label][Measure.P95] = _summed(one, value, rounds)
    return found


def _kept(run: Source, label: str) -> Iterator[Kept]:
    for block in run.result["blocks"]:
        if block["contestant"] == label and block["kept_up"] and block["arrived"]:
            yield Kept(name=_name(run, block), block=block, rows=list(_rounds(run, block)), run=run)


def _name(run: Source, block: Mapping[str, Any]) -> str:
    plan = run.result["plan"]
    others = [
        plan[key] for key, usual in zip(("scenario", "saga"), _USUAL, strict=True) if plan[key] != usual
    ]
    return " ".join([block["block"], *(["of", *others] if others else [])])


def _rounds(run: Source, block: Mapping[str, Any]) -> Iterator[Row]:
    """The loads that this block sums up; a result as JSON has them without their cost."""
    for row in run.loads:
        same = all(row.get(key) == block[key] for key in ("contestant", "block", "phase"))
        if same and not row["measured"]["void"] and row["measured"]["validity"] == "valid":
            yield row


def _common(by_load: _ByLoad) -> Mapping[str, Kept]:
    """``{contestant: the load}`` of the one load that compares most of them."""

    def rank(name: str) -> tuple[int, bool, float, str]:
        own = by_load[name].values()
        is_open = not any(one.block["users"] for one in own)
        return len(own), is_open, fmean(one.block["settled_per_s"] or 0.0 for one in own), name

    names = [name for name, own in by_load.items() if own]
    return by_load[max(names, key=rank)] if names else {}


def _costs(one: Kept) -> Iterator[tuple[Measure, Value]]:
    for measure, key, unit in (
        (Measure.CPU, "cpu_s.total", 1),
        (Measure.MEMORY, "steady_memory_bytes.total", _MB),
        (Measure.PROCESSES, "most_processes.total", 1),
    ):
        total = one.block["cost"].get(key)
        if total is not None:
            rounds = [_of_round(row["measured"].get("cost") or {}, key) for row in one.rows]
            yield measure, _summed(one, total / unit, [None if n is None else n / unit for n in rounds])


def _of_round(cost: Mapping[str, Any], key: str) -> float | None:
    """What ``cost_of`` of a load's result sums up under this key, of one round."""
    if key in cost.get("per_1000", {}):
        found = cost["per_1000"][key]
    else:
        what, _, role = key.partition(".")
        found = (cost.get("roles", {}).get(role) or {}).get(what)
    return None if found is None else float(found)


def _p95(measured: Mapping[str, Any]) -> float | None:
    found = latencies_of(measured).get("p95")
    return None if found is None else float(found)


def _summed(one: Kept, value: float, rounds: Sequence[float | None]) -> Value:
    known = [each for each in rounds if each is not None]
    return of_rounds(value, known, str(one.run.path), one.name)
