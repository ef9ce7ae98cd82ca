"""What the options of ``bakeoff load`` ask for: who takes part, which loads a round has, possible numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bakeoff.cli.screen import warn
from bakeoff.errors import EngineUnavailableError, UsageError
from bakeoff.processes import run_interruptibly
from bakeoff.saga import Saga
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import Contestant, Options, find_contestants
from bakeoff_bench.load.order import MOST_PER_S
from bakeoff_bench.load.plan import USERS, Block
from bakeoff_bench.run.preflight import missing_servers
from bakeoff_scenarios import lacking

#: Of one load.
_MOST_SAGAS = 5_000_000


def blocks_of(rate: float | None, closed: int | None, shape: str, shares: Sequence[float]) -> Sequence[Block]:
    """The loads of a round; if nothing is asked for, a closed loop and ``shares`` of what each can do."""
    if closed is not None:
        return [Block(name=f"{closed} in flight", users=closed)]
    if shape:
        return [Block(name=shape.partition(":")[2], rate=1.0)]
    if rate is not None:
        return [Block(name=f"{rate:g}/s", rate=rate)]
    return [
        Block(name=f"{USERS} in flight", users=USERS),
        *(Block(name=f"{share:.0%}", share=share) for share in shares),
    ]


def contestants_of(
    engine: Sequence[str] | None,
    broker: Sequence[str] | None,
    sets: Sequence[str] | None,
    raws: Sequence[str] | None,
    config: Sequence[ConfigClass] | None,
    saga: Saga,
    kills: bool,
) -> list[Contestant]:
    """Who can take this saga here; whoever cannot is named in a warning.

    Args:
        engine, broker, sets, raws, config: Texts of the options.
        saga: What arrives.
        kills: Whether something will be killed, so that servers must be ours.

    Raises:
        UsageError: For what is not known.
        EngineUnavailableError: If nobody is left.
    """
    options = Options(
        engines=tuple(name for name in engine or () if name != "all"),
        brokers=tuple(broker or ()),
        sets=tuple(sets or ()),
        raws=tuple(raws or ()),
    )
    found = [
        one
        for each in dict.fromkeys(config or [ConfigClass.RECOMMENDED])
        for one in find_contestants(options, each, ours_only=kills)
    ]
    ready = []
    for one in found:
        missing = lacking(saga, one.engine.info(one.settings), ())
        if missing:
            warn(f"left out: {one.label}: {'; '.join(missing.values())}")
        elif problem := run_interruptibly(missing_servers(one.chosen)):
            if one.engine.name in options.engines and len(found) == 1:
                raise EngineUnavailableError(problem)
            warn(f"left out: {one.label}: {problem}")
        else:
            ready.append(one)
    if not ready:
        raise EngineUnavailableError(
            "no engine can be put under this load; `bakeoff doctor` tells what is missing"
        )
    return ready


def check_numbers(
    rate: float | None,
    seconds: float,
    warm_up_s: float,
    slo_s: float,
    arm_after_s: float | None,
    closed: int | None,
    shape: str,
    within_min: float | None,
) -> None:
    """See that they can be meant.

    Raises:
        UsageError: For the first that cannot.
    """
    for option, value in (
        ("--rate", rate),
        ("--duration", seconds),
        ("--slo", slo_s),
    ):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise UsageError(f"{option} {value:g}: a positive number")
    if rate is not None and rate > 10_000:
        raise UsageError(f"--rate {rate:g}: at most 10000 per second; one generator cannot offer more")
    sagas = seconds * (rate or MOST_PER_S)
    if sagas > _MOST_SAGAS:
        raise UsageError(
            f"--duration {seconds:g}: that would be {sagas:.3g} sagas, and a load is held in memory: "
            f"at most {_MOST_SAGAS / (rate or MOST_PER_S):.0f} s at this rate"
        )
    if not (math.isfinite(warm_up_s) and 0 <= warm_up_s < seconds):
        raise UsageError(f"--warm-up {warm_up_s:g}: from 0 to less than the {seconds:g} s of the load")
    if arm_after_s is not None and not (math.isfinite(arm_after_s) and 0 <= arm_after_s < seconds):
        raise UsageError(f"--arm-after {arm_after_s:g}: within the {seconds:g} s of the load")
    if within_min is not None and not (math.isfinite(within_min) and within_min > 0):
        raise UsageError(f"--within {within_min:g}: a positive number of minutes")
    given = [name for name, value in (("--rate", rate), ("--closed", closed), ("--shape", shape)) if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)}: say only one of them")
