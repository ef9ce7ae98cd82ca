"""The manifest of a crash run: what was asked for, who took part with which settings, on what machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import psutil

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.checkers import Shape
from bakeoff.cli.options import BUILT_IN_SAGAS, BUSINESS_SAGAS
from bakeoff.engine import Capability, Support, Survives
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.crash.plan import CrashPlan
from bakeoff_bench.run.manifest import tier
from bakeoff_bench.run.said import command_line, shown


def manifest_of(asked: Asked, plan: CrashPlan) -> dict[str, Any]:
    """The manifest; no secrets, because nothing is done to servers that were not started for the run."""
    everyone = {one.label: one for series in plan.series for one in series.contestants}
    return {
        "bakeoff": version("bakeoff"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "asked": asked.to_json(),
        "saga": {"name": plan.saga.name, "shape": Shape.of(plan.saga).to_json()},
        "seed": plan.seed,
        "participants": plan.participants,
        "bridge": str(plan.bridge),
        "otlp": plan.otlp,
        "series": [
            {
                "title": series.title,
                "contestants": [one.label for one in series.contestants],
                "faults": [fault.name for fault in series.faults],
                "points": list(series.points),
                "kills": series.kills,
                "deadline_s": series.deadline_s,
            }
            for series in plan.series
        ],
        "contestants": {label: _about(one, plan) for label, one in everyone.items()},
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cpus": psutil.cpu_count() or 0,
            "memory_bytes": psutil.virtual_memory().total,
        },
    }


def _about(one: Contestant, plan: CrashPlan) -> dict[str, Any]:
    info = one.engine.info(one.settings)
    outcome = info.claims[Capability.OUTCOME]
    return {
        "engine": one.engine.name,
        "title": info.title,
        "note": info.note,
        "versions": dict(info.versions),
        "config_class": str(one.settings.config_class),
        "settings": one.settings.shown(),
        "changed": list(one.settings.changed),
        "raw": one.settings.shown_raw(),
        "survives": sorted(str(what) for what in info.survives),
        "durability": tier(info.survives),
        "lease_s": one.lease_s,
        "servers": [server.kind for server in one.engine.servers(one.settings)],
        "silent": outcome.reason if outcome.support is Support.ABSENT else "",
        "command": _command(one, plan),
    }


def _command(one: Contestant, plan: CrashPlan) -> str:
    """What brings this contestant up alone; a fault and a point complete it."""
    words = ["bakeoff", "crash", *one.arguments()]
    words += ["--saga", _asked_as(plan)] if plan.saga.name != "order" else []
    words += ["--own-leases", "--kills", "1"]
    words += ["--bridge", plan.bridge.name] if plan.bridge.name != IN_PROCESS else []
    words += ["--otlp", plan.otlp] if plan.otlp is not None else []
    words += ["--participants", plan.participants] if plan.participants != "idempotent" else []
    return shown(words)


def _asked_as(plan: CrashPlan) -> str:
    """What ``--saga`` takes: the name of one of ours, the module of the user's own."""
    own = [one for one in plan.references if one not in (BUILT_IN_SAGAS, BUSINESS_SAGAS)]
    return own[0] if own else plan.saga.name


def commands_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """``{contestant: command}``."""
    return {label: str(about["command"]) for label, about in manifest["contestants"].items()}


def durability_of(about: Mapping[str, Any]) -> str:
    """The durability tier of a contestant; empty if nothing tells.

    An older crash manifest does not name it, and contract results never did; it follows from what they say
    that the engine survives.
    """
    if "durability" in about or "survives" not in about:
        return str(about.get("durability", ""))
    return tier(frozenset(one for one in Survives if one in about["survives"]))
