"""The forward direction of a saga as a Celery canvas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery, Task, chain, chord
from celery.canvas import Signature
from celery.exceptions import Reject
from kombu.exceptions import OperationalError

from bakeoff.deployment import Deployment
from bakeoff.saga import Element, Parallel, Saga, Sleep, Wait
from bakeoff_celery.state import State, errback_name, outcome_name, task_id, task_name


def forward(
    app: Celery,
    deployment: Deployment,
    saga: Saga,
    state: State,
    elements: Sequence[Element] | None = None,
    *,
    retries: int = 0,
    countdown_s: float | None = None,
) -> Signature[Any]:
    """Return the chain of ``elements`` up to the next wait among them.

    Every task carries the errback. The task whose result is the saga's outcome has the saga's own id. A
    wait ends the chain: whoever brings the signal publishes the next one.

    Args:
        app: The app whose tasks are named.
        deployment: Gives the ids.
        saga: The saga.
        state: The first task's argument.
        elements: Up to the end of a stretch of the saga; all of the ordinary way unless told otherwise.
        retries: How many attempts the first element has behind it, as Celery counts.
        countdown_s: Pause before the first element, when this is not its first time.
    """
    native_id = deployment.native_id(state["id"])
    if elements is None:
        elements = saga.stretch(0)
    if not elements:
        return outcome(app, saga, native_id, [], state["results"])
    signatures: list[Signature[Any]] = []
    for element in elements:
        first = (state,) if not signatures else ()
        options: dict[str, Any] = {}
        if isinstance(element, Sleep):
            options["countdown"] = element.duration.total_seconds()
        if countdown_s is not None and not signatures:
            options = {"retries": retries, "countdown": countdown_s}
        signatures += _signatures(app, saga, element, native_id, first, options)
        if isinstance(element, Wait):
            return _chained(signatures)
    # What brings the result of a chord is its body.
    last = signatures[-1]
    (last.body if isinstance(last, chord) else last).set(task_id=native_id)
    return _chained(signatures)


def outcome(
    app: Celery,
    saga: Saga,
    native_id: str,
    errors: list[str] | None,
    results: dict[str, Any],
    cause: dict[str, str] | None = None,
) -> Signature[Any]:
    """Return the task that ends a saga; ``errors=None`` if a chain brings them."""
    args = (results, cause) if errors is None else (errors, results, cause)
    return app.tasks[outcome_name(saga)].s(*args).set(task_id=native_id)


def become(task: Task[Any, Any], next_move: Signature[Any]) -> None:
    """Let a task be replaced by what follows from it."""
    try:
        task.replace(next_move)
    except OperationalError as error:
        # Otherwise Celery would call the task failed, and nothing would follow from it.
        raise Reject(error, requeue=True) from error


def _chained(signatures: list[Signature[Any]]) -> Signature[Any]:
    return chain(*signatures) if len(signatures) > 1 else signatures[0]


def _signatures(
    app: Celery,
    saga: Saga,
    element: Element,
    native_id: str,
    args: tuple[State, ...],
    options: dict[str, Any],
) -> list[Signature[Any]]:
    if not isinstance(element, Parallel):
        return [_with_errback(app, saga, element, native_id, args).set(**options)]
    members = [
        app.tasks[task_name(saga, step.name)].s(*args).set(task_id=task_id(native_id, step.name), **options)
        for step in element.steps
    ]
    join = _with_errback(app, saga, element, native_id, ())
    if len(members) == 1:  # Celery would unroll the chord and drop its errback
        return [members[0].on_error(_errback(app, saga, element, native_id)), join]
    return [chord(members, join)]


def _with_errback(
    app: Celery, saga: Saga, element: Element, native_id: str, args: tuple[State, ...]
) -> Signature[Any]:
    signature = app.tasks[task_name(saga, element.name)].s(*args)
    signature.set(task_id=task_id(native_id, element.name))
    return signature.on_error(_errback(app, saga, element, native_id))


def _errback(app: Celery, saga: Saga, element: Element, native_id: str) -> Signature[Any]:
    return app.tasks[errback_name(saga)].s(element.name).set(task_id=native_id)
