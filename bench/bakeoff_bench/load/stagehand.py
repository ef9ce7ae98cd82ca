"""The process behind a Locust that a user runs: brings the engine up, prepares loads, judges at the end.

One line on its standard input asks for the next load; the end of it, for the verdict.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bakeoff.checkers import Evidence, Planned, Shape
from bakeoff.cli.failures import of_the_machine
from bakeoff.cli.options import check_ledger, check_ledger_is_empty, choose_saga
from bakeoff.cli.screen import complain, say
from bakeoff.engine import Capability, Support
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.processes import run_interruptibly
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import Contestant, Options, find_contestants
from bakeoff_bench.load.generator.sample import read_samples
from bakeoff_bench.load.generator.task import HISTORY, SAMPLES
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.load.stage import Stage, staged
from bakeoff_bench.run.batches import Batches
from bakeoff_bench.run.result import judged_whole
from bakeoff_scenarios import Arrival, find_load, lacking

VERDICT = "verdict"
#: A closed loop is given sagas for so many per second, far more than any engine here does.
_MOST_PER_S = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What Locust's command line asked for."""

    folder: str
    scenario: str
    engine: str
    broker: str
    config_class: str
    sets: Sequence[str]
    ledger: str
    rate: float
    duration: float
    arrivals: str
    closed: int
    workers: int
    slots: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``Wanted(**data)`` reverses it."""
        return asdict(self)

    def order(self, number: int) -> LoadOrder:
        """The load of one test run; every one has orders of its own."""
        load = find_load(self.scenario)
        seconds = self.duration or load.duration_s
        return LoadOrder(
            deployment="",
            saga=load.saga,
            load=load.name,
            rate=self.rate,
            seconds=seconds,
            process="constant" if self.arrivals == "constant" else "poisson",
            seed=self.seed,
            arrival_seed=self.seed + number,
            label=f"locust-{number}",
            users=self.closed,
            sagas=round(seconds * _MOST_PER_S) if self.closed else 0,
            patience_s=max(60.0, load.parked_s + 60.0),
            folder=str(Path(self.folder) / f"load-{number}"),
        )


def order_file(folder: Path, number: int) -> Path:
    """Where load ``number`` is written for the generators."""
    return folder / f"order-{number}.json"


def main() -> None:
    """Until standard input ends; the verdict is written to a file, 0 if the ledger is valid, 1 if not."""
    wanted = Wanted(**json.loads(sys.argv[1]))
    try:
        valid = run_interruptibly(_stand_by(wanted))
    except BakeoffError as error:
        complain(str(error))
        sys.exit(2)
    except Exception as error:
        if (told := of_the_machine(error)) is None:
            raise
        complain(told)
        sys.exit(2)
    (Path(wanted.folder) / VERDICT).write_text("0" if valid else "1")


async def _stand_by(wanted: Wanted) -> bool:
    load = find_load(wanted.scenario)
    if load.fault:
        raise UsageError(f"--scenario {load.name}: faults are done by `bakeoff load --scenario {load.name}`")
    if check_ledger(wanted.ledger) not in ("sqlite", "postgres"):
        check_ledger_is_empty(wanted.ledger)
    saga, references = choose_saga(load.saga)
    wanted.order(1).arrivals(saga)  # something must arrive
    one = _contestant(wanted)
    if missing := lacking(saga, one.engine.info(one.settings), ()):
        raise UsageError(f"{one.label} cannot do this: {'; '.join(missing.values())}")
    folder = Path(wanted.folder)
    loads: list[tuple[LoadOrder, list[Arrival]]] = []
    async with staged(
        one.chosen,
        load,
        saga,
        references,
        folder / one.slug,
        seed=wanted.seed,
        workers=wanted.workers,
        slots=wanted.slots,
        ledger=wanted.ledger,
        prefix=f"bakeoff-{secrets.token_hex(3)}-",
        faults=False,
    ) as stage:
        say(f"{one.label} is up")
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        (folder / "up").touch()
        while await lines.readline():
            number = len(loads) + 1
            order = _at(wanted.order(number), stage)
            loads.append((order, await asyncio.to_thread(stage.prepare, order)))
            order.write(order_file(folder, number))
        return await asyncio.to_thread(_verdict, stage, loads)


def _contestant(wanted: Wanted) -> Contestant:
    options = Options(
        engines=(wanted.engine,),
        brokers=(wanted.broker,) if wanted.broker else (),
        sets=tuple(wanted.sets),
    )
    try:
        config = ConfigClass(wanted.config_class)
    except ValueError:
        known = ", ".join(ConfigClass)
        raise UsageError(
            f"--config-class {wanted.config_class}: there is no such class; known: {known}"
        ) from None
    found = find_contestants(options, config, ours_only=False)
    if not found:
        raise UsageError(
            f"--config-class {config}: {wanted.engine} is as recommended there, or found with another broker"
        )
    return found[0]


def _at(order: LoadOrder, stage: Stage) -> LoadOrder:
    return LoadOrder(**{**order.to_json(), "deployment": str(stage.stack.deployment_file)})


def _verdict(stage: Stage, loads: Sequence[tuple[LoadOrder, list[Arrival]]]) -> bool:
    """Judge everything that generators on this machine sent."""
    for order, arrivals in loads:
        plans = {one.planned.workflow_id: one.planned for one in arrivals}
        found = sorted(Path(order.folder).rglob(SAMPLES))
        started: dict[str, Planned] = {
            one.workflow_id: plans[one.workflow_id]
            for file in found
            for one in read_samples(file)
            if one.sent_s is not None
        }
        stage.keep(started, [file.with_name(HISTORY) for file in found])
    if not stage.counts:
        say("no saga was started; there is nothing to judge")
        return False
    claim = stage.stack.info.claims[Capability.OUTCOME]
    common = Evidence(
        engine=stage.stack.engine.name,
        shape=Shape.of(stage.saga),
        planned={},
        counts=dict(stage.counts),
        ledger=(),
        operations=(),
        silent=claim.reason if claim.support is Support.ABSENT else "",
    )
    judged = judged_whole(Batches(part=stage.folder, common=common, stock=stage.stock))
    say(f"ledger: {judged['validity']}; " + ", ".join(f"{n} {k}" for k, n in judged["counts"].items() if n))
    for verdict in judged["verdicts"]:
        if verdict["validity"] not in ("valid", "not applicable"):
            say(f"  {verdict['invariant']}: {verdict['validity']}: {'; '.join(verdict['findings'][:3])}")
    return bool(judged["validity"] == "valid")


if __name__ == "__main__":
    main()
