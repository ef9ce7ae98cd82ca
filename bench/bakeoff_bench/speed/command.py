"""``bakeoff bench speed``: prints how fast the pieces are on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from bakeoff.cli.options import (
    ChosenEngine,
    ConfigOption,
    EngineOption,
    SetOption,
    SlotsOption,
    check_slots_of,
    choose_engines,
)
from bakeoff.cli.screen import progress, say
from bakeoff.errors import BakeoffError
from bakeoff.orders.loader import real_orders
from bakeoff.orders.model import Order
from bakeoff.processes import run_interruptibly, scratch_folder
from bakeoff.settings import ConfigClass
from bakeoff.stack import StackPlan, running_backend, running_stack
from bakeoff_bench.run.command import check_json
from bakeoff_bench.run.countdown import Countdown, span
from bakeoff_bench.run.output import write_json
from bakeoff_bench.significance import paired
from bakeoff_bench.speed.contract import run_suite
from bakeoff_bench.speed.domain import LINES, cpu_ms_per_order
from bakeoff_bench.speed.duration import speed_seconds
from bakeoff_bench.speed.rates import adapter_rate, native_command, native_rate, order_inputs

_IN_FLIGHT = 16
_CLOSED = f"closed loop of {_IN_FLIGHT}"
_SUITE = "the contract suite ..."


def speed(
    engine: EngineOption = None,
    config: ConfigOption = ConfigClass.RECOMMENDED,
    set_: SetOption = None,
    slots: SlotsOption = 4,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=10, help="Pairs adapter, native.")] = 5,
    sagas: Annotated[int, typer.Option("--sagas", min=10, help="noop sagas per side and round.")] = 300,
    contract: Annotated[
        bool, typer.Option("--contract/--no-contract", help="Time the contract suite, too.")
    ] = True,
    json_: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="The numbers as JSON.")] = None,
) -> None:
    """Measure starts, the cost of the services, and adapters against hand-written natives.

    Nothing is asserted: numbers of a busy machine are numbers of a busy machine.

    \b
    Example:
        bakeoff bench speed --engine celery
    """
    check_json(json_)
    chosen = choose_engines(engine, config=config, sets=set_)
    check_slots_of(chosen, slots)
    expected_s = [
        speed_seconds(one.engine.info(one.settings), rounds, sagas, contract=contract) for one in chosen
    ]
    most = ", most of it the contract suite (--no-contract)" if contract else ""
    progress(f"speed of {', '.join(one.name for one in chosen)}: about {span(sum(expected_s))}{most}")
    numbers: dict[str, Any] = {"engines": {}}
    cpu_ms, wall_ms = cpu_ms_per_order(500)
    numbers["domain_and_ledger"] = {"cpu_ms_per_saga": cpu_ms, "wall_ms_per_saga": wall_ms, "lines": LINES}
    say(f"domain and ledger: {cpu_ms:.2f} ms CPU, {wall_ms:.2f} ms in all, per order saga of {LINES} lines")
    for number, one in enumerate(chosen):
        tell = _teller(one.name, Countdown(sum(expected_s[number:])))
        with scratch_folder("speed") as folder:
            about = run_interruptibly(_engine(one, folder, slots, rounds, sagas, tell))
            tell("from the command to the first saga settled")
            about["first_settled_s"] = _first_settled(one.name, folder, config, set_ or ())
            say(f"{one.name}: first saga settled {about['first_settled_s']:.1f} s after the command")
            if contract:
                tell(_SUITE)
                suite = run_suite(one.name, folder, set_ or (), tell=partial(tell, _SUITE))
                about["contract_suite"] = asdict(suite)
                say(f"{one.name}: contract suite {suite.seconds:.0f} s, {'green' if suite.green else 'RED'}")
        numbers["engines"][one.name] = about
    if contract:
        seconds = sum(about["contract_suite"]["seconds"] for about in numbers["engines"].values())
        say(f"contract suite on all of these, one after the other: {seconds:.0f} s")
    write_json(json_, numbers)


def _teller(name: str, countdown: Countdown) -> Callable[[str], None]:
    return lambda text: progress(f"{name}, {countdown}: {text}")


async def _engine(
    one: ChosenEngine, folder: Path, slots: int, rounds: int, sagas: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    info = one.engine.info(one.settings)
    about: dict[str, Any] = {"note": info.note}
    in_process = info.in_process
    if info.note:
        say(f"{one.name}: {info.note}")
    tell("starting ...")
    if not in_process:
        began = time.perf_counter()
        backend = StackPlan(engine=one.engine, settings=one.settings, folder=folder / "servers", slots=slots)
        async with running_backend(backend):
            about["servers_ready_s"] = time.perf_counter() - began
        say(f"{one.name}: servers ready in {about['servers_ready_s']:.2f} s")
    began = time.perf_counter()
    plan = StackPlan(engine=one.engine, settings=one.settings, folder=folder / "stack", slots=slots)
    async with running_stack(plan) as stack:
        about["ready_s"] = time.perf_counter() - began
        say(f"{one.name}: servers, workers and client ready in {about['ready_s']:.2f} s")
        warm_up = [(f"warm-{number}", None) for number in range(_IN_FLIGHT * 2)]
        await adapter_rate(stack, "noop", warm_up, _IN_FLIGHT)
        orders = _orders(500 if in_process else 100)
        stack.world.add_orders(orders)
        stack.world.set_stock(_demand(orders))
        if in_process:
            many = [(f"noop-{number}", None) for number in range(3000)]
            about["noop_sagas_per_s"] = await adapter_rate(stack, "noop", many, _IN_FLIGHT)
            say(f"{one.name}: {about['noop_sagas_per_s']:.0f} noop sagas/s, {_CLOSED}")
        about["order_sagas_per_s"] = await adapter_rate(stack, "order", order_inputs(orders), _IN_FLIGHT)
        rate = f"{about['order_sagas_per_s']:.0f} order sagas/s"
        say(f"{one.name}: {rate} with the real baskets, no faults, {_CLOSED}")
        pairs: list[tuple[float, float]] = []
        for number in range(rounds):
            command = native_command(stack, sagas, _IN_FLIGHT, number)
            if command is None:
                break
            tell(f"round {number + 1} of {rounds}")
            inputs = [(f"noop-{number}-{saga}", None) for saga in range(sagas)]
            native = await native_rate(stack, command) if number % 2 else None  # neither is always first
            adapter = await adapter_rate(stack, "noop", inputs, _IN_FLIGHT)
            if native is None:
                native = await native_rate(stack, command)
            pairs.append((adapter, native))
        if pairs:
            adapters, natives = zip(*pairs, strict=True)
            against = paired(adapters, natives)
            about["noop_pairs_per_s"] = pairs
            about["noop_against_native"] = asdict(against)
            between = against.interval
            spread = "" if between is None else f" (95 %: {between.low:.2f} to {between.high:.2f})"
            say(
                f"{one.name}: noop {median(adapters):.0f} sagas/s, native {median(natives):.0f}; "
                f"ratio {against.ratio:.2f}{spread} over {len(pairs)} interleaved rounds, {_CLOSED}"
            )
    return about


def _orders(count: int) -> list[Order]:
    return [order for order in real_orders().orders if not order.cancelled][:count]


def _demand(orders: Sequence[Order]) -> dict[str, int]:
    units: dict[str, int] = {}
    for order in orders:
        for sku, count in order.units().items():
            units[sku] = units.get(sku, 0) + count
    return units


def _first_settled(engine: str, folder: Path, config: ConfigClass, sets: Sequence[str]) -> float:
    """Seconds from the start of a ``bakeoff run`` process to its first settled saga, by the wall clock."""
    file = folder / "first.json"
    command = [
        sys.executable,
        "-m",
        "bakeoff",
        "run",
        "--only",
        "sagas",
        "--engine",
        engine,
        "--count",
        "8",
        "--json",
        str(file),
    ]
    command += [
        "--config",
        config.value,
        "--rounds",
        "1",
        *(part for text in sets for part in ("--set", text)),
    ]
    began_at = time.time()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if not file.exists():
        raise BakeoffError(f"`bakeoff run --engine {engine}` failed: {done.stderr.strip()[-500:]}")
    return float(json.loads(file.read_text())["first_settled_at"]) - began_at
