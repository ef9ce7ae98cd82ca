"""What a worker process of any engine uses: sagas by name and one function that runs an attempt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bakeoff.deployment import Deployment
from bakeoff.registry import find_saga, load_sagas
from bakeoff.saga import JSON, Call, Direction, Saga, idempotency_key
from bakeoff.telemetry.processes import tracing_of
from bakeoff.world.perform import perform
from bakeoff.world.points import Aim, reach
from bakeoff.world.services import Services
from bakeoff.world.world import World

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing


@runtime_checkable
class Closes(Protocol):
    """A remote that holds something."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Participant:
    """A process's access to the services: the world's database and the sagas that may ask for it.

    ``tracing``: of its attempts; ``None`` unless the deployment exports spans.
    """

    world: World
    services: Services
    sagas: Mapping[str, Saga]
    tracing: Tracing | None = None

    @classmethod
    def of(cls, deployment: Deployment) -> Participant:
        """Connect to the deployment's world and load its sagas."""
        from bakeoff.bridge.bridges import remote_of

        world = World.open(deployment.world_url)
        tracing = tracing_of(deployment, "bakeoff-worker")
        services = replace(world.services(), remote=remote_of(deployment, tracing))
        return cls(world, services, load_sagas(deployment.sagas), tracing)

    def close(self) -> None:
        """Let go of the database, and of the bridge where there is one; export the last spans."""
        if isinstance(self.services.remote, Closes):
            self.services.remote.close()
        self.world.close()
        if self.tracing is not None:
            self.tracing.close()

    def saga(self, name: str) -> Saga:
        """The saga called ``name``; ``UnknownNameError`` if this worker does not know it."""
        return find_saga(name, dict(self.sagas))

    def perform(
        self,
        saga: str,
        step: str,
        direction: Direction,
        *,
        workflow_id: str,
        input: JSON,
        results: Mapping[str, JSON],
        attempt: int,
        own_result: JSON = None,
    ) -> JSON:
        """Run one attempt of a step's action or compensation; see ``bakeoff.world.perform``.

        Args:
            saga: Name of the saga.
            step: Name of the step (also in the direction ``compensation``).
            direction: ``"action"`` or ``"compensation"``.
            workflow_id: The caller's id, without any prefix.
            input: What the saga was started with.
            results: ``{step: result}`` of earlier steps (action), of nothing in particular (compensation).
            attempt: 1-based, as the engine counts.
            own_result: For a compensation: its action's result, ``None`` where the outcome is unknown.
        """
        call = Call(
            workflow_id=workflow_id,
            step=step,
            direction=direction,
            input=input,
            results=results,
            attempt=attempt,
            key=idempotency_key(workflow_id, step, direction),
            own_result=own_result,
        )
        if self.tracing is None:
            return perform(self.services, self.saga(saga), call)
        with self.tracing.step(saga, call):
            return perform(self.services, self.saga(saga), call)

    def reach(self, workflow_id: str, step: str, direction: Direction, window: str) -> None:
        """Stop in a window of the engine's worker if it is armed for this call (``HasWindows``).

        Called by an adapter outside any transaction; nothing but a comparison unless the world has faults.
        """
        if self.services.faults:
            reach(self.services.engine, workflow_id, Aim(step, direction, window))


_of_process: dict[int, Participant] = {}


def participant_of_this_process() -> Participant:
    """The participant for ``BAKEOFF_DEPLOYMENT``, made once per process (a fork makes its own)."""
    pid = os.getpid()
    if pid not in _of_process:
        _of_process.clear()
        _of_process[pid] = Participant.of(Deployment.of_this_process())
    return _of_process[pid]
