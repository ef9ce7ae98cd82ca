"""What PURISTA services answer and emit on the wire, seen from Python, and what they make of ours."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
import pytest
from examples.purista.node import HERE, Node

from bakeoff.bridge import Event, Request, envelope
from bakeoff.bridge.envelope import Party
from bakeoff.bridge.naming import snake_case
from bakeoff.bridge.nats import NatsBridge
from bakeoff.errors import (
    BridgeAwayError,
    CommandTimeoutError,
    HandledError,
    NotServedError,
    ServerStartError,
    UnhandledError,
)
from bakeoff.processes import Launcher, free_ports, kill_session
from bakeoff.saga import JSON
from bakeoff.servers import NatsServer, RunningServer, restart_server, start_server
from tests.processes.traces import until
from tests.purista.services import Services, address, order

pytestmark = pytest.mark.service

_TRACE = "0af7651916cd43dd8448eb211c80319c"
_SUBJECT = "purista.command.empty.empty.me.tester.1.invoke.empty.empty.{}"


@dataclass
class Counter:
    """Where a test asks the services."""

    run: asyncio.Runner
    server: RunningServer
    services: Services
    bridge: NatsBridge
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def ask(
        self, service: str, command: str, payload: JSON, key: str = "", *, within_s: float = 10, **more: JSON
    ) -> Any:
        parameter = {**({"key": key} if key else {}), **more}
        asked = self.bridge.invoke(address(service, command), payload, parameter, timeout_s=within_s)
        return self.run.run(asked)

    def new_order(self, **how: Any) -> str:
        order_id = f"order-{next(self._numbers)}"
        self.ask("OrderService", "createOrder", order(order_id, **how), f"{order_id}:created")
        return order_id

    def hear(self, name: str, during: Callable[[], object], count: int = 1) -> Sequence[Event]:
        """The events of that name which come while something is done."""
        heard: list[Event] = []

        async def listen(event: Event) -> None:
            heard.append(event)

        async def wait() -> None:
            async with asyncio.timeout(10):
                while len(heard) < count:
                    await asyncio.sleep(0.01)

        listening = self.run.run(self.bridge.on_event(name, listen))
        during()
        self.run.run(wait())
        self.run.run(listening.stop())
        return heard


@pytest.fixture(scope="module")
def counter(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder: Path = tmp_path_factory.mktemp("purista")
    with Launcher(folder / "logs") as launcher, asyncio.Runner() as run:
        server = run.run(start_server(NatsServer(), launcher, folder))
        services = Services(launcher, node, server.address, folder / "purista.db")
        services.start()
        bridge = run.run(NatsBridge.connect(server.address, sender="Tester"))
        counter = Counter(run, server, services, bridge)
        counter.ask("InventoryService", "receiveGoods", {"sku": "mug", "quantity": 1000}, "goods")
        yield counter
        run.run(bridge.close())
        launcher.hurry()


def test_a_payload_that_breaks_its_schema_is_declined(counter: Counter) -> None:
    with pytest.raises(HandledError, match="input validation for payload failed") as refused:
        counter.ask("InventoryService", "reserveInventory", {"order": 7}, "k")

    assert refused.value.status == 400
    assert [one["path"] for one in refused.value.data] == [["orderId"]]  # type: ignore[attr-defined]


def test_an_order_that_was_cancelled_is_known_no_more(counter: Counter) -> None:
    """A command, its event, and its undoing."""
    order_id = counter.new_order()
    with pytest.raises(HandledError, match=f"there is an order '{order_id}' already"):
        counter.ask("OrderService", "createOrder", order(order_id), "another key")
    [cancelled] = counter.hear(
        "orderCancelled",
        lambda: counter.ask("OrderService", "cancelOrder", {"orderId": order_id}, f"{order_id}:cancelled"),
    )
    with pytest.raises(HandledError, match=f"there is no order '{order_id}'"):
        counter.ask("InventoryService", "reserveInventory", {"orderId": order_id}, f"{order_id}:reserve")

    assert cancelled.payload == {"orderId": order_id}


def test_a_command_without_a_key_is_declined(counter: Counter) -> None:
    with pytest.raises(HandledError, match="input validation for parameter failed") as refused:
        counter.ask("InventoryService", "reserveInventory", {"orderId": "o"})

    assert refused.value.status == 400


def test_a_business_rule_says_its_status_and_data(counter: Counter) -> None:
    order_id = counter.new_order(cardLimitMinor=5)
    with pytest.raises(HandledError, match="is declined") as declined:
        counter.ask("PaymentService", "processPayment", {"orderId": order_id}, f"{order_id}:pay")

    assert declined.value.status == 402
    assert declined.value.data == {"orderId": order_id, "amountMinor": 1300, "cardLimitMinor": 5}


def test_the_reason_of_a_failure_stays_inside(counter: Counter) -> None:
    order_id = counter.new_order()
    with pytest.raises(UnhandledError, match=r"^Internal Server Error$") as failed:
        counter.ask("PaymentService", "processPayment", {"orderId": order_id}, "f", behaviour="fault")

    assert failed.value.cause == ""


def test_a_command_that_nobody_has_is_not_served(counter: Counter) -> None:
    with pytest.raises(NotServedError):
        counter.ask("InventoryService", "burnInventory", {"orderId": "o"}, "k")


def test_a_repeated_command_answers_the_same_and_emits_again(counter: Counter) -> None:
    order_id = counter.new_order()
    answers: list[JSON] = []

    def twice() -> None:
        for _ in range(2):
            answer = counter.ask("InventoryService", "reserveInventory", {"orderId": order_id}, order_id)
            answers.append(answer)

    events = counter.hear("inventoryReserved", twice, 2)

    assert answers == [{"orderId": order_id, "units": 2}] * 2
    assert [event.payload for event in events] == answers
    assert {event.sender for event in events} == {"InventoryService"}


def test_an_undo_that_comes_first_keeps_its_action_away(counter: Counter) -> None:
    order_id = counter.new_order()
    asked = {"orderId": order_id}
    undo = counter.ask("InventoryService", "releaseInventory", asked, f"{order_id}:reserve:compensation")
    with pytest.raises(HandledError, match="compensated before it ran") as late:
        counter.ask("InventoryService", "reserveInventory", asked, f"{order_id}:reserve:action")

    assert undo is None
    assert (late.value.status, late.value.data["type"]) == (409, "TombstoneError")  # type: ignore[index]


def test_a_timed_out_command_runs_all_the_same(counter: Counter) -> None:
    order_id = counter.new_order()
    with pytest.raises(CommandTimeoutError):
        counter.ask(
            *("EmailService", "sendConfirmation", {"orderId": order_id}, order_id),
            within_s=0.1,
            behaviour="slow:0.5",
        )

    def sent() -> bool:
        answer = counter.ask("EmailService", "describeOrder", {"orderId": order_id})
        return bool(answer["effects"])

    until(sent, "the confirmation is sent all the same")


def test_purista_hears_an_event_from_python_and_emits_one_of_its_own(counter: Counter) -> None:
    order_id = counter.new_order()
    emit = counter.bridge.emit
    (event,) = counter.hear(
        "customerInformed", lambda: counter.run.run(emit("deliveryConfirmed", {"orderId": order_id}))
    )

    assert event.payload == {"orderId": order_id, "messageId": f"arrival-{order_id}-1"}
    assert event.sender == "EmailService"


def test_the_trace_goes_through(counter: Counter) -> None:
    order_id = counter.new_order()
    asked = counter.bridge.invoke(
        address("InventoryService", "reserveInventory"),
        {"orderId": order_id},
        {"key": order_id},
        timeout_s=10,
        trace={"traceparent": f"00-{_TRACE}-b7ad6b7169203331-01"},
    )
    (event,) = counter.hear("inventoryReserved", lambda: counter.run.run(asked))

    assert event.trace["traceparent"].split("-")[1] == _TRACE


def test_sigterm_ends_a_process_after_its_last_answer(counter: Counter) -> None:
    """Of an instance beside the other one: what it took it answers, what comes then the other one takes."""
    child = counter.services.start("ShippingService")
    orders = [counter.new_order() for _ in range(24)]  # which instance takes one is drawn

    async def pids() -> set[int]:
        found: set[int] = set()
        for order_id in orders:
            seen: Any = await counter.bridge.invoke(
                address("ShippingService", "describeOrder"), {"orderId": order_id}, {}, timeout_s=10
            )
            found |= {one["pid"] for one in seen["attempts"]}
        return found

    async def ask_all() -> Sequence[JSON]:
        asked = [
            asyncio.create_task(
                counter.bridge.invoke(
                    address("ShippingService", "createShipment"),
                    {"orderId": order_id},
                    {"key": order_id, "behaviour": "slow:2"},
                    timeout_s=20,
                )
            )
            for order_id in orders
        ]
        async with asyncio.timeout(15):
            while child.pid not in await pids():
                await asyncio.sleep(0.05)
        os.kill(child.pid, signal.SIGTERM)
        return await asyncio.gather(*asked)

    answers = counter.run.run(ask_all())
    seen = [counter.ask("ShippingService", "describeOrder", {"orderId": one})["attempts"] for one in orders]

    assert [one["orderId"] for one in answers] == orders
    assert child.pid in [one["pid"] for attempts in seen for one in attempts]
    assert {len(attempts) for attempts in seen} == {1}
    assert child.popen.wait(10) == 0


def test_a_server_that_comes_back_finds_the_services_again(counter: Counter) -> None:
    order_id = counter.new_order()
    child = counter.server.child
    assert child is not None
    kill_session(child.pid)
    counter.run.run(restart_server(counter.server, counter.services.launcher))

    def answered() -> bool:
        try:
            asked = {"orderId": order_id}
            return bool(counter.ask("OrderService", "describeOrder", asked, within_s=1))
        except (BridgeAwayError, CommandTimeoutError, NotServedError):
            return False

    until(answered, "the services are back", 20)
    events = counter.hear(
        "inventoryReserved",
        lambda: counter.ask("InventoryService", "reserveInventory", {"orderId": order_id}, order_id),
    )
    assert [event.payload for event in events] == [{"orderId": order_id, "units": 2}]


def test_services_without_a_server_say_so(counter: Counter, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Launcher(tmp_path) as launcher:
        alone = Services(
            launcher, counter.services.node, f"nats://ann:secret@127.0.0.1:{port}", tmp_path / "l.db"
        )
        with pytest.raises(ServerStartError, match=rf"no NATS answers at 127\.0\.0\.1:{port}") as failed:
            alone.start()

    assert "secret" not in str(failed.value)


def test_both_adapters_make_the_same_subjects(node: Node) -> None:
    names = (
        "InventoryService",
        "reserveInventory",
        "HTTPServer2",
        "a-b",
        "aB",
        "a_b",
        "6d11fc039a",
        "1",
        "...",
    )
    script = (
        f"import {{ snakeCase }} from {json.dumps((HERE / 'src/bridge/subjects.js').as_uri())};"
        f"console.log(JSON.stringify({json.dumps(names)}.map(snakeCase)))"
    )
    done = subprocess.run(
        [node.binary, "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == [snake_case(name) for name in names]


@pytest.mark.parametrize("served_by", ["purista", "python"])
def test_an_answer_echoes_who_asked_and_for_whom(counter: Counter, served_by: str) -> None:
    """The same, whoever serves the command: an answer is addressed and attributed as PURISTA does it."""
    service = "InventoryService" if served_by == "purista" else "PythonService"
    asked = {
        **envelope.command(
            Party(service="Tester", instance="me"),
            address(service, "describeOrder"),
            {"orderId": "o"},
            {},
            {},
        ),
        "principalId": "ada",
        "tenantId": "acme",
    }

    async def describe(request: Request) -> JSON:
        return {}

    async def request() -> dict[str, Any]:
        serving = await counter.bridge.serve(address("PythonService", "describeOrder"), describe)
        client = await nats.connect(counter.services.server)
        try:
            places = "inventory_service" if served_by == "purista" else "python_service"
            subject = _SUBJECT.format(f"{places}.1.describe_order")
            answer = await client.request(subject, envelope.written(asked), timeout=10)
            return envelope.read(answer.data)
        finally:
            await client.close()
            await serving.stop()

    answer = counter.run.run(request())

    same = ("id", "correlationId", "traceId", "principalId", "tenantId")
    assert {name: answer.get(name) for name in same} == {name: asked[name] for name in same}
    assert answer["receiver"] == asked["sender"]
    assert answer["sender"]["serviceName"] == service
    assert answer["contentType"] == "application/json"
