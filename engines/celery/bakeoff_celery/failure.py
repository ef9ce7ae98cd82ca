"""What the result backend knows about a task that failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from celery import Celery

from bakeoff.deployment import Deployment
from bakeoff.saga import JSON, Parallel, RetryPolicy, Saga, Step
from bakeoff_celery.conditions import was_due
from bakeoff_celery.state import State, StepFailed, task_id, task_name
from bakeoff_celery.tasks import members_by_name

#: A wait, a timer and a step that is left out have nothing that could decline or be undone.
_UNTIL_IT_WORKS = RetryPolicy(maximum_attempts=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a forward task ended, and how far the saga had come.

    Attributes:
        element: Name of the element whose task failed.
        state: With which it began.
        cause: ``{"type", "message", "step"}``.
        may_have_acted: Steps of that element which succeeded or may have had an effect.
        results: ``{step: result}`` of everything that is known to have succeeded.
        exhausted: The step has no other attempt, and was not declined.
        lost: What its steps returned is lost, and which of them were made.
        attempts: Attempts that were made.
        attempts_left: The policy allows another attempt, because Celery failed and not the step.
        pause_s: Seconds before that attempt.
    """

    element: str
    state: State
    cause: dict[str, str]
    may_have_acted: frozenset[str]
    results: dict[str, JSON] = field(default_factory=dict)
    exhausted: bool = False
    lost: bool = False
    attempts: int = 1
    attempts_left: bool = False
    pause_s: float = 1.0


def state_of_outcome(app: Celery, native_id: str) -> str:
    """Celery's state of the task that brings the outcome; ``COMPENSATING`` is ours."""
    return str(app.backend.get_task_meta(native_id, cache=False)["status"])


def read_failure(
    app: Celery, deployment: Deployment, saga: Saga, native_id: str, failed_task_id: str, element: str
) -> Failure | None:
    """Read the stored failure of the task ``failed_task_id``; ``None`` if none is stored yet."""
    meta = _failure_of(app, failed_task_id)
    found = saga.elements[saga.index_of(element)]
    if isinstance(found, Parallel):
        if meta is None or not meta.get("args") or meta.get("name") != task_name(saga, element):
            return _of_broken_chord(app, saga, native_id, found)
        return _of_join(meta, found)
    if meta is None or not meta.get("args") or not _is_of(meta, saga, element):
        return None
    state: State = meta["args"][0]
    error = meta["result"]
    results = state["results"]
    if isinstance(error, StepFailed):
        acted = frozenset({element} if error.doubtful else ())
        return Failure(
            element=element,
            state=state,
            cause=_cause(error),
            may_have_acted=acted,
            results=results,
            exhausted=error.exhausted,
        )
    attempts = int(meta.get("retries") or 0) + 1
    policy = _UNTIL_IT_WORKS
    if isinstance(found, Step) and was_due(saga, found, state):
        policy = saga.retry_of(found)
    return Failure(
        element=element,
        state=state,
        cause={"type": type(error).__name__, "message": str(error), "step": element},
        may_have_acted=frozenset({element}),
        results=results,
        exhausted=policy.exhausted(attempts),
        attempts=attempts,
        attempts_left=not policy.exhausted(attempts),
        pause_s=policy.delay_after(attempts).total_seconds(),
    )


def _failure_of(app: Celery, failed_task_id: str) -> dict[str, Any] | None:
    meta: dict[str, Any] = app.backend.get_task_meta(failed_task_id, cache=False)
    return meta if meta["status"] == "FAILURE" else None


def _is_of(meta: dict[str, Any], saga: Saga, element: str) -> bool:
    """Whether it is of this element; the last tasks of all ways have the same id, the saga's own."""
    name = meta.get("name")
    return name is None or str(name).partition(":")[0] == task_name(saga, element)


def _cause(error: StepFailed) -> dict[str, str]:
    return {"type": error.type, "message": error.message, "step": error.step}


def _of_join(meta: dict[str, Any], parallel: Parallel) -> Failure:
    """All members have returned: what they returned are the arguments of the task that joins them."""
    members = members_by_name(meta["args"][0])
    state: State = members[parallel.steps[0].name]["state"]
    failed = {name: StepFailed(*member["failed"]) for name, member in members.items() if "failed" in member}
    succeeded = {name: member["result"] for name, member in members.items() if "result" in member}
    error = meta["result"]
    infrastructure = not isinstance(error, StepFailed)
    return Failure(
        element=parallel.name,
        state=state,
        cause=(
            {"type": type(error).__name__, "message": str(error), "step": parallel.name}
            if infrastructure
            else _cause(error)
        ),
        may_have_acted=frozenset({*succeeded, *(name for name, error in failed.items() if error.doubtful)}),
        results={**state["results"], **succeeded},
        attempts=0,
        # Every member has its answer; only the join, or what it publishes, is to be done again.
        attempts_left=infrastructure,
    )


def _of_broken_chord(app: Celery, saga: Saga, native_id: str, parallel: Parallel) -> Failure | None:
    """A member was lost without an answer, so nothing was joined; its arguments are with its failure."""
    lost: tuple[int, Step, dict[str, Any]] | None = None
    for step in parallel.steps:
        meta = _failure_of(app, task_id(native_id, step.name))
        if meta is not None and meta.get("args"):
            attempts = int(meta.get("retries") or 0) + 1
            # A member that was lost in an earlier attempt of the group has left its failure there.
            if lost is None or attempts > lost[0]:
                lost = attempts, step, meta
    if lost is None:
        return None
    attempts, step, meta = lost
    state: State = meta["args"][0]
    return Failure(
        element=parallel.name,
        state=state,
        cause={"type": type(meta["result"]).__name__, "message": str(meta["result"]), "step": step.name},
        may_have_acted=frozenset(member.name for member in parallel.steps if was_due(saga, member, state)),
        results=state["results"],
        attempts=attempts,
        attempts_left=not saga.retry_of(step).exhausted(attempts),
        pause_s=saga.retry_of(step).delay_after(attempts).total_seconds(),
    )
