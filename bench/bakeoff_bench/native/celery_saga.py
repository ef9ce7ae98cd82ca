"""The order saga as a Celery user writes it by hand: a chain, a bound errback, a chain of undos.

The worker side and the messages of the yardstick ``celery_native``; nothing here imports an engine of
bakeoff. The forward direction is one ``chain`` with the results so far in the message. Every step carries
the errback ``compensate``: bound, so that Celery sends it as a task of its own instead of calling it in the
process that failed. It replaces itself by the undos in reverse. The last step's task id is the saga's id, the
last undo's is ``<saga id>:undone``: one of the two keys holds the outcome.

Source: Celery user guide (Canvas, "bound errbacks"; Tasks, "Retrying"); ``celery.backends.base``
(``_call_task_errbacks`` decides between the inline and the task form).
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from celery import Celery, Task, chain
from celery.canvas import Signature

#: What a worker process must know; the client sets them for the worker that it starts.
BROKER_VARIABLE = "BAKEOFF_NATIVE_BROKER"
RESULTS_VARIABLE = "BAKEOFF_NATIVE_RESULTS"
QUEUE_VARIABLE = "BAKEOFF_NATIVE_QUEUE"
#: JSON of what Celery's configuration is to say beyond what stands here.
CONF_VARIABLE = "BAKEOFF_NATIVE_CONF"
#: Import path of the function that every step calls, as ``(step, saga id, attempt)``.
BODY_VARIABLE = "BAKEOFF_NATIVE_BODY"
DEFAULT_BODY = "bakeoff_bench.native.celery_saga:do_nothing"

#: Step and what undoes it; the last step has no undo.
STEPS: list[tuple[str, str | None]] = [
    ("reserve_inventory", "release_inventory"),
    ("charge_payment", "refund_payment"),
    ("create_shipment", "cancel_shipment"),
    ("send_confirmation", None),
]
ATTEMPTS, UNDO_ATTEMPTS = 3, 10
#: As the sagas of ``bakeoff.orders`` have them; the lease is twice the common step timeout.
SOFT_TIME_LIMIT_S, TIME_LIMIT_S = 2, 12
LEASE_S = 60
#: What the last task's id has behind the saga's.
UNDONE = ":undone"

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


def make_app(broker_url: str, results_url: str, queue: str, conf: Mapping[str, Any]) -> Celery:
    """Build app and tasks, the same in the worker and in the client; ``conf`` is Celery's own, and wins."""
    app = Celery("native", broker=broker_url, backend=results_url, set_as_current=False)
    redis_broker = broker_url.startswith("redis")
    app.conf.update(
        broker_transport_options={"visibility_timeout": LEASE_S}
        if redis_broker
        else {"confirm_publish": True},
        broker_connection_retry_on_startup=True,
        task_acks_late=True,
        task_default_queue=queue,
        # Only the outcome is asked for; a failure is kept for the errback, with the state it failed with.
        task_ignore_result=True,
        task_store_errors_even_if_ignored=True,
        result_extended=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
    )
    app.conf.update(conf)
    define: Any = partial(app.task, shared=False)
    limits = {"soft_time_limit": SOFT_TIME_LIMIT_S, "time_limit": TIME_LIMIT_S}
    for step, undo in STEPS:
        define(name=step, bind=True, ignore_result=step != STEPS[-1][0], **limits)(_step(step))
        if undo:
            define(name=undo, bind=True, **limits)(_undo(undo))
    define(name="compensate", bind=True)(_compensate)
    define(name="undone", ignore_result=False)(_undone)
    app.finalize()
    return app


def __getattr__(name: str) -> Celery:
    """Entry point of the worker: ``python -m celery -A bakeoff_bench.native.celery_saga:app worker``."""
    if name != "app":
        raise AttributeError(name)
    load_body()
    given = os.environ
    conf = json.loads(given[CONF_VARIABLE])
    return make_app(given[BROKER_VARIABLE], given[RESULTS_VARIABLE], given[QUEUE_VARIABLE], conf)


def forward(app: Celery, saga_id: str) -> Signature[Any]:
    """Build the saga's chain; ``apply_async()`` starts it."""
    state: State = {"id": saga_id, "results": {}}
    steps = []
    for index, (step, _) in enumerate(STEPS):
        signature = app.tasks[step].s(state) if index == 0 else app.tasks[step].s()
        signature.on_error(app.tasks["compensate"].s(step).set(task_id=undone_id(saga_id)))
        steps.append(signature)
    steps[-1].set(task_id=saga_id)
    return chain(*steps)


def undone_id(saga_id: str) -> str:
    """Task id under which the outcome of a compensated saga is found."""
    return f"{saga_id}{UNDONE}"


def _step(name: str) -> Callable[[Task[Any, Any], State], State]:
    def step(self: Task[Any, Any], state: State) -> State:
        try:
            result = load_body()(name, state["id"], self.request.retries + 1)
        except Declined:
            raise
        except Exception as error:  # a soft time limit among them
            pause_s = 0.1 * 2**self.request.retries
            raise self.retry(exc=error, countdown=pause_s, max_retries=ATTEMPTS - 1) from error
        return {**state, "results": {**state["results"], name: result}}

    return step


def _undo(name: str) -> Callable[[Task[Any, Any], list[str], str], list[str]]:
    def undo(self: Task[Any, Any], errors: list[str], saga_id: str) -> list[str]:
        attempt = self.request.retries + 1
        try:
            load_body()(name, saga_id, attempt)
        except Exception as error:
            if attempt >= UNDO_ATTEMPTS:
                return [*errors, name]  # one that gives up must not stop the others
            raise self.retry(exc=error, countdown=0.1 * 2**attempt, max_retries=None) from error
        return errors

    return undo


def _compensate(self: Task[Any, Any], failed_task_id: str, failed_step: str) -> None:
    """Replace itself by the undos of everything that may have happened, in reverse."""
    meta = self.backend.get_task_meta(failed_task_id)
    state: State = meta["args"][0]
    declined = isinstance(meta["result"], Declined) and not meta["retries"]
    done = [step for step, _ in STEPS].index(failed_step) + (0 if declined else 1)
    undos = [self.app.tasks[undo].s(state["id"]) for _, undo in reversed(STEPS[:done]) if undo]
    first, *rest = [*undos, self.app.tasks["undone"].s(failed_step, repr(meta["result"]))]
    self.replace(chain(first.clone(args=([],)), *rest) if rest else first.clone(args=([],)))


def _undone(errors: list[str], failed_step: str, cause: str) -> dict[str, Any]:
    return {"failed": failed_step, "cause": cause, "errors": errors}
