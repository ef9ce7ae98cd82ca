"""Commands that would tell what is unknown: the shortest that does, and no more than is missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import CLASS_WORDS
from bakeoff_bench.crash.profiles import TWO_POINTS
from bakeoff_bench.decide.measures import Measure

RUN = "bakeoff run --out DIR"
CONTRACT = "pytest --engine=all --contract-json contract.json"
#: A value is known, but of a server that production would not have.
STOOD_IN = "with the server that production would have (--set, docs/own-servers.md)"
#: Seconds after a kill by which an engine with its own leases is through, as in `bakeoff crash --profile
#: full`: of a worker, and of all else.
_OWN_LEASES_S, _OTHERS_S = 150.0, 240.0
#: Seconds and rounds of `bakeoff load --rate`, its warm-up, and arrivals that surely show a 95th percentile.
_LOAD_S, _ROUNDS, _WARM_UP_S, _FOR_A_P95 = 15.0, 3, 3.0, 140.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a contestant's label says: ``celery[valkey, as shipped] over nats``."""

    engine: str
    broker: str
    config: ConfigClass
    bridge: str


def named(label: str) -> Named:
    """Take a label apart."""
    name, _, bridge = label.partition(" over ")
    engine, _, known = name.removesuffix("]").partition("[")
    words = [word.strip() for word in known.split(",") if word.strip()]
    classes = [config for config, word in CLASS_WORDS.items() if word in words]
    brokers = [word for word in words if word not in CLASS_WORDS.values() and "=" not in word]
    return Named(
        engine=engine,
        broker=brokers[0] if brokers else "",
        config=classes[0] if classes else ConfigClass.RECOMMENDED,
        bridge=bridge,
    )


def kills(label: str, fault: str, count: int, deadline_s: float | None = None, *, own: bool = False) -> str:
    """Strike ``count`` times: `--kills` is per point, so at two points half of them each.

    Args:
        label: A contestant of the class and bridge that are meant.
        fault: Its name.
        count: Of each contestant, 1 or more; one more where that is odd.
        deadline_s: Seconds after a fault that are waited; the profile's if left out.
        own: Whether leases are those of the contestant's class.
    """
    points = TWO_POINTS[:count]
    # Of its own the command would kill those as shipped, too.
    words = ["bakeoff crash", f"--config {named(label).config}", *_behind(label), f"--fault {fault}"]
    words += [f"--point {point}" for point in points]
    words += [f"--kills {-(-count // len(points))}", *(["--own-leases"] if own else [])]
    words += [f"--deadline {math.ceil(deadline_s)}"] if deadline_s is not None else []
    return " ".join([*words, "--out DIR"])


def recoveries(label: str, fault: str, within_s: float = 0.0, count: int = 2) -> str:
    """The same with own leases, and looked at for long enough to see recoveries that take ``within_s``."""
    least_s = _OWN_LEASES_S if fault == "worker-kill" else _OTHERS_S
    return kills(label, fault, count, max(least_s, 2 * within_s), own=True)


def load(label: str, rate_per_s: float) -> str:
    """An open load, longer than usual where its 95th percentile takes that."""
    seconds = math.ceil(_WARM_UP_S + _FOR_A_P95 / (_ROUNDS * rate_per_s))
    longer = [f"--duration {seconds}"] if seconds > _LOAD_S else []
    config = named(label).config
    words = [f"--config {config}"] if config is not ConfigClass.RECOMMENDED else []
    words = ["bakeoff load", *words, *_behind(label), f"--rate {rate_per_s:g}", *longer]
    return " ".join([*words, "--out DIR"])


def measure(of: Measure) -> str:
    """What tells a measure of everybody, so that it compares."""
    return {
        Measure.RECOVERY: recoveries("any", "worker-kill", count=10),
        Measure.SERVERS: RUN,
        Measure.P95: load("any", 5.0),
        Measure.RATE: "bakeoff load --profile publishable --out DIR",
    }.get(of, "bakeoff load --out DIR")


def beside(command: str, evidence: str) -> str:
    """What is enough only together with the old run."""
    return f"{command}, given beside {evidence}"


def in_place_of(command: str, evidence: str) -> str:
    """What would still be unknown if the old run were given beside the new one."""
    return f"{command}, in place of {evidence}"


def for_(command: str, labels: Sequence[str]) -> str:
    """The command for these contestants alone; what is no command stays as it is."""
    found = [named(label) for label in labels]
    engines = list(dict.fromkeys(one.engine for one in found))
    brokers = {one.broker for one in found if one.broker}
    if command.startswith("pytest --engine=all"):
        words = [*(f"--engine={name}" for name in engines), *(f"--broker {one}" for one in sorted(brokers))]
        return command.replace("--engine=all", " ".join(words), 1)
    for verb in ("bakeoff crash", "bakeoff load", "bakeoff run"):
        if command.startswith(f"{verb} "):
            words = [f"--engine {name}" for name in engines]
            words += [f"--broker {one}" for one in brokers if len(brokers) == 1 and verb != "bakeoff run"]
            return " ".join([verb, *words, command.removeprefix(f"{verb} ")])
    return command


def apart(command: str, labels: Iterable[str]) -> list[list[str]]:
    """The labels that one command can be about: the contract suite takes one broker at a time."""
    found: dict[str, list[str]] = {}
    for label in labels:
        found.setdefault(named(label).broker if command.startswith("pytest") else "", []).append(label)
    return list(found.values())


def _behind(label: str) -> list[str]:
    bridge = named(label).bridge
    return [f"--bridge {bridge}"] if bridge else []
