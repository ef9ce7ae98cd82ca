"""The sagas that this worker process knows and the patience that it has, handed to workflow code.

A workflow has no constructor argument from its worker, so this is the one piece of state of the process.
The sandbox passes this module through: all workflows see the same, immutable definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bakeoff.saga import Saga


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the server waits for an activity's worker; no part of what a replay compares.

    Attributes:
        factor: By which every start-to-close timeout is multiplied.
        heartbeat: Without a heartbeat for so long the attempt is given up; ``None``: only at its timeout.
    """

    factor: float = 1.0
    heartbeat: timedelta | None = None

    def heartbeat_within(self, start_to_close: timedelta) -> timedelta | None:
        """The heartbeat timeout of an attempt; none where its own timeout strikes first."""
        return self.heartbeat if self.heartbeat is not None and self.heartbeat < start_to_close else None


_sagas: dict[str, Saga] = {}
_patience = Patience()


def publish(sagas: Mapping[str, Saga], patience: Patience | None = None) -> None:
    """Make these the sagas and the patience of the process; called once, before its worker polls."""
    global _patience
    _sagas.clear()
    _sagas.update(sagas)
    _patience = patience or Patience()


def patience() -> Patience:
    """The patience of the process."""
    return _patience


def saga_called(name: str) -> Saga:
    """Return the saga.

    Raises:
        KeyError: If this worker does not know it. In a workflow that fails the *task*, not the workflow:
            the saga waits until a worker that knows it takes over.
    """
    return _sagas[name]
