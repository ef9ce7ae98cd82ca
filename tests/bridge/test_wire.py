"""What our NATS bridge puts on the wire, as PURISTA expects it there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import nats

from bakeoff.bridge import Address, Request, envelope
from bakeoff.bridge.envelope import Party
from bakeoff.bridge.nats import NatsBridge
from bakeoff.saga import JSON
from tests.bridge.conftest import nats_server

RESERVE = Address(service="InventoryService", command="reserveInventory")


def test_an_answer_and_its_event_say_for_whom_it_was_asked(tmp_path: Path) -> None:
    """Whoever subscribes to the events of a tenant hears this one."""

    async def test() -> None:
        async with nats_server(tmp_path) as (server, _):
            bridge = await NatsBridge.connect(server.address, sender="Tester")
            client = await nats.connect(server.address)
            try:
                heard = await client.subscribe(
                    "purista.command_success_response.ada.acme_1.*.*.*.*.inventory_reserved.*.*.*.*"
                )

                async def reserve(request: Request) -> JSON:
                    return {"orderId": "o"}

                await bridge.serve(RESERVE, reserve, event="inventoryReserved")
                asked = envelope.command(Party(service="Tester"), RESERVE, {"orderId": "o"}, {}, {})
                answer = await client.request(
                    "purista.command.ada.acme_1.empty.tester.1.invoke.empty.empty"
                    ".inventory_service.1.reserve_inventory",
                    envelope.written({**asked, "principalId": "ada", "tenantId": "acme-1"}),
                    timeout=5,
                )
                event = await heard.next_msg(5)
            finally:
                await client.close()
                await bridge.close()
        said = envelope.read(answer.data)
        assert (said["principalId"], said["tenantId"]) == ("ada", "acme-1")
        assert envelope.read(event.data) == said

    asyncio.run(test())
