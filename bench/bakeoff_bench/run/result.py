"""From a run folder to a result: counts, verdicts and indicative numbers per engine."""

from __future__ import annotations

import gc
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import add
from typing import Any

from bakeoff.checkers import (
    Evidence,
    Fate,
    Validity,
    Verdict,
    duplicates_attempted,
    duplicates_planned,
    held_by_unfinished,
    judge,
    merge,
    observe,
    totals_of,
)
from bakeoff_bench.run.folder import RunFolder


def result_of(folder: RunFolder) -> dict[str, Any]:
    """Judge a stored run; the same folder always gives the same result.

    Returns:
        The manifest, with ``validity``, the list of rejected lines and orders, and per engine ``counts``,
        ``verdicts``, ``duplicates`` and ``indicative`` added.

    Raises:
        UsageError: If the folder is not complete.
    """
    manifest = folder.manifest()
    manifest["orders"]["rejected"] = folder.rejected()
    validities = []
    for name, about in manifest["engines"].items():
        if about["lacking"]:
            about["validity"] = "not supported"
            continue
        if not about["blocks"] and not (folder.engine(name) / "history.jsonl").exists():
            about["validity"], about["reason"] = str(Validity.UNKNOWN), "the run ended before its first block"
            validities.append(Validity.UNKNOWN)
            continue
        about |= _judged(folder.evidence(name, manifest), about)
        if not manifest["complete"]:
            _withdraw(about)
        validities.append(Validity(about["validity"]))
        manifest["engines"][name] = about
    manifest["validity"] = str(merge(validities))
    return manifest


#: Verdicts that a run which was broken off cannot give: they are about all sagas having had their time.
_NEED_THE_END = ("expected", "I2", "I8")


def _withdraw(about: dict[str, Any]) -> None:
    """Blame no engine for sagas that had no time to end, or were never started."""
    for verdict in about["verdicts"]:
        if verdict["invariant"] in _NEED_THE_END and verdict["validity"] == Validity.INVALID:
            verdict |= {"validity": str(Validity.UNKNOWN), "findings": [], "violations": 0}
            verdict["reason"] = "the run was broken off before every saga had its time"
    about["validity"] = str(
        merge([Validity.UNKNOWN, *(Validity(verdict["validity"]) for verdict in about["verdicts"])])
    )


def _judged(batches: Iterable[Evidence], about: Mapping[str, Any]) -> dict[str, Any]:
    """Judge batch by batch; verdicts and sums of the batches add up."""
    verdicts: tuple[Verdict, ...] = ()
    times, holding, sums = _Times(), dict[str, list[str]](), Counter[str]()
    for batch in _uncollected(batches):
        own = judge(batch)
        verdicts = tuple(map(add, verdicts, own)) if verdicts else own
        times.note(batch)
        holding |= held_by_unfinished(batch)
        sums["attempted"] += duplicates_attempted(batch)
        sums["planned"] += duplicates_planned(batch)
        sums.update(planned.note for planned in batch.planned.values())
    fates = totals_of(batch).fates
    return {
        "validity": str(merge(verdict.validity for verdict in verdicts)),
        "expected": {
            **dict.fromkeys(("completed", "compensated", "compensation_failed"), 0),
            **batch.counts,
            "rejected": batch.rejected_planned,
        },
        "counts": {**{str(fate): fates[fate] for fate in Fate}, "rejected": batch.rejected},
        "verdicts": [verdict.to_json() for verdict in verdicts],
        "duplicates": {"attempted": sums["attempted"], "planned": sums["planned"]},
        "cancelled": sums["cancelled"],
        "refused": sums["refused"],
        "unfinished_hold": holding,
        "indicative": times.indicative(about["blocks"]),
    }


def _uncollected(batches: Iterable[Evidence]) -> Iterator[Evidence]:
    """Without the collector of cycles: evidence has none, and walking all of it is a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield from batches
    finally:
        if was_on:
            gc.enable()


class _Times:
    """Rates and latencies of a closed loop: they show the order of magnitude, not the capacity.

    Orders that are cancelled (or refused, where an engine cannot cancel) are no equal work and do not count.
    """

    def __init__(self) -> None:
        self._settled = 0
        self._latencies = {"completed": array("d"), "compensated": array("d")}

    def note(self, batch: Evidence) -> None:
        started: dict[str, float] = {}
        observed = observe(batch)
        for operation in batch.operations:
            planned = batch.planned.get(operation.workflow_id)
            if planned is not None and planned.note:
                continue
            if operation.name == "start":
                started.setdefault(operation.workflow_id, operation.invoked_at_s)
            elif operation.name == "settled" and operation.value and operation.completed_at_s is not None:
                self._settled += 1
                one = observed.get(operation.workflow_id)
                kept = self._latencies.get(one.fate) if one is not None else None
                if kept is not None and operation.workflow_id in started:
                    kept.append(operation.completed_at_s - started[operation.workflow_id])

    def indicative(self, blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        seconds = sum(block["seconds"] for block in blocks)
        return {
            "loop": "closed",
            "sagas_per_s": self._settled / seconds if seconds else None,
            "seconds": seconds,
            "deployment_cpu_s": sum(block["deployment_cpu_s"] for block in blocks),
            "harness_cpu_s": sum(block["harness_cpu_s"] for block in blocks),
            "idle_others_cores": sum(block["idle_others_cpu_s"] for block in blocks) / seconds
            if seconds
            else None,
            **{
                status: {
                    "sagas": len(values),
                    "p50_s": percentile(values, 0.50),
                    "p95_s": percentile(values, 0.95),
                }
                for status, values in self._latencies.items()
            },
        }


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile; ``None`` without values."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
