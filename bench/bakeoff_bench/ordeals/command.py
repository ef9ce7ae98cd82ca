"""``bakeoff ordeal``: from options to an exit code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.bridge.bridges import IN_PROCESS, ChosenBridge, choose_bridge
from bakeoff.checkers import Validity
from bakeoff.cli.numbers import DeadlineOption
from bakeoff.cli.options import (
    BridgeOption,
    ChosenEngine,
    ConfigOption,
    EngineOption,
    SetOption,
    SetRawOption,
    choose_engines,
)
from bakeoff.cli.screen import progress, say
from bakeoff.errors import ServerStartError, UsageError
from bakeoff.nemesis import FaultMissedError
from bakeoff.processes import run_interruptibly, scratch_folder
from bakeoff.settings import ConfigClass
from bakeoff_bench.ordeals.catalogue import ORDEALS, find_ordeals
from bakeoff_bench.ordeals.ordeal import NOT_SUPPORTED, Ordeal, OrdealResult, Setup
from bakeoff_bench.ordeals.show import show_ordeals, show_result
from bakeoff_bench.run.command import check_json
from bakeoff_bench.run.countdown import Countdown, span
from bakeoff_bench.run.preflight import with_servers


def ordeal(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; `all` for every one.")
    ] = None,
    engine: EngineOption = None,
    config: ConfigOption = ConfigClass.RECOMMENDED,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    size: Annotated[
        int | None, typer.Option("--size", min=10, max=1_000_000, help="Sagas; the list tells which.")
    ] = None,
    deadline: DeadlineOption = None,
    bridge: BridgeOption = IN_PROCESS,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every result as JSON.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Keep ledgers, histories and logs in this new folder."),
    ] = None,
) -> None:
    """Put engines through a small experiment: poison, backlog, thousands of parked sagas, a noisy neighbour.

    Without a name it lists what there is. Only one engine is up at a time: they do not share the machine.
    Every tenth order is declined on its way, so that undoing is judged too.

    Exit code 0: every verdict is valid, or the engine does not claim what is needed. 1: one is invalid or
    unknown. 2: nothing started.

    \b
    Examples:
        bakeoff ordeal
        bakeoff ordeal backlog --engine celery --engine dramatiq
        bakeoff ordeal parked --engine temporal --size 1000 --json parked.json
        bakeoff ordeal poison --engine celery --set celery.broker=rabbitmq
        bakeoff ordeal backlog --engine dramatiq --bridge nats
    """
    if not names:
        show_ordeals(list(ORDEALS.values()))
        return
    wanted = find_ordeals(names)
    check_json(json_, out)
    between = choose_bridge(bridge)
    if between.url is not None:
        raise UsageError(
            "--bridge URL: no ordeal is done on a server that bakeoff did not start; give --bridge nats"
        )
    if out is not None and out.exists():
        raise UsageError(f"--out {out}: it exists already; give a new folder")
    chosen = run_interruptibly(
        with_servers(_ours(engine, config, set_, set_raw), named=bool(engine) and "all" not in (engine or []))
    )
    with nullcontext(out) if out is not None else scratch_folder("ordeal") as folder:
        folder.mkdir(parents=True, exist_ok=True)
        files = [
            *([out / "ordeals.json"] if out is not None else []),
            *([json_] if json_ is not None else []),
        ]

        def told(found: dict[str, Any]) -> None:
            for file in files:  # after each of them: the next one may take an hour, and be broken off
                file.write_text(json.dumps(found, indent=2) + "\n")

        found = _all(wanted, chosen, size, deadline, between, folder, str(config), told)
    verdicts = [one["verdict"] for by_engine in found["ordeals"].values() for one in by_engine.values()]
    if not set(verdicts) <= {"valid", NOT_SUPPORTED}:
        raise typer.Exit(1)


def _all(
    wanted: Sequence[Ordeal],
    chosen: Sequence[ChosenEngine],
    size: int | None,
    deadline_s: float | None,
    bridge: ChosenBridge,
    folder: Path,
    config: str,
    told: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    about = {"config": config, "bridge": str(bridge), "size": size, "deadline_s": deadline_s}
    able = {one.name: [e for e in chosen if not one.lacks(e.engine.info(e.settings))] for one in wanted}
    left_s = sum(one.expected_s(size or one.size) * len(able[one.name]) for one in wanted)
    which, whom = ", ".join(one.name for one in wanted), ", ".join(one.name for one in chosen)
    over = "" if bridge.name == IN_PROCESS else f" over {bridge}"
    say(f"{which} on {whom}{over} (class {config}): about {span(left_s)}, longer where a lease is")
    found: dict[str, Any] = {}
    for one in wanted:
        count = size or one.size
        found[one.name] = {}
        for each in chosen:
            setup = Setup(
                chosen=each,
                size=count,
                deadline_s=deadline_s or one.deadline_s(count),
                folder=folder / one.name / each.name,
                tell=_teller(f"{one.name}, {each.name}", Countdown(left_s)),
                bridge=bridge,
            )
            found[one.name][each.name] = {
                **_put(one, setup).to_json(),
                "engine_note": each.engine.info(each.settings).note,
            }
            left_s -= one.expected_s(count) if each in able[one.name] else 0.0
        show_result(one.name, found[one.name])
        told({**about, "ordeals": found})
    return {**about, "ordeals": found}


def _teller(where: str, countdown: Countdown) -> Callable[[str], None]:
    return lambda text: progress(f"{where}, {countdown}: {text}")


def _put(ordeal: Ordeal, setup: Setup) -> OrdealResult:
    missing = ordeal.lacks(setup.info)
    if missing:
        return OrdealResult(verdict=NOT_SUPPORTED, reasons=(missing,))
    setup.folder.mkdir(parents=True)
    try:
        return run_interruptibly(ordeal.run(setup))
    except (FaultMissedError, ServerStartError) as error:  # hours of other verdicts must not go with it
        return OrdealResult(verdict=str(Validity.UNKNOWN), reasons=(" ".join(str(error).split()),))
    finally:
        _forget(setup.folder)


def _forget(place: Path) -> None:
    """What servers stored is theirs, and the deployment file may hold credentials."""
    for path in place.glob("*/"):
        if path.name != "logs":
            shutil.rmtree(path, ignore_errors=True)
    (place / "deployment.json").unlink(missing_ok=True)


def _ours(
    names: Sequence[str] | None, config: ConfigClass, sets: Sequence[str] | None, raws: Sequence[str] | None
) -> list[ChosenEngine]:
    """Engines with settings, none of them on servers that are not ours to load, restart or kill on."""
    chosen = choose_engines(list(names) if names else None, config=config, sets=sets, raws=raws)
    for one in chosen:
        if outside := [s.role for s in one.engine.servers(one.settings) if s.external_address is not None]:
            raise UsageError(
                f"{one.name}: {', '.join(outside)} was not started by bakeoff, and no ordeal is done there; "
                "leave the address out to have one started"
            )
    return chosen
