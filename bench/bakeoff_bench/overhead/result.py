"""What ``bakeoff bench overhead`` found, as JSON, and its tables as rows of words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from bakeoff.machine import machine
from bakeoff_bench.overhead.ceiling import BOUND_BY_THE_WORLD
from bakeoff_bench.overhead.compare import TARGETS, Word
from bakeoff_bench.overhead.conduct import GENERATOR_FACTOR, Measured
from bakeoff_bench.overhead.domain_cost import DomainCost
from bakeoff_bench.overhead.turn import SAGAS
from bakeoff_bench.run.said import command_line

KIND, FORMAT = "overhead", 1
RATIOS = ["contestant", "saga", "quantity", "adapter", "native", "ratio", "95 % interval", "target", "met?"]
CEILINGS = ["contestant", "order/s", "World alone/s", "writers", "share of the ceiling"]
GENERATORS = ["contestant", "starts/s with workers off", "of noop/s", "of order/s", "target", "met?"]
_UNITS = {"cpu_ms": "ms", "per_s": "/s", "idle_p50_ms": "ms"}


def begun(config_class: str, rounds: int, sagas: int, slots: int, own: DomainCost) -> dict[str, Any]:
    """The result before anything was compared."""
    return {
        "kind": KIND,
        "format": FORMAT,
        "bakeoff": version("bakeoff"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "machine": machine(),
        "complete": False,
        "config_class": config_class,
        "rounds": rounds,
        "sagas": sagas,
        "slots": slots,
        "domain_cpu_ms": own.median_ms,
        "domain_cpu_ms_of_tries": list(own.tries_ms),
        "contestants": [],
    }


def added(result: Mapping[str, Any], found: Sequence[Measured], *, complete: bool) -> dict[str, Any]:
    """The same with what was measured so far."""
    return {**result, "complete": complete, "contestants": [one.to_json() for one in found]}


def ratios(result: Mapping[str, Any]) -> Iterator[list[str]]:
    """A row per contestant, saga and quantity, as ``RATIOS`` has it; the last is a ``Word``."""
    for one in result["contestants"]:
        for saga in SAGAS:
            for target in TARGETS:
                found, unit = one["comparisons"][saga][target.name], _UNITS[target.name]
                interval = found["interval"]
                yield [
                    one["label"],
                    saga,
                    target.title,
                    f"{found['adapter']:.2f} {unit}",
                    f"{found['native']:.2f} {unit}",
                    f"{found['ratio']:.3f}",
                    "-" if interval is None else "{:.3f} to {:.3f}".format(*interval),
                    found["target"],
                    found["word"],
                ]


def ceilings(result: Mapping[str, Any]) -> Iterator[list[str]]:
    """A row per contestant, as ``CEILINGS`` has it."""
    for one in result["contestants"]:
        rate, most = one["comparisons"]["order"]["per_s"]["adapter"], one["ceiling_per_s"]
        mark = "  World-bound" if rate / most > BOUND_BY_THE_WORLD else ""
        writers = " x ".join(map(str, one["writers"]))
        yield [one["label"], f"{rate:.0f}", f"{most:.0f}", writers, f"{rate / most:.0%}{mark}"]


def generators(result: Mapping[str, Any]) -> Iterator[list[str]]:
    """A row per contestant, as ``GENERATORS`` has it; the last is a ``Word``, or why there is none."""
    for one in result["contestants"]:
        offered = one["offered_per_s"]
        if offered is None:
            why = "sagas run in the client's process" if _whole(one) else "not looked at: broken off before"
            yield [one["label"], "-", "-", "-", "-", why]
            continue
        times = [offered / one["comparisons"][saga]["per_s"]["adapter"] for saga in SAGAS]
        word = Word.MET if min(times) >= GENERATOR_FACTOR else Word.MISSED
        shown = [f"{factor:.1f} x" for factor in times]
        yield [one["label"], f"{offered:.0f}", *shown, f">= {GENERATOR_FACTOR:g} x", str(word)]


def differences(result: Mapping[str, Any]) -> Iterator[list[str]]:
    """``[contestant, setting, adapter, native]`` of everything in which the two workers differ."""
    for one in result["contestants"]:
        for difference in one["differences"]:
            yield [one["label"], *difference]


def broken_off(result: Mapping[str, Any]) -> Iterator[str]:
    """After how many of its rounds each contestant was that has not made them all, in words."""
    for one in result["contestants"]:
        if not _whole(one):
            yield f"{one['label']}: broken off after {len(one['rounds'])} of {result['rounds']} rounds"


def _whole(one: Mapping[str, Any]) -> bool:
    # Older results hold contestants whose rounds were all over, and no others.
    return bool(one.get("whole", True))
