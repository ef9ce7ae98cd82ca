"""A client of a running deployment, and what it says when its engine lacks a power."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import psutil
import typer

from bakeoff.cli.numbers import finite_seconds
from bakeoff.cli.state import read_state
from bakeoff.deployment import Deployment
from bakeoff.engine import Capability, Claim, EngineClient, EngineInfo, Means, OrchestrationEngine, Support
from bakeoff.errors import NotSupportedError, ResultTimeoutError, UsageError
from bakeoff.outcome import Outcome
from bakeoff.patience import connected, disconnect
from bakeoff.plugins import Plugins
from bakeoff.processes import run_interruptibly
from bakeoff.world import World

T = TypeVar("T")

OneEngineOption = Annotated[
    str | None, typer.Option("--engine", "-e", metavar="NAME", help="Engine; implied if only one is up.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WorkflowId = Annotated[str, typer.Argument(metavar="ID", help="Workflow id, e.g. order-123.")]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0,
        callback=finite_seconds,
        metavar="SECONDS",
        help="How long to wait for the outcome; 0 asks once.",
    ),
]


@dataclass(frozen=True, slots=True)
class Connected:
    """A running deployment with a client of it."""

    engine: OrchestrationEngine
    deployment: Deployment
    client: EngineClient
    pages: dict[str, str]

    def able(self, capability: Capability, protocol: type[T]) -> T:
        """The client, as one that has this power.

        Raises:
            NotSupportedError: If the engine declares it absent, with its reason.
        """
        claim = self.engine.info(self.deployment.settings).claims[capability]
        if claim.support is Support.ABSENT or not isinstance(self.client, protocol):
            raise NotSupportedError(f"{self.engine.name} does not support {capability}: {claim.reason}")
        return self.client

    def able_to(self, means: Means, protocol: type[T]) -> T:
        """The same for an operator's means."""
        claim = claim_of(self.engine.info(self.deployment.settings), means)
        if claim.support is Support.ABSENT or not isinstance(self.client, protocol):
            raise NotSupportedError(f"{self.engine.name} has no {means.replace('_', ' ')}: {claim.reason}")
        return self.client

    def world(self) -> World:
        """The services' database of this deployment; the caller closes it."""
        return World.open(self.deployment.world_url)


def claim_of(info: EngineInfo, means: Means) -> Claim:
    """What an engine declares about an operator's means."""
    return info.means.get(means, Claim(Support.ABSENT, "its plug-in does not offer it"))


def why_no_worker(world: World) -> str | None:
    """Say so if no worker can be running; of those on other machines we only know that they came up once."""
    seen = world.workers()
    here = socket.gethostname()
    if any(one.host != here or psutil.pid_exists(one.pid) for one in seen):
        return None
    return "no worker runs any more" if seen else "no worker has come up yet"


#: No server answers within 0 seconds: so long does one question take that the user asks only once.
_ONE_QUESTION_S = 2.0


async def outcome_of(client: EngineClient, workflow_id: str, timeout_s: float) -> Outcome:
    """The outcome, asked for at least once.

    Raises:
        ResultTimeoutError: If the saga has not settled after ``timeout_s`` seconds, or at that one question.
    """
    try:
        return await client.result(workflow_id, max(timeout_s, _ONE_QUESTION_S))
    except ResultTimeoutError as error:
        if timeout_s >= _ONE_QUESTION_S:
            raise
        raise type(error)(f"{workflow_id} has not settled yet") from error


def with_client(state: Path, engine: str | None, act: Callable[[Connected], Awaitable[T]]) -> T:
    """Connect to what is up in the state folder, act, and disconnect.

    Raises:
        UsageError: If nothing is up, or the engine is not.
    """
    if engine is not None and engine not in (known := Plugins().engine_names()):
        raise UsageError(f"engine {engine!r} is not installed; installed: {', '.join(known)}")
    running = read_state(state)
    deployment = running.deployment(engine)
    plugin = Plugins().engine(deployment.engine)

    async def with_it() -> T:
        client = await connected(plugin, deployment)
        try:
            return await act(Connected(plugin, deployment, client, dict(running.pages.get(plugin.name, {}))))
        finally:
            await disconnect(plugin, client)

    return run_interruptibly(with_it())
