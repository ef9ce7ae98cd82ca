"""A process of its own for sagas without an engine, so that it can be killed.

``python -m bakeoff_bench.crash.host`` is what an application would be: it starts sagas, waits for them, and
forgets them when it dies. One JSON line per question on a loopback port, one per answer.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from bakeoff import errors
from bakeoff.deployment import Deployment
from bakeoff.engine import EngineClient, Signals
from bakeoff.patience import connected
from bakeoff.plugins import Plugins
from bakeoff.registry import load_sagas
from bakeoff.world import World

#: Environment variable with the port to listen on.
PORT_VARIABLE = "BAKEOFF_HOST_PORT"
#: A start that is not to be answered is answered after this long, if nobody killed the process.
_SILENCE_S = 60.0


async def serve() -> None:
    """Answer until killed."""
    deployment = Deployment.of_this_process()
    client = await connected(Plugins().engine(deployment.engine), deployment)
    sagas = load_sagas(deployment.sagas)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await _answer(client, sagas, json.loads(line))
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", int(os.environ[PORT_VARIABLE]))
    World.open(deployment.world_url).announce_worker()
    await server.serve_forever()


async def _answer(client: EngineClient, sagas: Any, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        if asked["op"] == "start":
            fresh = await client.start(sagas[asked["saga"]], asked["workflow_id"], asked["input"])
            if asked.get("silent"):
                await asyncio.sleep(_SILENCE_S)
            return {"value": fresh}
        if asked["op"] == "signal":
            assert isinstance(client, Signals)
            names = ("workflow_id", "name", "signal_id", "payload")
            return {"value": await client.signal(*(asked[name] for name in names))}
        outcome = await client.result(asked["workflow_id"], asked["timeout_s"])
        return {"value": outcome.to_json()}
    except errors.BakeoffError as error:
        return {"error": type(error).__name__, "message": str(error)}


if __name__ == "__main__":
    asyncio.run(serve())
