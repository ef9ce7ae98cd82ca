"""The sagas that this worker process knows, handed to workflow code.

A workflow has no constructor argument from its worker, so this is the one piece of state of the process.
The sandbox passes this module through: all workflows see the same, immutable definitions.
"""

from __future__ import annotations

from collections.abc import Mapping

from bakeoff.saga import Saga

_sagas: dict[str, Saga] = {}


def publish(sagas: Mapping[str, Saga]) -> None:
    """Make these the sagas of the process; called once, before its worker polls."""
    _sagas.clear()
    _sagas.update(sagas)


def saga_called(name: str) -> Saga:
    """Return the saga.

    Raises:
        KeyError: If this worker does not know it. In a workflow that fails the *task*, not the workflow:
            the saga waits until a worker that knows it takes over.
    """
    return _sagas[name]
