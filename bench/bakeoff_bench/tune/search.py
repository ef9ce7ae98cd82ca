"""One engine's search: climb, confirm, write down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bakeoff.settings import parse_value
from bakeoff.tuned import as_text
from bakeoff_bench.run.manifest import machine
from bakeoff_bench.significance import Finding
from bakeoff_bench.tune.climb import Stage, climb
from bakeoff_bench.tune.found import store
from bakeoff_bench.tune.knobs import Changes, Knob
from bakeoff_bench.tune.trials import Trials


async def search(
    trials: Trials, knobs: Sequence[Knob], confirm: int, worth: float, output: Path
) -> dict[str, Any]:
    """Search, and write down what is faster beyond doubt; otherwise that class ``recommended`` is as good.

    Args:
        trials: Plays the loads.
        knobs: What is tried.
        confirm: Rounds of the last comparison.
        worth: By how much a value must be faster to be kept on the way.
        output: The file of tuned values.

    Returns:
        ``stages``, ``changes`` that are written down, ``confirmation`` (``None`` if there was nothing to
        confirm), ``valid`` (whether every ledger was), ``word``.
    """
    declared = {one.name: one for one in trials.given.contestant({}).engine.info().settings}
    recommended = {knob.name: as_text(declared[knob.name].recommended) for knob in knobs}
    stages = await climb(knobs, {}, recommended, trials.play, worth)
    found = _found(stages)
    confirmation = await trials.confirm(found, confirm) if found else None
    holds = (
        confirmation is not None
        and confirmation["finding"] == Finding.DIFFERENT
        and confirmation["ratio"] > 1
    )
    kept: Changes = found if holds else {}
    values = {name: parse_value(text, declared[name], name) for name, text in kept.items()}
    store(output, trials.given.engine, values, _evidence(trials, stages, confirmation, confirm))
    return {
        "stages": [stage.to_json() for stage in stages],
        "found": dict(found),
        "changes": dict(kept),
        "confirmation": confirmation,
        "valid": trials.valid,
        "word": _word(found, kept, confirmation),
    }


def _found(stages: Sequence[Stage]) -> Changes:
    taken = [stage.taken.changes for stage in stages if stage.taken is not None]
    return taken[-1] if taken else {}


def _word(found: Changes, kept: Changes, confirmation: Mapping[str, Any] | None) -> str:
    if not found:
        return "nothing was faster than class recommended"
    words = ", ".join(f"{name}={text}" for name, text in found.items())
    if confirmation is None:
        return f"{words} did best, but no two rounds count that would confirm it: recommended is kept"
    return f"{words}: {confirmation['word']}" + ("" if kept else "; recommended is kept")


def _evidence(
    trials: Trials, stages: Sequence[Stage], confirmation: Mapping[str, Any] | None, confirm: int
) -> dict[str, Any]:
    plan, engine = trials.plan, trials.given.contestant({})
    about = machine()
    told = {name: confirmation[name] for name in ("ratio", "low", "high", "rounds")} if confirmation else {}
    return {
        "searched_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "against": "recommended",
        **told,
        "candidates": sum(len(stage.tried) - 1 for stage in stages),
        "load": f"{plan.load.name}, {plan.blocks[0].name}, {plan.seconds:g} s",
        "workers": plan.workers,
        "slots": plan.slots,
        "cpus": 0 if plan.cpus is None else len(plan.cpus.deployment),
        "fixed": list(trials.given.sets),
        "machine": f"{about['system']}, {about['cpus']} CPUs, Python {about['python']}",
        "versions": [f"bakeoff {version('bakeoff')}"]
        + [f"{name} {text}" for name, text in engine.engine.info(engine.settings).versions.items()],
    }
