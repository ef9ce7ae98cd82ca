"""Results of loads and kills that no machine has made: as many as a test needs, as they are stored."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff_bench.crash.cells import cell_of, group
from bakeoff_bench.load.comparison import comparisons
from bakeoff_bench.load.measured import mostly_kept_up
from bakeoff_bench.report.sections.loaded import counts

#: ``{contestant: durability tier}``.
CONTESTANTS = {
    "celery[valkey]": "none",
    "dramatiq[valkey]": "D1 for workers only",
    "inline": "none",
    "temporal": "D1 (kill of any process)",
}
CLOSED = "16 in flight"
#: The one whose API tells no outcome.
SILENT = "dramatiq[valkey]"
#: Of the one whose server stands in for another.
NOTE = "dev server, 1 shard, SQLite"
SHARES = {"50%": 0.5, "90%": 0.9}
_SAGAS = 400
_MB = 1_000_000
_ROLES = ("servers", "workers", "client", "total")


def load_result(
    contestants: Mapping[str, str] = CONTESTANTS,
    *,
    rounds: int = 3,
    searched: int = 4,
    shares: Mapping[str, float] = SHARES,
) -> dict[str, Any]:
    """What `bakeoff load --json` writes.

    Args:
        contestants: ``{label: durability tier}``; the later ones are slower and dearer.
        rounds: Of every load.
        searched: Loads of the search for the sustained rate, of each contestant; the last two are too much.
        shares: ``{block: share of the contestant's own rate}``.
    """
    loads = [
        row
        for place, label in enumerate(contestants)
        for row in _loads(label, place, rounds, searched, shares)
    ]
    return {
        "format": 1,
        "kind": "load",
        "bakeoff": "0.1.0",
        "created_at": "2026-11-29T03:00:00+00:00",
        "command": "bakeoff load --profile publishable --out load",
        "complete": True,
        "plan": _plan(rounds),
        "machine": {"system": "Linux", "python": "3.11.7", "cpus": 2, "memory_bytes": 25_000_000_000},
        "contestants": {
            label: _about(label, tier, place, searched)
            for place, (label, tier) in enumerate(contestants.items())
        },
        "price_per_million_actions": 25.0,
        "blocks": blocks_of(loads),
        "loads": loads,
        "comparisons": comparisons(loads),
        "validity": "valid",
    }


def blocks_of(loads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every load over its rounds, as `bakeoff load` sums them up."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in loads:
        if row["phase"] == "round":
            found.setdefault((row["contestant"], row["block"]), []).append(row)
    return [_block(rows) for rows in found.values()]


def crash_result(contestants: Mapping[str, str] = CONTESTANTS, *, kills: int = 5) -> dict[str, Any]:
    """What `bakeoff crash --json` writes: so many kills of a worker at one point, each of which was retried.

    Args:
        contestants: ``{label: durability tier}``.
        kills: Of each.
    """
    point, fault = "charge_payment.after_effect", "worker-kill"
    rows: list[dict[str, Any]] = [
        {
            **{"series": 0, "contestant": label, "engine": label.partition("[")[0], "fault": fault},
            **{
                "point": point,
                "outcome": "retried",
                "detail": "",
                "open": False,
                "workflow_ids": ["order-1"],
            },
            **{"lease_s": 1.0, "deadline_s": 60.0, "seconds": 3.0},
            **{"detection_s": 1.0, "first_progress_s": 1.5, "recovery_s": 2.0 + 0.1 * number},
        }
        for label in contestants
        for number in range(kills)
    ]
    abouts = {
        label: {
            **{"title": label, "config_class": "recommended", "versions": {"python": "3.11"}, "settings": {}},
            **{
                "note": NOTE if label == "temporal" else "",
                "survives": ["worker_kill"],
                "durability": tier,
                "silent": "",
                "lease_s": 1.0,
            },
            "command": f"bakeoff crash --engine {label.partition('[')[0]} --kills 1",
        }
        for label, tier in contestants.items()
    }
    series = {"contestants": list(contestants), "faults": [fault], "points": [point], "kills": kills}
    manifest = {
        **{"format": 1, "kind": "crash", "created_at": "2026-11-29T03:00:00+00:00", "seed": 1},
        **{"command": "bakeoff crash --kills 5 --out crash", "saga": {"name": "order"}},
        **{"participants": "idempotent", "contestants": abouts},
        "series": [{"title": "recommended", "deadline_s": 60.0, **series}],
        "machine": {"system": "Linux", "python": "3.11.7", "cpus": 2, "memory_bytes": 25_000_000_000},
    }
    sums = group(rows, lambda row: (row["contestant"], row["fault"]))
    return {
        "manifest": manifest,
        "cells": [],
        "sums": [
            {"contestant": label, "fault": by, **cell_of(own).to_json()} for (label, by), own in sums.items()
        ],
        "kills": rows,
    }


def write(folder: Path, name: str, result: Mapping[str, Any]) -> Path:
    """As JSON."""
    file = folder / name
    file.write_text(json.dumps(result))
    return file


def _plan(rounds: int) -> dict[str, Any]:
    return {
        **{"scenario": "order-steady", "saga": "order", "process": "poisson", "shape": None, "fault": None},
        **{"rounds": rounds, "seconds": 15.0, "warm_up_s": 3.0, "slo_s": 2.0, "seed": 1, "search": True},
        **{"workers": 1, "slots": 4, "ledger": "sqlite", "cpus": None, "quality": "publishable"},
    }


def _about(label: str, tier: str, place: int, searched: int) -> dict[str, Any]:
    about: dict[str, Any] = {
        **{"engine": label.partition("[")[0], "slug": label.partition("[")[0], "title": label, "note": ""},
        **{"versions": {"python": "3.11"}, "config_class": "recommended", "settings": {}, "changed": []},
        **{"durability": tier, "validity": "valid", "verdicts": [], "raw": {}},
    }
    if searched:
        rate = _rate(place)
        about["sustained"] = {
            **{"rate_per_s": rate, "failed_per_s": 1.1 * rate, "why": "the backlog grew by 40 sagas"},
            **{"bound": "engine", "closest": "", "confirmed": 2, "of": 3, "searched_per_s": rate},
        }
    if label == "temporal":
        about["note"] = NOTE
        about["history"] = {
            **{"events_per_saga": 29.0, "bytes_per_saga": 4000.0, "note": "by Temporal's rules"},
            **{
                "billable_actions_per_saga": {"start_workflow": 1.0, "schedule_activity": 4.5},
                "looked_at": 40,
            },
        }
    return about


def _rate(place: int) -> float:
    return 120.0 / (place + 1)


def _loads(
    label: str, place: int, rounds: int, searched: int, shares: Mapping[str, float]
) -> list[dict[str, Any]]:
    found = []
    for number in range(searched):
        rate = _rate(place) * (0.72 + 0.1 * number)
        kept_up = number < max(1, searched - 2)
        found.append(_load(label, place, "search", f"{rate:.1f}/s", number, rate, kept_up=kept_up))
    for number in range(rounds):
        found.append(_load(label, place, "round", CLOSED, number, 0.0, users=16))
        found += [
            _load(label, place, "round", block, number, share * _rate(place))
            for block, share in shares.items()
        ]
    return found


def _load(
    label: str,
    place: int,
    phase: str,
    block: str,
    number: int,
    rate: float,
    *,
    users: int = 0,
    kept_up: bool = True,
) -> dict[str, Any]:
    """Every round a little slower and dearer than the one before."""
    worse = (1 + 0.01 * number) * (place + 1) * (1 if kept_up else 20)
    settled = rate or 1.2 * _rate(place)
    measured = {
        **{
            "offered_per_s": settled,
            "achieved_per_s": settled,
            "settled_per_s": settled / (1 + 0.01 * number),
        },
        **{"arrived": _SAGAS, "warm_up": 100, "censored": 0, "kept_up": kept_up, "void": [], "fault": {}},
        **{"validity": "valid", "reasons": [], "cost": _cost(worse)},
        "latencies": {
            f"order-{status}-{end}": _percentiles(count, p50_s * worse * factor)
            for status, count, p50_s in (("completed", _SAGAS - 40, 0.02), ("compensated", 40, 0.03))
            for end, factor in (("settled", 1.0), ("told", 1.5))
            if end == "settled" or label != SILENT
        },
    }
    return {
        **{
            "contestant": label,
            "phase": phase,
            "block": block,
            "round": number,
            "rate": rate,
            "users": users,
        },
        **{"label": f"{phase[0]}{number:04d}", "measured": measured},
    }


def _percentiles(count: int, p50_s: float) -> dict[str, float | int | None]:
    seen = {"p50": 5, "p90": 50, "p95": 100, "p99": 1000}
    factors = {"p50": 1.0, "p90": 1.8, "p95": 2.2, "p99": 4.0}
    return {
        "n": count,
        **{name: factors[name] * p50_s if count >= least else None for name, least in seen.items()},
    }


def _cost(worse: float) -> dict[str, Any]:
    usage = {
        "cpu_s": 1.0,
        "peak_memory_bytes": 200 * _MB,
        "steady_memory_bytes": 150 * _MB,
        "most_processes": 6,
    }
    return {
        "roles": dict.fromkeys(_ROLES, usage),
        "per_1000": {
            **{"cpu_s.servers": worse, "cpu_s.workers": 6 * worse, "cpu_s.client": 3 * worse},
            **{"cpu_s.total": 10 * worse, "stored_bytes.servers": 3e6, "stored_bytes.ledger": 2e6},
            "wire_bytes": None,
        },
    }


def _block(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    used = [row["measured"] for row in rows if counts(row)]
    names = sorted({name for one in used for name in one["latencies"]})
    return {
        **{name: rows[0][name] for name in ("contestant", "block", "phase", "users", "rate")},
        **{"rounds": len(rows), "void": len(rows) - len(used), "stuck": 0, "parts": [], "faults": []},
        "why_void": sorted(
            {why for row in rows for name in ("void", "reasons") for why in row["measured"][name]}
        ),
        "kept_up": mostly_kept_up([one["kept_up"] for one in used]),
        "overloaded": sum(not one["kept_up"] for one in used),
        **{name: sum(one[name] for one in used) for name in ("arrived", "warm_up", "censored")},
        **{
            name: statistics.median(one[name] for one in used) if used else None
            for name in ("offered_per_s", "achieved_per_s", "settled_per_s")
        },
        "settled_per_s_of_rounds": [one["settled_per_s"] for one in used],
        "latencies": {name: _pooled([one["latencies"][name] for one in used]) for name in names},
        "cost": _summed([one["cost"] for one in used]),
    }


def _pooled(rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    count = sum(one["n"] for one in rounds)
    return _percentiles(count, statistics.median(one["p50"] for one in rounds))


def _summed(costs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in costs[0]["per_1000"] if costs else ():
        values = [one["per_1000"][key] for one in costs]
        found[key] = None if None in values else statistics.median(values)
    for role in _ROLES if costs else ():
        for level in ("steady_memory_bytes", "peak_memory_bytes", "most_processes"):
            found[f"{level}.{role}"] = costs[0]["roles"][role][level]
    return found
