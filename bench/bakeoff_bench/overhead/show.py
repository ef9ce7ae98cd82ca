"""The tables of ``bakeoff bench overhead``."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.overhead.ceiling import BOUND_BY_THE_WORLD
from bakeoff_bench.overhead.compare import TARGETS, Target, Word, compare, judge
from bakeoff_bench.overhead.conduct import GENERATOR_FACTOR, Measured
from bakeoff_bench.overhead.turn import SAGAS

_UNITS = {"cpu_ms": "ms", "per_s": "/s", "idle_p50_ms": "ms"}
_STYLES = {Word.MET: "green", Word.MISSED: "bold red", Word.UNKNOWN: "yellow"}


def show(found: Sequence[Measured], domain_ms: float) -> None:
    """Print targets, the World's share and the generator's reach."""
    say()
    show_table(
        ["engine", "saga", "quantity", "adapter", "native", "ratio", "95 % interval", "target", ""],
        [_cell(one, saga, target) for one in found for saga in SAGAS for target in TARGETS],
        {str(word): style for word, style in _STYLES.items()},
    )
    say("\nadapter, native: medians of the rounds; ratio: geometric mean, Student's t over paired log-ratios")
    say()
    show_table(
        ["engine", "order/s", "World alone/s", "writers", "share of the ceiling", "services' CPU per order"],
        [_ceiling(one, domain_ms) for one in found],
    )
    say()
    show_table(
        ["engine", "starts/s with workers off", "of noop/s", "of order/s", ""], list(_generators(found))
    )


def _cell(one: Measured, saga: str, target: Target) -> list[str]:
    pairs = one.pairs(saga, target.name)
    ratio = compare(pairs)
    unit = _UNITS[target.name]
    interval = "-" if ratio.interval is None else "{:.3f} to {:.3f}".format(*ratio.interval)
    adapter, native = (statistics.median(values) for values in zip(*pairs, strict=True))
    numbers = [f"{adapter:.2f} {unit}", f"{native:.2f} {unit}", f"{ratio.ratio:.3f}", interval]
    return [one.label, saga, target.title, *numbers, str(target), str(judge(ratio, target))]


def _ceiling(one: Measured, domain_ms: float) -> list[str]:
    share = one.per_s("order") / one.ceiling_per_s
    mark = "  World-bound" if share > BOUND_BY_THE_WORLD else ""
    processes, threads = one.writers
    writers = f"{processes} x {threads}"
    rates = [f"{one.per_s('order'):.0f}", f"{one.ceiling_per_s:.0f}"]
    return [one.label, *rates, writers, f"{share:.0%}{mark}", f"{domain_ms:.2f} ms"]


def _generators(found: Sequence[Measured]) -> Iterator[list[str]]:
    for one in found:
        if one.offered_per_s is None:
            yield [one.label, "-", "-", "-", "sagas run in the client's process"]
            continue
        times = [one.offered_per_s / one.per_s(saga) for saga in SAGAS]
        word = Word.MET if min(times) >= GENERATOR_FACTOR else Word.MISSED
        shown = [f"{factor:.1f} x" for factor in times]
        yield [one.label, f"{one.offered_per_s:.0f}", *shown, f"{word} (>= {GENERATOR_FACTOR:g} x)"]
