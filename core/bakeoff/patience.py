"""How long an engine may take to answer: a plug-in that hangs must not hang whoever compares it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bakeoff.deployment import Deployment
from bakeoff.engine import EngineClient, OrchestrationEngine, ShowsSagas
from bakeoff.errors import ServerStartError
from bakeoff.outcome import Page

#: Seconds for one call of a client, beyond the patience that the call itself is given.
ANSWER_WITHIN_S = 60.0
#: Seconds for a client to let go of its connections.
CLOSE_WITHIN_S = 30.0
#: Seconds for a look at a web UI, which is only beside what was asked for.
PAGE_WITHIN_S = 5.0


@asynccontextmanager
async def in_time(what: str, within_s: float | None = None) -> AsyncIterator[None]:
    """Await something that an engine does, but not for ever.

    Args:
        what: The call, for the message.
        within_s: Seconds; ``ANSWER_WITHIN_S`` if left out.

    Raises:
        TimeoutError: If it takes longer; for a history that is *unknown*, as it should be.
    """
    within_s = ANSWER_WITHIN_S if within_s is None else within_s
    limit = asyncio.timeout(within_s)
    try:
        async with limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise TimeoutError(f"{what} was not answered within {within_s:g} s") from None
        raise


async def connected(engine: OrchestrationEngine, deployment: Deployment) -> EngineClient:
    """Connect a client.

    Raises:
        ServerStartError: If the engine does not come to an end with it.
    """
    try:
        async with in_time(f"{engine.name}: connect()"):
            client = await engine.connect(deployment)
    except TimeoutError as error:
        raise ServerStartError(str(error) or f"{engine.name}: connect() timed out") from error
    return client if deployment.otlp is None else _traced(client, deployment)


def _traced(client: EngineClient, deployment: Deployment) -> EngineClient:
    from bakeoff.telemetry.client import TracedClient  # brings OpenTelemetry
    from bakeoff.telemetry.processes import tracing_of

    tracing = tracing_of(deployment, "bakeoff-client")
    return client if tracing is None else TracedClient(client, tracing)


async def disconnect(engine: OrchestrationEngine, client: EngineClient) -> None:
    """Close a client; one that does not come to an end is left behind, with a warning."""
    try:
        async with in_time(f"{engine.name}: close()", CLOSE_WITHIN_S):
            await client.close()
    except TimeoutError as error:
        logging.getLogger(__name__).warning("%s", error)


async def page_of(engine: OrchestrationEngine, deployment: Deployment, workflow_id: str) -> Page | None:
    """The page of a saga in the engine's own web UI; ``None`` if the engine has no such thing."""
    if not isinstance(engine, ShowsSagas):
        return None
    try:
        async with in_time(f"{engine.name}: page_of()", PAGE_WITHIN_S):
            return await engine.page_of(deployment, workflow_id)
    except TimeoutError as error:
        return Page(how=str(error))
