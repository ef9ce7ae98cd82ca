"""Sagas that carry more than a message should."""

from __future__ import annotations

from bakeoff.saga import JSON, Call, Saga, Step

#: Characters; one result fits into Temporal's 2 MiB, three do not.
LARGE = 900_000


def produce(call: Call) -> JSON:
    return "x" * LARGE


def forget(call: Call) -> JSON:
    return len(call.own_result or "")


GROWING = Saga(
    "growing",
    tuple(Step(name=f"produce_{n}", action=produce, compensation=forget) for n in range(1, 5)),
)
