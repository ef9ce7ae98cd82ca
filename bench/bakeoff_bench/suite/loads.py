"""A named load as a benchmark: the rounds of `bakeoff load`, whose latencies pytest-benchmark is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.cli.options import choose_saga
from bakeoff.contract.contestants import Contestant
from bakeoff.saga import Saga
from bakeoff.tuned import as_text
from bakeoff_bench.crash import contestants as named
from bakeoff_bench.load.conduct import conduct
from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.load.manifest import manifest_of
from bakeoff_bench.load.plan import Block, LoadPlan
from bakeoff_bench.load.resources import split_cpus
from bakeoff_bench.load.result import result_of
from bakeoff_bench.load.strike import strike_of
from bakeoff_bench.run.journal import Row
from bakeoff_bench.runs.rounds import value_of
from bakeoff_scenarios import LoadScenario


class Clock:
    """A timer for pytest-benchmark that only goes on when it is told by how much.

    A load takes as long as its arrivals do, whatever the engine. What is to be timed is how long its sagas
    took.
    """

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now_s

    def go_on(self, seconds: float) -> None:
        """So much later."""
        self.now_s += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The rounds of one load on one engine.

    Attributes:
        medians_s: Median latency of the completed sagas from their intended start, of each round that counts.
        validity: What the ledger says of everything that was started.
        problems: Why rounds do not count.
        facts: For ``extra_info``.
    """

    medians_s: list[float]
    validity: str
    problems: list[str]
    facts: dict[str, Any]


def saga_of(load: LoadScenario) -> Saga:
    """What arrives."""
    return choose_saga(load.saga)[0]


def put_under(
    load: LoadScenario,
    one: Contestant,
    folder: Path,
    *,
    rate: float,
    seconds: float,
    rounds: int,
) -> Loaded:
    """Bring the engine up, play the load so often, judge it, and take the engine down.

    Args:
        load: What arrives.
        one: The engine.
        folder: A new one.
        rate: Arrivals per second that the load's shape is given.
        seconds: Of one round.
        rounds: How many.

    Raises:
        UsageError, ServerStartError, BakeoffError: If the engine does not come up, or a generator fails.
    """
    saga, references = choose_saga(load.saga)
    plan = LoadPlan(
        contestants=[_named(one)],
        load=load,
        saga=saga,
        references=references,
        blocks=[Block(name=f"{rate:g}/s", rate=rate)],
        rounds=rounds,
        seconds=seconds,
        warm_up_s=min(3.0, seconds / 4),
        fault=strike_of(load.fault, saga, load.arm_at * seconds) if load.fault else None,
        bridge=one.bridge,
        cpus=split_cpus(None),
    )
    stored = LoadFolder.create(folder)
    manifest = manifest_of(plan)
    stored.write_manifest(manifest)
    asyncio.run(conduct(plan, stored, manifest, lambda text: None))
    return _loaded(result_of(stored), stored.rows(), load, one)


def _loaded(result: dict[str, Any], rows: list[Row], load: LoadScenario, one: Contestant) -> Loaded:
    (block,) = result["blocks"]
    (about,) = result["contestants"].values()
    told = ("offered_per_s", "achieved_per_s", "settled_per_s", "censored", "latencies", "cost", "faults")
    counted = [row["measured"] for row in rows if not row["measured"]["void"]]
    medians_s = [value_of(one, "p50") for one in counted]
    return Loaded(
        medians_s=[median for median in medians_s if median is not None],
        validity=result["validity"],
        problems=block["why_void"],
        facts={
            "bakeoff": result["bakeoff"],
            "engine": about["engine"],
            "contestant": block["contestant"],
            "label": about["note"],
            "durability": about["durability"],
            "versions": about["versions"],
            "config_class": about["config_class"],
            "settings": about["settings"],
            "changed": about["changed"],
            "raw": about["raw"],
            "workers": 0 if about["in_process"] else result["plan"]["workers"],
            "slots": result["plan"]["slots"],
            "ledger": result["plan"]["ledger"],
            "bridge": str(one.bridge),
            "load": f"{load.name}: {load.description}",
            "kept_up": block["kept_up"],
            "rounds_void": block["void"],
            "rounds_overloaded": sum(not one["kept_up"] for one in counted),
            **{name: block[name] for name in told},
        },
    )


def _named(one: Contestant) -> named.Contestant:
    """The contestant as a load run knows it, with the options that choose it alone."""
    shown = [name for name in one.settings.changed if name not in one.settings.secrets]
    return named.Contestant(
        label=one.label,
        engine=one.engine,
        settings=one.settings,
        sets=tuple(f"{one.name}.{name}={as_text(one.settings[name])}" for name in shown),
        raws=tuple(f"{one.name}.{key}={as_text(value)}" for key, value in one.settings.shown_raw().items()),
    )
