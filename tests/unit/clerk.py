"""A world with a few orders, and a way to run single attempts against it."""

from __future__ import annotations

from pathlib import Path

from bakeoff.orders.model import Line, Order
from bakeoff.registry import load_sagas
from bakeoff.saga import JSON, Direction
from bakeoff.world import Participant, Profile, World


class Clerk:
    """Runs attempts of the order sagas, one by one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.participant = Participant(world, world.services(), load_sagas(["bakeoff.orders"]))
        self.attempts: dict[tuple[str, str, str], int] = {}

    def attempt(
        self, order: str, step: str, direction: Direction = "action", saga: str = "order", own: JSON = None
    ) -> JSON:
        number = self.attempts[order, step, direction] = self.attempts.get((order, step, direction), 0) + 1
        return self.participant.perform(
            saga,
            step,
            direction,
            workflow_id=f"order-{order}",
            input=order,
            results={},
            attempt=number,
            own_result=own,
        )

    def kinds(self, order: str) -> list[str]:
        return [
            f"{record.kind} {record.step}:{record.direction}"
            for record in self.world.ledger(workflow_id=f"order-{order}")
        ]


def make_world(
    folder: Path, *, naive: bool = False, profile: Profile | None = None, faults: bool = False
) -> World:
    world = World.create(
        f"sqlite:///{folder / 'world.db'}",
        participants="naive" if naive else "idempotent",
        profile=profile,
        faults=faults,
    )
    world.add_orders(
        Order(order_id=str(number), lines=(Line("pen", number, 150), Line("cup", 1, 899)))
        for number in (1, 2, 3)
    )
    world.set_stock({"pen": 4, "cup": 10})
    return world
