"""The order saga as a Dramatiq user writes it by hand: actors, a pipeline, failure callbacks.

The worker side and the messages of the yardstick ``dramatiq_native``; nothing here imports an engine of
bakeoff. The forward direction is one pipeline with the results so far in the message. A declined step tells
``declined``, a step out of retries tells ``exhausted``; both send the undos as a second pipeline. Either
pipeline ends in ``finish``, which stores the outcome under the saga's id and publishes it.

Source: Dramatiq's guide and cookbook (pipelines, callbacks); ``dramatiq.middleware.retries``
(``throws`` skips ``on_retry_exhausted``, ``on_failure`` fires at every failed attempt).
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage, TimeLimit, TimeLimitExceeded, default_middleware

#: What a worker process must know; the client sets them for the worker that it starts.
BROKER_VARIABLE = "BAKEOFF_NATIVE_BROKER"
RESULTS_VARIABLE = "BAKEOFF_NATIVE_RESULTS"
NAMESPACE_VARIABLE = "BAKEOFF_NATIVE_NAMESPACE"
#: JSON: arguments of the broker beyond what stands here, and ``time_limit_interval``.
OPTIONS_VARIABLE = "BAKEOFF_NATIVE_OPTIONS"
#: Import path of the function that every step calls, as ``(step, saga id, attempt)``.
BODY_VARIABLE = "BAKEOFF_NATIVE_BODY"
DEFAULT_BODY = "bakeoff_bench.native.dramatiq_saga:do_nothing"

#: Step and what undoes it; the last step has no undo.
STEPS: list[tuple[str, str | None]] = [
    ("reserve_inventory", "release_inventory"),
    ("charge_payment", "refund_payment"),
    ("create_shipment", "cancel_shipment"),
    ("send_confirmation", None),
]
#: As the sagas of ``bakeoff.orders`` have them. ``max_retries`` excludes the first try: three attempts.
RETRY: dict[str, Any] = {"max_retries": 2, "min_backoff": 100, "max_backoff": 10_000, "time_limit": 2_000}
RESULT_TTL_MS = 3_600_000

State = dict[str, Any]
Body = Callable[[str, str, int], Any]


class Declined(Exception):
    """A step said no: never retried, and it has nothing of its own to undo."""


def do_nothing(step: str, saga_id: str, attempt: int) -> Any:
    """Be the empty body: a step that only exists. ``attempt`` counts from 1."""
    return None


@cache
def load_body() -> Body:
    """Import the body that the environment names, once per worker process."""
    module, _, attribute = os.environ.get(BODY_VARIABLE, DEFAULT_BODY).partition(":")
    body: Body = getattr(importlib.import_module(module), attribute)
    return body


def make_broker(
    broker_url: str, results_url: str, namespace: str, options: Mapping[str, Any]
) -> dramatiq.Broker:
    """Build broker and actors, the same in the worker and in the client."""
    broker: dramatiq.Broker
    given = dict(options)
    limit = TimeLimit(interval=given.pop("time_limit_interval", 1_000))
    middleware = [limit if kind is TimeLimit else kind() for kind in default_middleware]
    middleware.append(CurrentMessage())
    if broker_url.startswith("amqp"):
        # Kombu's spelling of the virtual host "/" is not pika's.
        url = f"{broker_url[:-2]}/%2F" if broker_url.endswith("//") else broker_url
        broker = RabbitmqBroker(url=url, middleware=middleware, **{"confirm_delivery": True, **given})
    else:
        broker = RedisBroker(url=broker_url, namespace=namespace, middleware=middleware, **given)
    queue = f"{namespace}.saga"
    for step, undo in STEPS:
        _declare(broker, queue, step, _step(step), throws=Declined, on_failure="declined",
                 on_retry_exhausted="exhausted", **RETRY)  # fmt: skip
        if undo:
            _declare(broker, queue, undo, _undo(undo), **{**RETRY, "max_retries": None})
    _declare(broker, queue, "declined", _declined(broker))
    _declare(broker, queue, "exhausted", _exhausted(broker))
    _declare(broker, queue, "finish", _finish(redis.Redis.from_url(results_url), namespace))
    return broker


def setup() -> None:
    """Entry point of the worker: ``python -m dramatiq bakeoff_bench.native.dramatiq_saga:setup``."""
    given = os.environ
    options = json.loads(given[OPTIONS_VARIABLE])
    broker = make_broker(given[BROKER_VARIABLE], given[RESULTS_VARIABLE], given[NAMESPACE_VARIABLE], options)
    dramatiq.set_broker(broker)
    load_body()


def forward(broker: dramatiq.Broker, saga_id: str) -> dramatiq.pipeline:
    """Build the saga's pipeline; ``run()`` starts it."""
    first, *rest = [broker.get_actor(step).message() for step, _ in STEPS]
    state: State = {"id": saga_id, "results": {}, "failed": None, "errors": []}
    return dramatiq.pipeline(
        [first.copy(args=(state,)), *rest, broker.get_actor("finish").message()], broker=broker
    )


def channel(namespace: str) -> str:
    """Where outcomes are published as they come."""
    return f"{namespace}-outcomes"


def _declare(broker: dramatiq.Broker, queue: str, name: str, fn: Callable[..., Any], **options: Any) -> None:
    dramatiq.actor(broker=broker, queue_name=queue, actor_name=name, **options)(fn)


def _attempt() -> int:
    message = CurrentMessage.get_current_message()
    return 1 + (message.options.get("retries", 0) if message else 0)


def _step(name: str) -> Callable[[State], State]:
    def step(state: State) -> State:
        result = load_body()(name, state["id"], _attempt())
        return {**state, "results": {**state["results"], name: result}}

    return step


def _undo(name: str) -> Callable[[State], State]:
    def undo(state: State) -> State:
        attempt = _attempt()
        try:
            load_body()(name, state["id"], attempt)
        except (Exception, TimeLimitExceeded):
            if attempt < 10:
                raise
            return {**state, "errors": [*state["errors"], name]}  # one that gives up must not stop the others
        return state

    return undo


def _finish(results: redis.Redis, namespace: str) -> Callable[[State], None]:
    def finish(state: State) -> None:
        outcome = json.dumps(state)
        with results.pipeline(transaction=True) as pipe:
            pipe.set(f"{namespace}-outcome:{state['id']}", outcome, px=RESULT_TTL_MS)
            pipe.publish(channel(namespace), outcome)
            pipe.execute()

    return finish


def _declined(broker: dramatiq.Broker) -> Callable[..., None]:
    def declined(message: dict[str, Any], error: dict[str, str]) -> None:
        # Sent at every failed attempt; only a decline ends the forward direction here.
        if error["type"] == Declined.__name__:
            _compensate(broker, message, own=message["options"].get("retries", 0) > 0)

    return declined


def _exhausted(broker: dramatiq.Broker) -> Callable[..., None]:
    def exhausted(message: dict[str, Any], retries: dict[str, int]) -> None:
        _compensate(broker, message, own=True)

    return exhausted


def _compensate(broker: dramatiq.Broker, message: dict[str, Any], own: bool) -> None:
    """Send the undos of everything that may have happened, in reverse, as one pipeline."""
    names = [step for step, _ in STEPS]
    done = names.index(message["actor_name"]) + (1 if own else 0)
    undos = [broker.get_actor(undo).message() for _, undo in reversed(STEPS[:done]) if undo]
    state = {**message["args"][0], "failed": message["actor_name"]}
    first, *rest = [*undos, broker.get_actor("finish").message()]
    dramatiq.pipeline([first.copy(args=(state,)), *rest], broker=broker).run()
