"""In which settings the two sides differ: derived from both workers as they are, not from a sentence."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.credentials import hide_credentials, names_a_secret
from bakeoff.errors import BakeoffError
from bakeoff.stack import Backend
from bakeoff_bench.overhead.sides import Side
from bakeoff_bench.overhead.turn import first_order

#: Names and addresses have to differ, and say nothing.
_NAMES = (
    *("conf.task_default_queue", "conf.result_backend", "conf.broker_url", "conf.broker_read_url"),
    *("conf.broker_write_url", "actor.on_failure", "actor.on_retry_exhausted", "actor.throws"),
)
_NONE = "-"

Difference = tuple[str, str, str]


async def differences(backend: Backend, adapter: Side, native: Side) -> list[Difference]:
    """``(setting, adapter's value, native's value)`` of everything in which the workers differ.

    Raises:
        BakeoffError: If one of them could not be looked at.
    """
    if adapter.worker is None or native.worker is None:
        return []
    ours, theirs = [await _effective(side) | await _recorded(backend, side) for side in (adapter, native)]
    return differing(ours, theirs)


def differing(ours: dict[str, str], theirs: dict[str, str]) -> list[Difference]:
    """What differs, by name; a setting that one of them does not have is shown as ``-``."""
    names = sorted((ours.keys() | theirs.keys()) - set(_NAMES))
    pairs = [(name, ours.get(name, _NONE), theirs.get(name, _NONE)) for name in names]
    return [(name, _safe(name, a), _safe(name, b)) for name, a, b in pairs if a != b]


def _safe(name: str, text: str) -> str:
    return "***" if names_a_secret(name) else hide_credentials(text)


async def _effective(side: Side) -> dict[str, str]:
    command, env = list(side.worker or ()), dict(side.env)
    if side.shows:
        # Its worker only becomes that of the SDK: it says how.
        told = await _told(side, [word if word != "worker" else "show" for word in command], env)
        command, env = told["command"], env | told["variables"]
    module = "bakeoff_bench.overhead.effective"
    found: dict[str, str] = await _told(side, [sys.executable, "-m", module, *command], env)
    return found


async def _recorded(backend: Backend, side: Side) -> dict[str, str]:
    """What only a saga shows, from the first one of the side."""
    if backend.deployment.engine != "temporal":
        return {}
    deployment = backend.deployment
    where = [deployment.addresses["temporal"], str(deployment.settings["namespace"])]
    command = [sys.executable, "-m", "bakeoff_bench.overhead.recorded", *where, first_order(side)]
    found: dict[str, str] = await _told(side, command, side.env)
    return found


async def _told(side: Side, command: Sequence[str], env: Mapping[str, str]) -> Any:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode:
        raise BakeoffError(f"the settings of {side.name}: {err.decode(errors='replace').strip()[-500:]}")
    return json.loads(out.splitlines()[-1])
