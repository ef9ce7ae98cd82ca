"""An in-process engine with its host in a process of its own, supervised and killable like a worker."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bakeoff import errors
from bakeoff.deployment import DEPLOYMENT_VARIABLE
from bakeoff.errors import BakeoffError, StartUnknownError
from bakeoff.outcome import Outcome
from bakeoff.processes import Launch, Workers, free_ports
from bakeoff.registry import load_sagas
from bakeoff.saga import JSON, Saga
from bakeoff.stack import Stack, StackPlan, running_backend
from bakeoff_bench.crash.host import PORT_VARIABLE

_AWAY_S = 0.1


class HostedClient:
    """Asks the host; a host that died is asked again when its supervisor has started the next one."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def start(self, saga: Saga, workflow_id: str, input: JSON, *, silent: bool = False) -> bool:
        """See ``bakeoff.engine.EngineClient``; ``silent``: the host dies before it answers."""
        asked = {"op": "start", "saga": saga.name, "workflow_id": workflow_id, "input": input}
        asked |= {"silent": True} if silent else {}
        try:
            return bool(await self._ask(asked))
        except (OSError, EOFError) as error:
            raise StartUnknownError(f"{workflow_id}: the host died: {error}") from error

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """See ``bakeoff.engine.EngineClient``."""
        async with asyncio.timeout(timeout_s + 5):
            while True:
                try:
                    asked = {"op": "result", "workflow_id": workflow_id, "timeout_s": timeout_s}
                    return Outcome.from_json(await self._ask(asked))
                except (OSError, EOFError):
                    await asyncio.sleep(_AWAY_S)

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """See ``bakeoff.engine.Signals``."""
        asked = {"op": "signal", "workflow_id": workflow_id, "name": name, "signal_id": signal_id}
        return bool(await self._ask({**asked, "payload": payload}))

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _ask(self, asked: dict[str, Any]) -> Any:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(json.dumps(asked).encode() + b"\n")
            line = await reader.readline()
        finally:
            writer.close()
        if not line:
            raise EOFError("no answer")
        answer = json.loads(line)
        if "error" in answer:
            kind: type[BakeoffError] = getattr(errors, answer["error"])
            raise kind(answer["message"])
        return answer["value"]


@asynccontextmanager
async def hosted_stack(plan: StackPlan) -> AsyncIterator[Stack]:
    """Bring an in-process engine up with its host as the one killable worker; like ``running_stack``."""
    async with running_backend(plan) as backend:
        (port,) = free_ports(1)
        env = {DEPLOYMENT_VARIABLE: str(backend.deployment_file), PORT_VARIABLE: str(port)}
        launch = Launch(argv=[sys.executable, "-m", "bakeoff_bench.crash.host"], env=env, stop_within_s=0)
        here = socket.gethostname()
        world = backend.world
        workers = Workers(
            backend.launcher, "host", launch, lambda: [one.pid for one in world.workers() if one.host == here]
        )
        try:
            await workers.start(1)
            yield Stack(
                engine=backend.engine,
                info=backend.info,
                deployment=backend.deployment,
                deployment_file=backend.deployment_file,
                servers=backend.servers,
                world=world,
                launcher=backend.launcher,
                services=backend.services,
                workers=workers,
                client=HostedClient(port),
                sagas=load_sagas(plan.sagas),
            )
        finally:
            await workers.stop()
