"""What rates stand against: services and ledger without an engine, the generator without workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff_bench.load.world_alone import is_bound_by_the_world
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Table, cell
from bakeoff_bench.report.sections.loaded import by_tier, conditions_of
from bakeoff_bench.report.sections.rounds import spread
from bakeoff_bench.report.sources import Source

_ID = "load"


def limits(run: Source) -> Table | None:
    """A row per contestant; ``None`` of a run from before either was measured."""
    world = run.result.get("world")
    order = [label for labels in by_tier(run).values() for label in labels]
    abouts = {label: run.result["contestants"][label] for label in order}
    if not world and not any(about.get("generator_alone") for about in abouts.values()):
        return None
    return Table(
        id=slug(_ID, "limits", run.number),
        title=f"What rates stand against ({run.name})",
        columns=[
            *("contestant", "closed loop, sagas/s", "of services and ledger alone"),
            *("generator, workers off: offered /s", "accepted /s", "generator"),
        ],
        rows=[[label, *_against(about, world), *_alone(about)] for label, about in abouts.items()],
        conditions=f"{_world_words(world)} A contestant above half of that is bound by it: its rates say "
        "little about the engine. The generator alone at three times the contestant's own rate: one load, no "
        f"interval. {conditions_of(run)}",
        command=run.command,
    )


def _against(about: Mapping[str, Any], world: dict[str, Any] | None) -> list[Cell | str]:
    rate = about.get("throughput_per_s")
    if rate is None or not world:
        return ["not told" if rate is None else f"{rate:.1f}", cell("not measured", Mood.SILENT)]
    bound = is_bound_by_the_world(rate, world)
    share = f"{rate / world['orders_per_s']:.0%}"
    return [f"{rate:.1f}", cell(f"{share}, bound by it" if bound else share, _mood(bound))]


def _mood(bound: bool) -> Mood:
    return Mood.CAUTION if bound else Mood.PLAIN


def _alone(about: Mapping[str, Any]) -> list[Cell | str]:
    alone = about.get("generator_alone")
    if not alone:
        return [cell("not measured", Mood.SILENT), "", ""]
    late = "; ".join(alone["void"])
    return [
        f"{alone['offered_per_s']:.1f}",
        f"{alone['started_per_s']:.1f}",
        cell(late or "kept up", _mood(bool(late))),
    ]


def _world_words(world: Mapping[str, Any] | None) -> str:
    if not world:
        return "Services and ledger alone were not measured."
    tries = world["orders_per_s_of_tries"]
    rate = spread(world["orders_per_s"], tries, "{:.0f}".format)
    return (
        f"Services and ledger alone: {rate} orders/s, median of n = {len(tries)} tries, in brackets the "
        "lowest and the highest; "
        f"{spread(world['cpu_ms_per_order'], world['cpu_ms_of_tries'], '{:.2f}'.format)} ms of CPU per order."
    )
