"""``bakeoff bench overhead``: from options to a table of targets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.options import EngineOption, SetOption, SlotsOption, check_slots_of
from bakeoff.cli.screen import progress, say, warn
from bakeoff.errors import UsageError
from bakeoff.plugins import Plugins
from bakeoff.processes import run_interruptibly, scratch_folder
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import Contestant, Options, find_contestants
from bakeoff_bench.overhead.conduct import Measured, measure
from bakeoff_bench.overhead.domain_cost import domain_cost
from bakeoff_bench.overhead.duration import rough_seconds, teller
from bakeoff_bench.overhead.result import added, begun
from bakeoff_bench.overhead.show import domain, show
from bakeoff_bench.overhead.sides import COMPARABLE
from bakeoff_bench.run.command import check_json
from bakeoff_bench.run.countdown import span
from bakeoff_bench.run.output import write_json


def overhead(
    engine: EngineOption = None,
    broker: Annotated[
        list[str] | None,
        typer.Option("--broker", metavar="NAME", help="Only this broker, of engines that have a choice."),
    ] = None,
    config: Annotated[
        ConfigClass,
        typer.Option("--config", help="Settings of both sides: as shipped, recommended, or short leases."),
    ] = ConfigClass.RECOMMENDED,
    set_: SetOption = None,
    slots: SlotsOption = 4,
    rounds: Annotated[
        int,
        typer.Option("--rounds", min=1, max=100, help="Each has a turn of both sides; one has no interval."),
    ] = 10,
    sagas: Annotated[
        int,
        typer.Option("--sagas", min=20, max=100_000, help="Per saga, side and round, in the closed loop."),
    ] = 300,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Every number as JSON.")
    ] = None,
) -> None:
    """What bakeoff itself costs: each adapter against the same saga written by hand for its engine.

    Both sides take turns on the same servers with the same settings, worker and client processes of their
    own, and the same ledger. A turn measures idle latency (one saga at a time), then throughput and CPU per
    saga (workers, client and servers) in a closed loop of 16. Ratios are adapter / native with a 95 %
    interval over the rounds; a target is met, missed, or, where the interval lies on both sides of it, cannot
    be told.

    Beside that: the services' own CPU per order, how far each engine is from what the World takes without any
    engine, and whether one client process could offer three times what the engine takes.

    \b
    Examples:
        bakeoff bench overhead --engine celery --broker valkey --rounds 5
        bakeoff bench overhead --json overhead.json
    """
    check_json(json_)
    everyone = _contestants(engine, broker, config, set_ or ())
    check_slots_of([one.chosen for one in everyone], slots)
    expected_s = [rough_seconds(one.engine.info().in_process, rounds, sagas) for one in everyone]
    names = ", ".join(one.label for one in everyone)
    progress(f"{names}: {rounds} rounds each, about {span(sum(expected_s))}")
    result = begun(str(config), rounds, sagas, slots, domain_cost())
    say(domain(result))
    found: list[Measured] = []
    for number, one in enumerate(everyone):
        tell = teller(one.label, rounds, expected_s[number:], progress)

        def keep(measured: Measured) -> None:  # what an interruption leaves is worth having
            write_json(json_, added(result, [*found, measured], complete=False))

        with scratch_folder("overhead") as folder:
            found.append(
                run_interruptibly(
                    measure(one, folder, rounds=rounds, sagas=sagas, slots=slots, tell=tell, keep=keep)
                )
            )
        write_json(json_, added(result, found, complete=len(found) == len(everyone)))
    show(added(result, found, complete=True))


def _contestants(
    engine: Sequence[str] | None, broker: Sequence[str] | None, config: ConfigClass, sets: Sequence[str]
) -> list[Contestant]:
    """Those that have a native; one that is asked for by name and has none is refused."""
    asked = [name for name in engine or () if name != "all"]
    for name in asked:
        if name in Plugins().engine_names() and name not in COMPARABLE:
            raise UsageError(
                f"--engine {name}: there is no hand-written native to compare it with; "
                f"there is one of {', '.join(COMPARABLE)}"
            )
    names = asked or [name for name in Plugins().engine_names() if name in COMPARABLE]
    options = Options(engines=tuple(names), brokers=tuple(broker or ()), sets=tuple(sets))
    found = find_contestants(options, config)
    if not found:
        raise UsageError(f"--config {config}: {', '.join(names)} is the same there as recommended")
    left_out = set(names) - {one.engine.name for one in found}
    if left_out:
        warn(f"left out, because it is the same as recommended: {', '.join(sorted(left_out))}")
    return found
