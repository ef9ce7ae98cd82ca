"""What is measured is what happened: CPU of processes, sagas of both sides, the World without an engine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from argparse import Namespace
from collections import defaultdict
from pathlib import Path

import psutil
import pytest

from bakeoff.cli.options import choose_engines
from bakeoff.orders.model import Line, Order
from bakeoff.stack import StackPlan, running_backend
from bakeoff.world import Totals, World
from bakeoff_bench.native import plain_native
from bakeoff_bench.overhead.ceiling import world_rate
from bakeoff_bench.overhead.cpu import cpu_between, cpu_by_process
from bakeoff_bench.overhead.sides import sides_of
from bakeoff_bench.overhead.turn import IDLE, IN_PROCESS_TIMES, WARM_UP, Round, fill_shelves, take_round

#: Burns CPU in a child of its own, tells how much, and waits.
BURN = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import time
while time.process_time() < 0.5: pass
print(time.process_time(), flush=True)
input()
'''])
child.wait()
"""


def test_cpu_of_a_session_is_that_of_all_its_processes() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert parent.stdout is not None
        burnt_s = float(parent.stdout.readline())
        found = cpu_by_process([parent.pid])
        child = psutil.Process(parent.pid).children()[0].pid

        assert found.keys() == {parent.pid, child}
        assert found[child] == pytest.approx(burnt_s, abs=0.1)  # a clock tick, and the print
        assert cpu_by_process([]) == {}
    finally:
        parent.kill()
        parent.communicate()


def test_cpu_of_a_window_knows_who_came_and_who_went() -> None:
    assert cpu_between({1: 2.0, 2: 5.0}, {1: 2.5, 3: 0.25}) == pytest.approx(0.75)


async def _one_round(folder: Path) -> tuple[Round, Totals, set[str]]:
    one = choose_engines(["inline"])[0]
    plan = StackPlan(engine=one.engine, settings=one.settings, folder=folder)
    async with running_backend(plan) as backend:
        fill_shelves(backend)
        adapter, native = sides_of(backend)
        found = await take_round(backend, adapter, native, "0", 20)
        sagas = {record.workflow_id for record in backend.world.ledger()}
        return found, backend.world.totals(), sagas


def test_both_sides_do_the_same_sagas_in_the_same_world(tmp_path: Path) -> None:
    found, totals, sagas = asyncio.run(_one_round(tmp_path))

    of_each = WARM_UP + 2 * (IDLE // 2) + 20 * IN_PROCESS_TIMES
    assert totals.confirmations == 2 * of_each
    for side in ("adapter", "native"):
        for saga in ("noop", "order"):
            assert sum(one.startswith(f"{saga}-0-{side}-") for one in sagas) == of_each
            window = found[side][saga]
            assert min(window.per_s, window.cpu_ms, window.idle_p50_ms) > 0
            assert sum(window.cpu_ms_by_part.values()) == pytest.approx(window.cpu_ms)


def test_ceiling_is_reached_by_writing_every_order(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.db'}"
    world = World.create(url)
    ids = [f"order-{number}" for number in range(20)]
    world.add_orders(Order(order_id=one, lines=(Line("A", 1, 5),)) for one in ids)
    world.set_stock({"A": len(ids)})

    rate = world_rate(url, ids, processes=2, threads=2)

    totals = world.totals()
    world.close()
    assert rate > 0
    assert (totals.confirmations, totals.shipped) == (len(ids), len(ids))


STORY: dict[str, list[str]] = defaultdict(list)


def act(step: str, saga_id: str, attempt: int) -> None:
    """The body of a plain function whose sagas fail in their own ways."""
    STORY[saga_id].append(f"{step} {attempt}")
    if saga_id == "declined" and step == "create_shipment":
        raise plain_native.Declined("no")
    if saga_id == "broken" and step in ("charge_payment", "refund_payment"):
        raise RuntimeError("broken")


def test_plain_function_is_a_saga_that_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_native, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(plain_native, "UNDO_ATTEMPTS", 2)

    async def run() -> list[object]:
        async with plain_native.client(Namespace(body=f"{__name__}:act", threads=2)) as saga:
            return [await saga(one) for one in ("fine", "declined", "broken", "fine")]

    gave_up = asyncio.run(run())

    assert gave_up == [[], [], ["refund_payment"], []]
    assert STORY["fine"] == [f"{step} 1" for step, _ in plain_native.STEPS]
    assert STORY["declined"][3:] == ["refund_payment 1", "release_inventory 1"]
    assert STORY["broken"] == [
        *("reserve_inventory 1", "charge_payment 1", "charge_payment 2", "charge_payment 3"),
        *("refund_payment 1", "refund_payment 2", "release_inventory 1"),
    ]
