"""The manifest of a load run: what was run, on what machine, with which settings; no secrets."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bakeoff.checkers import Shape
from bakeoff.engine import Capability, Support
from bakeoff.machine import machine
from bakeoff_bench.load.plan import LoadPlan
from bakeoff_bench.run.manifest import tier
from bakeoff_bench.run.said import command_line, hidden


def manifest_of(plan: LoadPlan) -> dict[str, Any]:
    """The manifest before anything has started; the run adds versions, readiness and what it finds."""
    return {
        "bakeoff": version("bakeoff"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "git": _git_state(),
        "complete": False,
        "plan": plan.to_json(),
        "shape": Shape.of(plan.saga).to_json(),
        "machine": machine(),
        "contestants": {one.label: _about(one) for one in plan.contestants},
    }


def _about(one: Any) -> dict[str, Any]:
    info = one.engine.info(one.settings)
    outcome = info.claims[Capability.OUTCOME]
    return {
        "engine": one.engine.name,
        "slug": one.slug,
        "arguments": hidden(one.arguments()),
        "title": info.title,
        "note": info.note,
        "versions": dict(info.versions),
        "config_class": str(one.settings.config_class),
        "settings": one.settings.shown(),
        "changed": list(one.settings.changed),
        "raw": one.settings.shown_raw(),
        "durability": tier(info.survives),
        "in_process": info.in_process,
        "servers": [server.kind for server in one.engine.servers(one.settings)],
        "silent": outcome.reason if outcome.support is Support.ABSENT else "",
    }


def _git_state() -> str | None:
    """Commit of the tree that this code is from, ``+`` if it was changed; ``None`` outside of one."""
    here = Path(__file__).parent
    try:
        commit = _git(here, "rev-parse", "--short=12", "HEAD")
        return f"{commit}+" if _git(here, "status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True, timeout=5
    )
    return done.stdout.strip()
