"""The load part of `bakeoff run`: enough to see the order of magnitude of a latency, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.bridge.bridges import ChosenBridge
from bakeoff.cli.options import ChosenEngine
from bakeoff.cli.screen import warn
from bakeoff.saga import Saga
from bakeoff_bench.crash.contestants import Options, behind, find_contestants
from bakeoff_bench.load.plan import Block, LoadPlan
from bakeoff_bench.load.resources import split_cpus
from bakeoff_bench.whole.parts import pinned
from bakeoff_scenarios import find_load, lacking

_SCENARIO = "order-steady"
_QUICK = (Block(name="4/s", rate=4.0),)
_WHOLE = (Block(name="16 in flight", users=16), Block(name="50%", share=0.5))
#: ``quick: (rounds, seconds of each load, of them warm-up)``.
_LENGTHS = {True: (1, 10.0, 2.0), False: (2, 12.0, 3.0)}


def plan_of(
    chosen: Sequence[ChosenEngine],
    saga: Saga,
    references: tuple[str, ...],
    sets: Sequence[str],
    raws: Sequence[str],
    seed: int,
    *,
    workers: int,
    slots: int,
    ledger: str,
    bridge: ChosenBridge,
    otlp: str | None,
    quick: bool,
) -> LoadPlan | None:
    """What `bakeoff load` would do; ``None`` if no engine has what the saga needs."""
    names = tuple(one.name for one in chosen)
    options = Options(
        engines=names,
        sets=tuple(text for text in pinned(chosen, sets) if text.partition(".")[0] in names),
        raws=tuple(text for text in raws if text.partition(".")[0] in names),
    )
    found = find_contestants(options, chosen[0].settings.config_class, ours_only=False)
    found = behind(found, bridge.name)
    able = []
    for one in found:
        if missing := lacking(saga, one.engine.info(one.settings), ()):
            warn(f"the load part leaves {one.label} out: {'; '.join(missing.values())}")
        else:
            able.append(one)
    for name in names:
        if not any(one.engine.name == name for one in found):
            warn(f"the load part leaves {name} out: as shipped it is what is recommended")
    if not able:
        return None
    rounds, seconds, warm_up_s = _LENGTHS[quick]
    return LoadPlan(
        contestants=able,
        load=find_load(_SCENARIO),
        saga=saga,
        references=references,
        blocks=_QUICK if quick else _WHOLE,
        rounds=rounds,
        seconds=seconds,
        warm_up_s=warm_up_s,
        seed=seed,
        workers=workers,
        slots=slots,
        ledger=ledger,
        bridge=bridge,
        otlp=otlp,
        cpus=split_cpus(None),
        quality="a glance, by `bakeoff run`",
    )
