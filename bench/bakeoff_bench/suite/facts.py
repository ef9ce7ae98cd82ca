"""``extra_info``: what belongs beside a time, or it says nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from bakeoff.sharing import processes_of_worker
from bakeoff_bench.run.manifest import tier
from bakeoff_bench.run.sums import percentile
from bakeoff_bench.suite.proof import Proof
from bakeoff_bench.suite.site import Site


def about(site: Site) -> dict[str, Any]:
    """Who was measured: contestant, versions and settings in force, secrets hidden; all of it plain JSON."""
    one, deployment = site.contestant, site.stack.deployment
    return {
        "bakeoff": version("bakeoff"),
        "engine": one.name,
        "contestant": one.label,
        "label": one.info.note,
        "durability": tier(one.info.survives),
        "versions": site.stack.versions(),
        "config_class": str(one.settings.config_class),
        "settings": one.settings.shown(),
        "changed": list(one.settings.changed),
        "raw": one.settings.shown_raw(),
        "workers": 0 if one.info.in_process else 1,
        "slots": deployment.slots * processes_of_worker(deployment.settings),
        "ledger": site.stack.world.engine.url.get_backend_name(),
        "bridge": str(one.bridge),
    }


def spread(values: Iterable[float | None]) -> dict[str, Any]:
    """``{"n", "p50", "p90", "p95"}``, nearest rank; no p99, which needs a thousand values or more."""
    known = [value for value in values if value is not None]
    return {"n": len(known)} | {f"p{share}": percentile(known, share / 100) for share in (50, 90, 95)}


def per_unit(seen: dict[int, float], size: int, seconds: Sequence[float]) -> float | None:
    """Note the median of ``seconds`` for a saga of this size, and tell what one more of it costs.

    Args:
        seen: ``{size: median}`` of the sizes so far; this one is added.
        size: Steps, or compensations.
        seconds: Of the rounds.

    Returns:
        Seconds, the slope of a least-squares line through the medians; ``None`` with fewer than two.
    """
    if seconds:
        seen[size] = statistics.median(seconds)
    return statistics.linear_regression(list(seen), list(seen.values())).slope if len(seen) > 1 else None


def of_sagas(proofs: Sequence[Proof]) -> dict[str, Any]:
    """Attempts, and the seconds to a start's acknowledgement and to the last record in the ledger."""
    planned, made = sum(one.planned_attempts for one in proofs), sum(one.attempts for one in proofs)
    return {
        "sagas": len(proofs),
        "attempts": {"planned": planned, "made": made, "extra": made - planned},
        "acknowledged_s": spread(one.sent.started_s - one.sent.began_s for one in proofs),
        "settled_in_ledger_s": spread(one.settled_s for one in proofs),
    }
