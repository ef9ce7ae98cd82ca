"""How one saga of a load is watched: by the ledger and by the engine's word, each for itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bakeoff.expectation import Expectation
from bakeoff.history import History
from bakeoff.orders import ORDER
from bakeoff.orders.loader import real_orders
from bakeoff.plugins import Plugins
from bakeoff_bench.load.generator.drive import Generator
from bakeoff_bench.load.generator.guard import Effort
from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.load.order import LoadOrder
from bakeoff_scenarios import arrange, find_load

_SETTLES_AFTER_S = 0.2


class _Settling:
    """Stands where ``LedgerTail`` does: the ledger is complete a little later."""

    def __init__(self, end: Expectation) -> None:
        self._end = end

    def watch(self, planned: object) -> None:
        pass

    def forget(self, workflow_id: str) -> None:
        pass

    async def settled(self, workflow_id: str, within_s: float) -> Expectation:
        await asyncio.sleep(_SETTLES_AFTER_S)
        return self._end

    def settled_at_s(self, workflow_id: str) -> float:
        return time.monotonic()

    async def follow(self, check: Callable[[], None]) -> None:
        await asyncio.Event().wait()


class _Mute:
    """Takes the start, and fails when it is asked for the outcome."""

    async def start(self, *_: object) -> bool:
        return True

    async def result(self, *_: object) -> Any:
        raise ConnectionResetError("the result server is gone")


def _drive(tmp_path: Path, at_s: list[float], **of_order: Any) -> tuple[list[Sample], Effort]:
    """Sagas due at these seconds, of an engine whose outcomes cannot be asked for."""
    load = find_load("order-steady")
    arrivals = arrange(load, ORDER, real_orders(3).orders, at_s, seed=1, label="l")
    over: list[Sample] = []
    history = History(tmp_path / "history.jsonl")
    order = LoadOrder(
        deployment="",
        saga="order",
        load=load.name,
        rate=1.0,
        seconds=1.0,
        process="constant",
        seed=1,
        arrival_seed=1,
        label="l",
        patience_s=5.0,
    )
    generator = Generator(
        order=replace(order, **of_order),
        arrivals=arrivals,
        client=_Mute(),  # type: ignore[arg-type]
        info=Plugins().engine("temporal").info(),
        saga=ORDER,
        tail=_Settling(arrivals[0].planned.expected),  # type: ignore[arg-type]
        history=history,
        on_over=over.append,
        on_begin=lambda _: None,
    )
    with history:
        return over, asyncio.run(generator.run())


def test_what_settled_in_the_ledger_is_settled_whatever_the_client_says(tmp_path: Path) -> None:
    """The error is told; the latency is there; the saga is neither censored nor lost."""
    (sample,), _ = _drive(tmp_path, [0.0])

    assert sample.error == "ConnectionResetError: the result server is gone"
    assert sample.settled_s is not None
    assert sample.settled_s >= _SETTLES_AFTER_S
    assert sample.told_s is None


def test_a_generator_at_its_end_sheds_and_says_so(tmp_path: Path) -> None:
    """More than it may have in flight it does not send: the load is void, and nobody's latency is missing."""
    over, effort = _drive(tmp_path, [0.0, 0.0, 0.0], most_in_flight=1)
    sent = [one for one in over if one.sent_s is not None]

    assert len(over) == 3
    assert len(sent) == 1
    assert effort.sheds == 2
    assert any("2" in why for why in effort.void()), effort.void()
