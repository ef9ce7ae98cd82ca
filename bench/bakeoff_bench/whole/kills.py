"""The crash part of `bakeoff run`: one SIGKILL of the worker per point, with short leases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.bridge.bridges import ChosenBridge
from bakeoff.cli.options import ChosenEngine
from bakeoff.engine import Survives
from bakeoff.saga import Saga
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.crash.cells import is_harmful
from bakeoff_bench.crash.contestants import Options
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.crash.points import points_of
from bakeoff_bench.crash.profiles import TWO_POINTS, Part
from bakeoff_bench.whole.parts import pinned

_DEADLINE_S = 60.0
_LANES = 2
_FAULT = "worker-kill"
#: What an engine that declares one of these must not lose.
_DECLARED = {str(Survives.STEP_KILL), str(Survives.WORKER_KILL)}


def asked_of(
    chosen: Sequence[ChosenEngine],
    saga: str,
    the_saga: Saga,
    sets: Sequence[str],
    raws: Sequence[str],
    seed: int,
    *,
    bridge: ChosenBridge,
    quick: bool,
    otlp: str | None = None,
) -> Asked:
    """What `bakeoff crash` would be asked for."""
    names = tuple(one.name for one in chosen)
    part = Part(
        config=chosen[0].settings.config_class,
        faults=(_FAULT,),
        points=two_points(the_saga) if quick else (),
        kills=1,
        deadline_s=_DEADLINE_S,
        short_leases=True,
    )
    return Asked(
        saga=saga,
        options=Options(
            engines=names,
            sets=_of(names, pinned(chosen, sets)),
            raws=_of(names, raws),
        ),
        parts=[part],
        seed=seed,
        lanes=_LANES,
        participants="idempotent",
        bridge=bridge.name,
        otlp=otlp,
    )


def two_points(saga: Saga) -> tuple[str, ...]:
    """One on the way forward, after an effect, and one on the way back, before one."""
    known = points_of(saga)
    if set(TWO_POINTS) <= set(known):
        return TWO_POINTS
    ways = {
        "action": [name for name in known if name.endswith(".after_effect")],
        "compensation": [name for name in known if name.endswith(".before_effect")],
    }
    found = [[name for name in names if known[name].direction == way][:1] for way, names in ways.items()]
    return tuple(name for names in found for name in names) or tuple(known)[:1]


def broken_promises(result: Mapping[str, Any]) -> list[str]:
    """Contestants that came to harm though they declare to survive the death of a worker."""
    contestants = result["manifest"]["contestants"]
    harmed = [
        row["contestant"] for row in result["kills"] if is_harmful(row) and row["outcome"] != KillOutcome.VOID
    ]
    return [name for name in dict.fromkeys(harmed) if _DECLARED & set(contestants[name]["survives"])]


def _of(names: Sequence[str], texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for text in texts if text.partition(".")[0] in names)
