"""The client process of an adapter's side, driven like that of a native (``native.drive.serve``).

Run as ``python -m bakeoff_bench.overhead.client`` with ``BAKEOFF_DEPLOYMENT`` set. Calls: ``run`` starts a
saga and waits for its outcome, ``start`` only starts it. A saga whose id begins with ``order-`` is that of
the order with this id; any other one does ``noop``.
"""

from __future__ import annotations

import asyncio

from bakeoff.deployment import Deployment
from bakeoff.outcome import Status
from bakeoff.patience import connected, disconnect
from bakeoff.plugins import Plugins
from bakeoff.registry import load_sagas
from bakeoff_bench.native import drive

#: Seconds that one saga may take.
_PATIENCE_S = 120.0


async def main() -> None:
    """Serve standard input until it ends."""
    deployment = Deployment.of_this_process()
    engine = Plugins().engine(deployment.engine)
    client = await connected(engine, deployment)
    sagas = load_sagas(deployment.sagas)
    order, noop = sagas["order"], sagas["noop"]

    async def start(saga_id: str) -> None:
        if saga_id.startswith("order-"):
            await client.start(order, saga_id, saga_id)
        else:
            await client.start(noop, saga_id, None)

    async def run(saga_id: str) -> None:
        await start(saga_id)
        outcome = await client.result(saga_id, _PATIENCE_S)
        if outcome.status is not Status.COMPLETED:
            raise RuntimeError(f"{saga_id}: {outcome.status} ({outcome.cause})")

    try:
        await drive.serve({"run": run, "start": start})
    finally:
        await disconnect(engine, client)


if __name__ == "__main__":
    asyncio.run(main())
