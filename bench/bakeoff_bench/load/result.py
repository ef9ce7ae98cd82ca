"""From a load folder to a result: per contestant and block, over all rounds; judged again from the ledger."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.checkers import Evidence, Shape, Validity, merge
from bakeoff.errors import UsageError
from bakeoff_bench.load.comparison import comparisons
from bakeoff_bench.load.folder import LoadFolder, load_samples
from bakeoff_bench.load.histograms import Histograms
from bakeoff_bench.load.measured import mostly_kept_up, summary
from bakeoff_bench.load.parts import Part, pooled
from bakeoff_bench.run import stored
from bakeoff_bench.run.batches import Batches
from bakeoff_bench.run.journal import Row
from bakeoff_bench.run.result import judged_whole, withdraw


def result_of(folder: LoadFolder) -> dict[str, Any]:
    """Judge and sum up a stored run; the same folder always gives the same result.

    Returns:
        The manifest with ``blocks`` (one per contestant and block, see ``block_of``), ``loads`` (every
        load by itself, the search's too) and, per contestant, ``validity`` and ``verdicts`` over
        everything that happened to it.

    Raises:
        UsageError: If the folder is damaged.
    """
    manifest, rows = folder.manifest(), folder.rows()
    for label, about in manifest["contestants"].items():
        own = [row["measured"] for row in rows if row["contestant"] == label]
        stuck = any(one.get("stuck") for one in own)
        overloaded = any(not one["kept_up"] for one in own) and not stuck
        parts = [
            _verdict(folder, manifest, {**about, "slug": slug}, overloaded)
            for slug in about.get("parts", [about["slug"]])
        ]
        about |= {**parts[0], "validity": str(merge(Validity(one["validity"]) for one in parts))}
    blocks = [
        {
            **block_of(folder, manifest["contestants"][contestant]["slug"], of_block),
            "parts": _parts(folder, manifest["contestants"][contestant]["slug"], of_block, manifest["plan"]),
        }
        for (contestant, _), of_block in _grouped(rows).items()
    ]
    used = [Validity(about["validity"]) for about in manifest["contestants"].values()]
    return {
        **manifest,
        "blocks": blocks,
        "loads": [_in_short(row) for row in rows],
        "comparisons": comparisons(rows),
        "validity": str(merge(used)),
    }


def block_of(folder: LoadFolder, slug: str, rows: Sequence[Row]) -> dict[str, Any]:
    """One block of one contestant over its rounds: sums, medians, and percentiles of all values pooled.

    Rounds that are void, or whose ledger is not valid, are counted and left out of every number; a void one
    that was made again is one round.
    """
    usable = _usable(rows)
    pooled = Histograms()
    for row in usable:
        pooled.merge_all(histograms_of(folder.load(row.get("part", slug), row["label"]), row))
    measured = [row["measured"] for row in usable]
    arrived = sum(one["arrived"] for one in measured)
    return {
        "contestant": rows[0]["contestant"],
        "block": rows[0]["block"],
        "phase": rows[0]["phase"],
        "users": rows[0]["users"],
        "rate": rows[0]["rate"],
        "rounds": (made := len({row["round"] for row in rows})),
        "void": made - len(usable),
        "why_void": sorted(
            {problem for row in rows for problem in (*row["measured"]["void"], *row["measured"]["reasons"])}
        ),
        "kept_up": mostly_kept_up([one["kept_up"] for one in measured]),
        "overloaded": sum(not one["kept_up"] for one in measured),
        "arrived": arrived,
        "warm_up": sum(one["warm_up"] for one in measured),
        "censored": sum(one["censored"] for one in measured),
        "stuck": sum(row["measured"].get("stuck", 0) for row in rows),
        **{
            name: statistics.median(one[name] for one in measured) if measured else None
            for name in ("offered_per_s", "achieved_per_s", "settled_per_s")
        },
        "settled_per_s_of_rounds": [one["settled_per_s"] for one in measured],
        "latencies": {name: summary(pooled, name) for name in pooled},
        "cost": cost_of([one["cost"] for one in measured]),
        "faults": [one["fault"] for one in measured if one["fault"]],
        # Those of an older run did not look.
        "others": max((one.get("beside", {}).get("others", 0.0) for one in measured), default=0.0),
    }


def histograms_of(load: Path, row: Row) -> Histograms:
    """Those of one load.

    Raises:
        UsageError: If one is damaged, or missing: left out, a distribution would look like one of few values.
    """
    found = Histograms.load(load)
    if missing := sorted({*row["measured"]["latencies"]} - {*found}):
        raise UsageError(f"{load} is damaged: there is no {missing[0]}.hlog")
    return found


#: What a page tells of a single load; all of it is in the folder.
_OF_A_LOAD = ("contestant", "phase", "block", "round", "rate", "users", "label")
_MEASURED = (
    *("offered_per_s", "achieved_per_s", "settled_per_s", "arrived", "warm_up", "censored", "kept_up"),
    *("latencies", "void", "validity", "reasons", "fault", "beside"),
)


def _in_short(row: Row) -> Row:
    measured = {name: row["measured"][name] for name in _MEASURED if name in row["measured"]}
    if cost := row["measured"].get("cost"):  # what of it has an interval over rounds
        measured["cost"] = {name: cost[name] for name in ("per_1000", "roles") if name in cost}
    return {**{name: row[name] for name in _OF_A_LOAD if name in row}, "measured": measured}


def _parts(folder: LoadFolder, slug: str, rows: Sequence[Row], plan: Mapping[str, Any]) -> list[Part]:
    """A load that changes or is long part by part, over the rounds that count."""
    rounds = [
        (row["measured"]["parts"], load_samples(folder.load(row.get("part", slug), row["label"])))
        for row in _usable(rows)
        if row["measured"].get("parts")  # those of an older run have none
    ]
    return pooled(rounds, plan["warm_up_s"])


def _usable(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row["measured"]["void"] and row["measured"]["validity"] == "valid"]


def cost_of(costs: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Medians over rounds: CPU seconds and stored bytes per 1,000 settled sagas, memory and processes.

    ``None`` where no round knows it.
    """
    found: dict[str, list[float]] = {}
    for one in costs:
        for what, amount in one["per_1000"].items():
            found.setdefault(what, []).extend([] if amount is None else [amount])
        for role, usage in one["roles"].items():
            for what in ("steady_memory_bytes", "peak_memory_bytes", "most_processes"):
                found.setdefault(f"{what}.{role}", []).extend([] if usage is None else [usage[what]])
    return {what: statistics.median(values) if values else None for what, values in found.items()}


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    # What a contestant's own speed was found by counts only where the run never came to its rounds.
    shown = [row for row in rows if row["phase"] == "round"]
    found: dict[tuple[str, str], list[Row]] = {}
    for row in shown or [row for row in rows if row["phase"] == "throughput"]:
        found.setdefault((row["contestant"], row["block"]), []).append(row)
    return found


def _verdict(
    folder: LoadFolder, manifest: Mapping[str, Any], about: Mapping[str, Any], overloaded: bool
) -> dict[str, Any]:
    """Over all loads of one contestant, conservation included."""
    part = folder.contestant(about["slug"])
    if not (part / "workload.json").exists():
        return {"validity": str(Validity.UNKNOWN), "reason": "the run ended before its first load was over"}
    with stored.reading(part / "workload.json"):
        workload = json.loads((part / "workload.json").read_text())
        stored.check_workload(workload)
    common = Evidence(
        engine=about["engine"],
        shape=Shape.from_json(manifest["shape"]),
        planned={},
        counts=workload["counts"],
        ledger=(),
        operations=(),
        silent=about["silent"],
        engine_faults=manifest["plan"]["fault"] is not None,
    )
    found = judged_whole(Batches(part=part, common=common, stock=workload["stock"]))
    if not manifest["complete"]:
        # What the load that was under way has sold is in the books, and its plan was not written down yet.
        withdraw(found, "the run was broken off before every saga had its time", also=["I1"])
    elif overloaded and found["validity"] == Validity.INVALID:
        withdraw(found, "more came than could be done, so not every saga had its time")
    return found
