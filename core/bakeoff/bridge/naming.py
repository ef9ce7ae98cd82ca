"""Names of services and commands, and the subjects that PURISTA's NATS bridge makes of them.

Source of the rules: the wire format of ``@purista/core`` and its NATS bridge, as measured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

#: What stands in a subject for an address that a message does not have.
_EMPTY = "empty"
_WORDS = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z]+[0-9]*|\b)|[A-Z]?[a-z]+[0-9]*|[A-Z]|[0-9]+")


def snake_case(name: str) -> str:
    """``InventoryService`` -> ``inventory_service``; lossy: ``aB``, ``a-b`` and ``a_b`` collide."""
    return "_".join(_WORDS.findall(name)).lower() or name


def camel_case(name: str) -> str:
    """``reserve_inventory`` -> ``reserveInventory``."""
    first, *rest = [word for word in name.split("_") if word] or [name]
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The twelve places behind the prefix; ``"*"`` in a place listens to whatever stands there."""

    message_type: str
    principal: str = ""
    tenant: str = ""
    sender_instance: str = ""
    sender_service: str = ""
    sender_version: str = ""
    sender_target: str = ""
    event: str = ""
    receiver_instance: str = ""
    receiver_service: str = ""
    receiver_version: str = ""
    receiver_target: str = ""

    def under(self, prefix: str) -> str:
        """As NATS knows it."""
        places = (str(getattr(self, field.name)) for field in fields(self))
        return ".".join((prefix, *(_place(place) for place in places)))


def _place(text: str) -> str:
    if text == "*":
        return text
    # Versions are numbers, and a dot would be a place of its own.
    return snake_case(text).replace(".", "_") if text else _EMPTY


def served(prefix: str, service: str, version: str, command: str) -> str:
    """The subject on which a command is served, whoever sends it."""
    anybody = dict.fromkeys(
        (
            *("principal", "tenant", "sender_instance", "sender_service", "sender_version"),
            *("sender_target", "event", "receiver_instance"),
        ),
        "*",
    )
    return Subject(
        message_type="command",
        receiver_service=service,
        receiver_version=version,
        receiver_target=command,
        **anybody,
    ).under(prefix)


def heard(prefix: str, message_type: str, event: str) -> str:
    """The subject on which an event of this type of message is heard, whoever emits it."""
    anybody = {field.name: "*" for field in fields(Subject) if field.name not in ("message_type", "event")}
    return Subject(message_type=message_type, event=event, **anybody).under(prefix)


def queue_group(service: str, version: str, command: str) -> str:
    """Instances that share the work of a command."""
    return f"PURISTA_QUEUE_{snake_case(service)}_{version}_{snake_case(command)}".upper()
