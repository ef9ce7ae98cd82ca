"""The crash points of a saga and their names: ``charge_payment.after_effect``."""

from __future__ import annotations

from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.expectation import expect
from bakeoff.saga import Saga, Wait
from bakeoff.world.points import Aim, Point


def points_of(saga: Saga) -> dict[str, Aim]:
    """``{name: aim}``: every point of every step, then of every compensation, in the order they are reached.

    A compensation goes by the name of its function, as the seed names it (``refund_payment``).
    """
    steps = [step for step in saga.steps() if step.recorded]
    found = {f"{step.name}.{point}": Aim(step.name, "action", point) for step in steps for point in Point}
    for step in reversed(steps):
        if step.compensation is not None:
            found |= {
                f"{step.compensation_name}.{point}": Aim(step.name, "compensation", point) for point in Point
            }
    return found


def check_saga(saga: Saga) -> None:
    """Refuse what an engine would be blamed for: signals that nobody sends, an end that the ledger hides.

    Raises:
        UsageError: For a saga that waits, whose last act the ledger does not show, or whose first step
            has no point before its effect.
    """
    recorded = [step for step in saga.steps() if step.recorded]
    waits = any(isinstance(element, Wait) for element in saga.elements)
    if waits or not recorded or recorded[0].recorded == "once" or not expect(saga, {}).ledger_tells:
        raise UsageError(
            f"--saga {saga.name}: `bakeoff crash` needs a saga of recorded steps without waits, such as order"
        )


def choose_points(saga: Saga, names: list[str]) -> dict[str, Aim]:
    """The points that ``--point`` names (a step's name means all of its points); all if it names none.

    Raises:
        UnknownNameError: If there is no such point, with those that there are.
    """
    known = points_of(saga)
    chosen: dict[str, Aim] = {}
    for name in names:
        matching = {full: aim for full, aim in known.items() if name in (full, full.partition(".")[0])}
        if not matching:
            raise UnknownNameError(
                f"--point {name}: {saga.name} has no such point; it has {', '.join(known)}"
            )
        chosen |= matching
    return chosen or known
