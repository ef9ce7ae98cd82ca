"""A saga of one's own for ``bakeoff.yml``: ``bakeoff load --saga checkout:CHECKOUT`` beside this file."""

# ruff: noqa: D103 - the names say it
from bakeoff import Call, Saga, Step


def hold_items(call: Call) -> dict[str, str]:
    return {"held": f"items-{call.input}"}


def release_items(call: Call) -> None: ...


def take_payment(call: Call) -> dict[str, str]:
    return {"payment": f"payment-{call.input}"}


def give_back_payment(call: Call) -> None: ...


def send_receipt(call: Call) -> None: ...


CHECKOUT = Saga(
    "checkout",
    (
        Step(name="hold_items", action=hold_items, compensation=release_items),
        Step(name="take_payment", action=take_payment, compensation=give_back_payment),
        Step(name="send_receipt", action=send_receipt),
    ),
)
