"""Processes of PURISTA services, and what they tell about an order."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from examples.purista.node import Node
from examples.purista.serve import services_launch, until_ready

from bakeoff.bridge import Address, Bridge
from bakeoff.bridge.bridges import ROLE, connect_bridge
from bakeoff.contract.lab import Fates, Lab, Started
from bakeoff.contract.stack_thread import StackThread
from bakeoff.processes import Child, Launcher, kill_session
from bakeoff.saga import JSON, Saga
from bakeoff.stack import Stack

T = TypeVar("T")

_ANSWER_S = 10.0


def address(service: str, command: str) -> Address:
    return Address(service=service, command=command)


@dataclass
class Services:
    """Starts processes of the services; they share one ledger."""

    launcher: Launcher
    node: Node
    server: str
    ledger: Path
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def start(self, *names: str) -> Child:
        """Start one with these services, all of them without names, and wait until it serves."""
        launch = services_launch(self.node, self.server, self.ledger, *names)
        child = self.launcher.start(f"purista-{next(self._numbers)}", launch)

        asyncio.run(until_ready(child))
        return child


@dataclass(frozen=True)
class Told:
    """What a service tells about an order (``describeOrder``)."""

    attempts: Sequence[dict[str, Any]]
    effects: Sequence[dict[str, Any]]
    records: Sequence[dict[str, Any]]

    @property
    def attempted(self) -> dict[str, int]:
        return dict(Counter(one["command"] for one in self.attempts))

    @property
    def done(self) -> list[tuple[str, str]]:
        """``(command, "effect" | "nothing" | "tombstone")`` in order."""
        return [(one["command"], one["kind"]) for one in self.effects]

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(one["kind"], one["state"]) for one in self.records]


def order(order_id: str, sku: str = "mug", quantity: int = 2, **more: JSON) -> dict[str, JSON]:
    line = {"sku": sku, "quantity": quantity, "unitPriceMinor": 650}
    return {"orderId": order_id, "lines": [line], **more}


class Shop:
    """An engine and the services that its steps need."""

    def __init__(self, stack: Stack, thread: StackThread, node: Node, ledger: Path) -> None:
        self.stack = stack
        self.engine = stack.engine.name
        self.services = Services(stack.launcher, node, stack.deployment.addresses[ROLE], ledger)
        self.lab = Lab(stack, thread, "purista", patience_s=60)
        self._thread = thread
        self._numbers = itertools.count(1)

    def open(self) -> None:
        """Start the services, and put goods on the shelf."""
        self.process = self.services.start()
        self.bridge: Bridge = self.call(lambda: connect_bridge(self.stack.deployment, sender="Tester"))
        self.ask("InventoryService", "receiveGoods", {"sku": "mug", "quantity": 1000}, key="goods")

    def close(self) -> None:
        self.call(self.bridge.close)

    def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Await something in the engine's loop."""

        async def run() -> T:
            return await work()

        return self._thread.call(run, 3 * _ANSWER_S)

    def ask(self, service: str, command: str, payload: JSON, key: str = "") -> Any:
        parameter = {"key": key} if key else {}
        asked = address(service, command)
        return self.call(lambda: self.bridge.invoke(asked, payload, parameter, timeout_s=_ANSWER_S))

    def kill(self, process: Child | None = None) -> None:
        """SIGKILL the services, or one process of them."""
        child = process or self.process
        kill_session(child.pid)
        self.stack.launcher.stop(child)

    def in_the_middle(self, service: str, command: str, order_id: str, moment: str) -> int:
        """Wait until a process has taken the command, and for ``late`` also had its effect: its id."""

        def standing() -> int:
            told = self.told(service, order_id)
            seen = told.effects if moment == "late" else told.attempts
            return int(next((one["pid"] for one in seen if one["command"] == command), 0))

        return self.lab.until(f"a process is in the middle of {command}", standing)

    def start_again(self) -> None:
        self.process = self.services.start()

    def new_order(self, hint: str = "", **how: Any) -> str:
        """Have an order taken; its id."""
        order_id = f"order-{self.engine}-{hint}{next(self._numbers)}"
        self.ask("OrderService", "createOrder", order(order_id, **how), key=f"{order_id}:created")
        return order_id

    def start(self, saga: Saga, order_id: str, fates: Fates | None = None) -> Started:
        return self.lab.start(saga, order_id, fates=fates, workflow_id=order_id)

    def told(self, service: str, order_id: str) -> Told:
        answer = self.ask(service, "describeOrder", {"orderId": order_id})
        return Told(answer["attempts"], answer["effects"], answer["records"])
