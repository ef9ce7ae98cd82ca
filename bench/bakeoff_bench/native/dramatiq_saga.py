"""The order saga as a Dramatiq user writes it by hand: actors, a pipeline, failure callbacks.

The worker side and the messages of the yardstick ``dramatiq_native``; nothing here imports an engine of
bakeoff. The forward direction is one pipeline with the results so far in the message. A declined step tells
``declined``, a step out of retries tells ``exhausted``; both send the undos as a second pipeline. Either
pipeline ends in ``finish``, whose message id is the saga's id, so that one key holds the outcome.

Source: Dramatiq's guide and cookbook (pipelines, callbacks, results); ``dramatiq.middleware.retries``
(``throws`` skips ``on_retry_exhausted``, ``on_failure`` fires at every failed attempt).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage, TimeLimitExceeded
from dramatiq.results import Results
from dramatiq.results.backends.redis import RedisBackend

#: What a worker process must know; the client sets them for the worker that it starts.
BROKER_VARIABLE = "BAKEOFF_NATIVE_BROKER"
RESULTS_VARIABLE = "BAKEOFF_NATIVE_RESULTS"
NAMESPACE_VARIABLE = "BAKEOFF_NATIVE_NAMESPACE"
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
#: ``max_retries`` excludes the first try: three attempts.
RETRY: dict[str, Any] = {"max_retries": 2, "min_backoff": 100, "max_backoff": 10_000, "time_limit": 30_000}
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


def make_broker(broker_url: str, results_url: str, namespace: str) -> dramatiq.Broker:
    """Build broker and actors, the same in the worker and in the client."""
    broker: dramatiq.Broker
    if broker_url.startswith("amqp"):
        # Kombu's spelling of the virtual host "/" is not pika's.
        url = f"{broker_url[:-2]}/%2F" if broker_url.endswith("//") else broker_url
        broker = RabbitmqBroker(url=url, confirm_delivery=True)
    else:
        broker = RedisBroker(url=broker_url, namespace=namespace)
    broker.add_middleware(CurrentMessage())
    broker.add_middleware(Results(backend=RedisBackend(url=results_url, namespace=f"{namespace}-results")))
    queue = f"{namespace}.saga"
    for step, undo in STEPS:
        _declare(broker, queue, step, _step(step), throws=Declined, on_failure="declined",
                 on_retry_exhausted="exhausted", **RETRY)  # fmt: skip
        if undo:
            _declare(broker, queue, undo, _undo(undo), **{**RETRY, "max_retries": None})
    _declare(broker, queue, "declined", _declined(broker))
    _declare(broker, queue, "exhausted", _exhausted(broker))
    _declare(broker, queue, "finish", lambda state: state, store_results=True, result_ttl=RESULT_TTL_MS)
    return broker


def setup() -> None:
    """Entry point of the worker: ``python -m dramatiq bakeoff_bench.native.dramatiq_saga:setup``."""
    variables = (BROKER_VARIABLE, RESULTS_VARIABLE, NAMESPACE_VARIABLE)
    dramatiq.set_broker(make_broker(*(os.environ[name] for name in variables)))
    load_body()


def forward(broker: dramatiq.Broker, saga_id: str) -> dramatiq.pipeline:
    """Build the saga's pipeline; ``run()`` starts it."""
    first, *rest = [broker.get_actor(step).message() for step, _ in STEPS]
    state: State = {"id": saga_id, "results": {}, "failed": None, "errors": []}
    return dramatiq.pipeline(
        [first.copy(args=(state,)), *rest, outcome_message(broker, saga_id)], broker=broker
    )


def outcome_message(broker: dramatiq.Broker, saga_id: str) -> dramatiq.Message[Any]:
    """Build the last message of either pipeline; its result is the saga's outcome."""
    return broker.get_actor("finish").message().copy(message_id=saga_id)


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
    first, *rest = [*undos, outcome_message(broker, state["id"])]
    dramatiq.pipeline([first.copy(args=(state,)), *rest], broker=broker).run()
