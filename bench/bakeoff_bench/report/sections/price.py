"""What a guarantee costs: CPU as a multiple of the null engine's, round by round."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bakeoff_bench.report.page import Cell, Mood, cell
from bakeoff_bench.report.sections import costs
from bakeoff_bench.report.sections.rounds import counted, spread
from bakeoff_bench.report.sources import Kind, Source, of_kind

#: A function in a process: what everything else costs more than.
_NULL = "inline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Of one contestant, at the load that `costs` tells of.

    Attributes:
        times: The median over rounds.
        rounds: The ratio of every round that both have.
        load: Of the contestant.
        counted: Rounds of that load, in words.
        sagas: In them.
    """

    times: float
    rounds: Sequence[float]
    load: str
    counted: str
    sagas: int


def priced_by(sources: Sequence[Source], labels: Collection[str]) -> tuple[dict[str, Price], Source | None]:
    """``{contestant: price}`` of these, from the last run that has one of them and the null engine."""
    for run in reversed(of_kind(sources, Kind.LOAD)):
        blocks = costs.blocks_of(run)
        if not _cpu_of(blocks.get(_NULL)):
            continue
        priced = {
            label: _price(run, block, blocks[_NULL])
            for label, block in blocks.items()
            if label in labels and _cpu_of(block)
        }
        if priced:
            return priced, run
    return {}, None


def _cpu_of(block: Mapping[str, Any] | None) -> float | None:
    return None if block is None else block["cost"].get(costs.CPU)


def _price(run: Source, block: Mapping[str, Any], null: Mapping[str, Any]) -> Price:
    own, nulls = costs.per_round(run, block, costs.CPU), costs.per_round(run, null, costs.CPU)
    ratios = [own[number] / nulls[number] for number in sorted(own.keys() & nulls.keys()) if nulls[number]]
    return Price(
        times=median(ratios) if ratios else block["cost"][costs.CPU] / null["cost"][costs.CPU],
        rounds=ratios,
        load=costs.load_words(block),
        counted=counted(block, len(ratios)),
        sagas=block["arrived"],
    )


def price_cells(price: Price | None) -> list[Cell | str]:
    """The price, its load, rounds and sagas."""
    if price is None:
        return [cell("not measured", Mood.SILENT), "", "", ""]
    times = spread(price.times, price.rounds, "{:.1f}".format)
    return [times, price.load, price.counted, str(price.sagas)]
