"""How a saboteur is put around the in-process engine: an execution, a client or a database that cheats."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from bakeoff.deployment import Deployment
from bakeoff.engine import Capability, Claim, EngineClient, EngineInfo
from bakeoff.saga import RetryPolicy, Saga, Step
from bakeoff.settings import SettingsInForce
from bakeoff.world import Participant, World
from bakeoff_inline.client import InlineClient
from bakeoff_inline.engine import InlineEngine
from bakeoff_inline.execution import Execution


class CheatingParticipant(Participant):
    """Passes every attempt on; overridden where a saboteur cheats between engine and services."""

    __slots__ = ()


class CheatingClient(InlineClient):
    """Overridden where a saboteur cheats its clients."""


class SaboteurEngine(InlineEngine):
    """The in-process engine with a cheating part."""

    def __init__(
        self,
        *,
        execution: type[Execution] = Execution,
        client: type[CheatingClient] = CheatingClient,
        participant: type[Participant] = Participant,
        claims: Mapping[Capability, Claim] | None = None,
        triggers: Sequence[str] = (),
    ) -> None:
        self._client = type(client.__name__, (client,), {"execution_class": execution})
        self._participant = participant
        self._more_claims = claims or {}
        self._triggers = triggers

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """Claim what the saboteur pretends to keep."""
        info = super().info(settings)
        return replace(info, title="saboteur", claims={**info.claims, **self._more_claims})

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return the cheating client; a mutant of the World is made here."""
        mutate_world(deployment.world_url, self._triggers)
        participant = self._participant.of(deployment)
        client: EngineClient = self._client(participant, int(deployment.settings["threads"]))
        return client


def mutate_world(url: str, triggers: Sequence[str]) -> None:
    """Change what the services' database does with its ledger, for whatever engine writes into it."""
    if not triggers:
        return
    world = World.open(url)
    with world.engine.begin() as tx:
        for statement in triggers:
            tx.execute(text(statement))
    world.close()


class Tuned:
    """A saga whose policies and timeouts are not the ones of its definition."""

    def __init__(self, saga: Saga) -> None:
        self._saga = saga

    def __getattr__(self, name: str) -> Any:
        return getattr(self._saga, name)

    def retry_of(self, step: Step, direction: Any = "action") -> RetryPolicy:
        """The definition's policy."""
        return self._saga.retry_of(step, direction)


class Tuning(Execution):
    """An execution that believes in a tuned saga."""

    tuned: type[Tuned] = Tuned

    def __init__(self, participant: Participant, slots: Any, saga: Saga, workflow_id: str, text: str) -> None:
        super().__init__(participant, slots, saga, workflow_id, text)
        self.saga = self.tuned(saga)  # type: ignore[assignment]


async def forever() -> Any:
    """Never return."""
    await asyncio.Event().wait()
