"""The slots of one worker, shared among processes: more processes must not mean more concurrency.

``--workers`` x ``--slots`` say how many steps run at once. A setting that adds processes inside a worker (the
engine's own children, or ``worker_processes``, of which the harness starts several) divides the slots; else
an engine that has such a setting would be compared with twice the concurrency of one that has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bakeoff.errors import UsageError
from bakeoff.settings import Setting, SettingsInForce

#: Setting of an engine whose worker is one process (or one parent with its pool): the harness starts several.
WORKER_PROCESSES: Final = "worker_processes"


def worker_processes(what: str) -> Setting:
    """Return the setting ``worker_processes`` for an engine to declare; ``what`` is one of them."""
    return Setting(
        name=WORKER_PROCESSES,
        help=f"processes ({what}) among which the slots of one worker are shared",
        default=1,
        recommended=1,
        ci=1,
        tries=(1, 2, 4),
        shares_slots=True,
        tuning=True,
    )


def processes_of_worker(settings: SettingsInForce) -> int:
    """How many processes the harness starts for one worker; 1 where the engine declares no such setting."""
    return int(settings.values.get(WORKER_PROCESSES) or 1)


def slots_of_process(engine: str, settings: SettingsInForce, slots: int) -> int:
    """Slots of each process that the harness starts, of a worker with ``slots``.

    Raises:
        UsageError: If they cannot be shared.
    """
    return _share(engine, WORKER_PROCESSES, processes_of_worker(settings), slots)


def check_slots(engine: str, declared: Sequence[Setting], settings: SettingsInForce, slots: int) -> None:
    """Find out before anything is started whether the slots of a worker can be shared as the settings want.

    Args:
        engine: Name for the message.
        declared: What the engine knows.
        settings: In force.
        slots: Of one worker.

    Raises:
        UsageError: If the value of a setting with ``shares_slots`` does not divide the slots.
    """
    for setting in declared:
        if setting.shares_slots and settings.applies(setting.name):
            slots = _share(engine, setting.name, int(settings[setting.name]), slots)


def least_slots(engine: str, declared: Sequence[Setting], settings: SettingsInForce, needed: int) -> int:
    """The fewest slots of a worker, at least so many, that its processes can share."""
    slots = needed
    while True:
        try:
            check_slots(engine, declared, settings, slots)
        except UsageError:
            slots += 1
        else:
            return slots


def _share(engine: str, name: str, processes: int, slots: int) -> int:
    if slots % processes:
        fitting = ", ".join(str(number) for number in range(1, slots + 1) if slots % number == 0)
        raise UsageError(
            f"{engine}.{name}={processes} does not divide the {slots} slots of a worker: give --slots a "
            f"multiple of {processes}, or --set {engine}.{name} one of {fitting}"
        )
    return slots // processes
