"""Names and envelopes, byte for byte as PURISTA writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bakeoff.bridge import Address, envelope
from bakeoff.bridge.envelope import Party
from bakeoff.bridge.naming import Subject, camel_case, heard, queue_group, served, snake_case
from bakeoff.errors import HandledError, MalformedMessageError

ASKED: dict[str, Any] = {
    "id": "1",
    "correlationId": "2",
    "traceId": "3",
    "messageType": "command",
    "sender": {"serviceName": "Caller", "serviceVersion": "1", "serviceTarget": "invoke"},
    "receiver": {
        "serviceName": "InventoryService",
        "serviceVersion": "1",
        "serviceTarget": "reserveInventory",
    },
    "payload": {"payload": {}, "parameter": {}},
}


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("InventoryService", "inventory_service"),
        ("reserveInventory", "reserve_inventory"),
        ("onOrderConfirmed", "on_order_confirmed"),
        ("6d11fc039abc4a8b", "6_d11_fc039_abc4_a8_b"),
        ("HTTPServer2", "http_server2"),
        ("commandSuccessResponse", "command_success_response"),
        ("1", "1"),
        ("__empty__", "empty"),
        ("...", "..."),
    ],
)
def test_names_are_cut_as_purista_cuts_them(name: str, snake: str) -> None:
    assert snake_case(name) == snake


def test_functions_become_commands() -> None:
    assert camel_case("reserve_inventory") == "reserveInventory"
    assert camel_case("do_book_flight") == "doBookFlight"


def test_a_subject_has_a_prefix_and_twelve_places() -> None:
    command = Subject(
        message_type="command",
        sender_instance="i",
        sender_service="BakeoffOrchestrator",
        sender_version="1",
        sender_target="invoke",
        receiver_service="InventoryService",
        receiver_version="1",
        receiver_target="reserveInventory",
    ).under("purista")

    assert command == (
        "purista.command.empty.empty.i.bakeoff_orchestrator.1.invoke.empty.empty.inventory_service.1."
        "reserve_inventory"
    )
    assert served("purista", "InventoryService", "1", "reserveInventory") == (
        "purista.command.*.*.*.*.*.*.*.*.inventory_service.1.reserve_inventory"
    )
    assert heard("purista", "customMessage", "deliveryConfirmed") == (
        "purista.custom_message.*.*.*.*.*.*.delivery_confirmed.*.*.*.*"
    )
    assert queue_group("InventoryService", "1", "reserveInventory") == (
        "PURISTA_QUEUE_INVENTORY_SERVICE_1_RESERVE_INVENTORY"
    )


def test_a_command_names_both_sides() -> None:
    message = envelope.command(
        Party(service="Caller", instance="i"),
        Address(service="InventoryService", command="reserveInventory"),
        None,
        {"key": "k"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    )

    assert message["receiver"] == ASKED["receiver"]
    assert message["payload"] == {"payload": {}, "parameter": {"key": "k"}}, "null is refused for an object"
    assert message["traceId"] == "0af7651916cd43dd8448eb211c80319c"
    assert json.loads(message["otp"])["traceparent"].startswith("00-")
    assert envelope.trace_of(message)["traceparent"].endswith("-01")


def test_an_answer_repeats_ids_and_swaps_the_sides() -> None:
    answer = envelope.success(ASKED, "mine", {"n": 1}, "inventoryReserved", {})

    assert (answer["id"], answer["correlationId"], answer["traceId"]) == ("1", "2", "3")
    assert (answer["messageType"], answer["eventName"]) == ("commandSuccessResponse", "inventoryReserved")
    assert answer["receiver"] == ASKED["sender"]
    assert answer["sender"] == {**ASKED["receiver"], "instanceId": "mine"}
    assert "eventName" not in envelope.success(ASKED, "mine", None, "", {})


def test_a_decline_says_why_and_a_failure_does_not() -> None:
    declined = envelope.error(ASKED, "mine", HandledError("out of stock", 409, {"sku": "A"}), {})
    failed = envelope.error(ASKED, "mine", KeyError("shelf"), {})

    assert declined["isHandledError"] is True
    assert declined["payload"] == {
        "status": 409,
        "message": "out of stock",
        "traceId": "3",
        "data": {"sku": "A"},
    }
    assert failed["isHandledError"] is False
    assert failed["payload"]["status"] == 500
    assert failed["payload"]["message"] == "Internal Server Error"
    assert failed["payload"]["data"] == {"type": "KeyError", "message": "'shelf'"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"[]", "an envelope is an object"),
        (b"{}", "no messageType of ours: None"),
        (b'{"messageType": ["command"]}', "no messageType of ours: list"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"messageType": "customMessage", "payload": NaN}', "not JSON: NaN"),
        (b'{"messageType": "command"}', "a command's payload"),
        (b'{"messageType": "command", "payload": 1}', "a command's payload"),
    ],
)
def test_what_is_no_message_is_told(data: bytes, why: str) -> None:
    with pytest.raises(MalformedMessageError, match=why):
        envelope.read(data)


def test_a_lenient_reader_asks_for_no_more_than_it_needs() -> None:
    message = envelope.read(b'{"messageType": "command", "payload": {}, "otp": "nonsense", "sender": 7}')

    assert envelope.trace_of(message) == {}
    assert envelope.trace_of({"otp": "[" * 100_000}) == {}
    assert Party.of(message["sender"]).service == ""
