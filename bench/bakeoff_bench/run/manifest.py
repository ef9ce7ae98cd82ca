"""The manifest of a run: what was run, on what machine, with which settings; no secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from bakeoff.checkers import Shape
from bakeoff.engine import Capability, Support, Survives
from bakeoff.machine import machine
from bakeoff_bench.run.plan import Contestant, RunPlan
from bakeoff_bench.run.said import command_line


def manifest_of(plan: RunPlan, contestants: Sequence[Contestant]) -> dict[str, Any]:
    """The manifest before anything has started; the run adds versions, readiness and blocks."""
    book = plan.book
    profile = next((one.workload.profile.to_json() for one in contestants if one.workload), None)
    return {
        "bakeoff": version("bakeoff"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "complete": False,
        "first_settled_s": None,
        "first_settled_at": None,
        "scenario": plan.scenario.name,
        "saga": {
            "name": plan.saga.name,
            "references": plan.references,
            "shape": Shape.of(plan.saga).to_json(),
        },
        "orders": {
            "source": book.source,
            "usable": len(book.orders),
            "lines_read": book.lines_read,
            "rejected_lines": len(book.rejected) - len(book.rejected_orders),
            "rejected_orders": len(book.rejected_orders),
        },
        "seed": plan.seed,
        "profile": profile,
        "rounds": plan.rounds,
        "concurrency": plan.concurrency,
        "workers": plan.workers,
        "slots": plan.slots,
        "ledger": plan.ledger if "://" not in plan.ledger else "external",
        "participants": plan.participants,
        "bridge": str(plan.bridge),
        "otlp": plan.otlp,
        "machine": machine(),
        "engines": {one.chosen.name: _about(one) for one in contestants},
    }


def _about(one: Contestant) -> dict[str, Any]:
    settings, info = one.chosen.settings, one.info
    outcome = info.claims[Capability.OUTCOME]
    survives = sorted(str(what) for what in info.survives)
    return {
        "title": info.title,
        "note": info.note,
        "versions": dict(info.versions),
        "config_class": str(settings.config_class),
        "settings": settings.shown(),
        "changed": list(settings.changed),
        "raw": settings.shown_raw(),
        "survives": survives,
        "durability": tier(info.survives),
        "in_process": info.in_process,
        "servers": [server.kind for server in one.chosen.engine.servers(settings)],
        "lacking": {str(need): reason for need, reason in one.lacking.items()},
        "silent": outcome.reason if outcome.support is Support.ABSENT else "",
        "notes": list(one.workload.notes) if one.workload else [],
        "blocks": [],
    }


def tier(survives: frozenset[Survives]) -> str:
    """Durability tier; D2 (fsync per acknowledgement) is a matter of settings that no class of ours takes."""
    if Survives.POWER_LOSS in survives:
        return "D2 (power loss, as declared; not tested)"
    if Survives.WORKER_KILL in survives and Survives.BROKER_KILL in survives:
        return "D1 (kill of any process)"
    return "D1 for workers only" if Survives.WORKER_KILL in survives else "none"


def shown_settings(about: Mapping[str, Any]) -> str:
    """``name=value, ...`` of one engine's manifest entry, changed ones marked."""
    parts = [
        f"{name}={value}{' (set)' if name in about['changed'] else ''}"
        for name, value in about["settings"].items()
        if value is not None and value != ""
    ]
    return ", ".join([*parts, *(f"{key}={value} (raw)" for key, value in about["raw"].items())])
