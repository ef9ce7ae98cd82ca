"""What every actor of a saga needs: its broker, its rows, and one attempt at a step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dramatiq
from dramatiq import Broker
from dramatiq.broker import MessageProxy
from dramatiq.errors import Retry
from dramatiq.middleware import CurrentMessage, TimeLimitExceeded

from bakeoff.errors import UnserialisableError
from bakeoff.saga import JSON, Direction, Saga, Sleep, Step, Wait
from bakeoff.world import Participant
from bakeoff_dramatiq.compensation import backward, rank_of
from bakeoff_dramatiq.pipeline import milliseconds
from bakeoff_dramatiq.rows import Rows
from bakeoff_dramatiq.state import CauseData, State

#: Option of a message: the cause of the last failed attempt. It travels with the message to its callbacks.
CAUSE = "cause"
#: Option of a declined message: whether the step may have had an effect all the same.
OWN = "own"

#: Detail of a request for compensation: nobody knows whether the step was exhausted or declined.
GO_BACK = "go_back"

#: Actors that only pass the saga on must never give up: nobody would notice.
TIRELESS: Mapping[str, Any] = {"max_retries": None, "min_backoff": 100, "max_backoff": 10_000}


def attempt_options(saga: Saga, step: Step, direction: Direction = "action") -> dict[str, Any]:
    """Options of every actor that runs attempts.

    The pauses are a fallback: a time limit can strike when the actor has already returned, and what it raises
    there never passes through ``Context.again``.
    """
    policy = saga.retry_of(step, direction)
    return {
        "time_limit": milliseconds(saga.timeout_of(step, direction)),
        "min_backoff": milliseconds(policy.initial_interval),
        "max_backoff": milliseconds(policy.maximum_interval),
    }


#: What a fault of a step can be. A start-to-close timeout is raised into the thread and is no ``Exception``.
FAULTS = (Exception, TimeLimitExceeded)


@dataclass(frozen=True)
class Context:
    """One saga on one broker.

    Attributes:
        participant: Runs attempts; ``None`` in a client, whose actors only name their messages.
    """

    broker: Broker
    rows: Rows
    saga: Saga
    queue: str
    participant: Participant | None = None

    def declare(self, name: str, function: Callable[..., Any], **options: Any) -> None:
        """Declare an actor."""
        make = dramatiq.actor(broker=self.broker, queue_name=self.queue, actor_name=name, **options)
        make(function)

    def perform(self, step: Step, direction: Direction, state: State) -> JSON:
        """Run the attempt that the current message asks for.

        Raises:
            BusinessError: For a decline.
            Exception, TimeLimitExceeded: For a fault, see ``FAULTS``.
        """
        if self.participant is None:
            raise RuntimeError("a client runs no steps")
        message = current_message()
        if step.compensation is not None and direction == "action" and not message.options.get("retries"):
            self.rows.begin(state["workflow_id"], step.name)
        results = state["results"]
        result = self.participant.perform(
            self.saga.name,
            step.name,
            direction,
            workflow_id=state["workflow_id"],
            input=state["input"],
            results=results,
            attempt=attempt_of(message),
            own_result=results.get(step.name) if direction == "compensation" else None,
        )
        if not step.recorded:
            # Nobody else has looked at it, and Dramatiq only logs a next message that cannot be encoded.
            _check_json(result, step)
        return result

    def maybe_happened(self, step: Step, state: State) -> bool:
        """Tell at a decline whether an earlier attempt, failed or lost, may have had an effect (S3).

        The declined one had none, and says so: its message comes again if its worker dies after the callback
        went out, and must not ask for an undo of its own then, which would come too late to be in order.
        """
        if attempt_of(current_message()) > 1:
            return True
        if step.compensation is None:
            return False
        if self.rows.begun(state["workflow_id"], step.name) > 1:
            return True
        self.rows.nothing_came(state["workflow_id"], step.name)
        return False

    def is_due(self, element: Step | Wait, state: State) -> bool:
        """Ask a condition, by what the message carries; ``ConditionError`` if it raises."""
        if element.when is None:
            return True
        return self.saga.is_due(element, state["input"], {**self._slept(element, state), **state["results"]})

    def _slept(self, element: Step | Wait, state: State) -> dict[str, JSON]:
        """Results of the timers before an element: no actor here has noted that they elapsed."""
        way = self.saga.way_to(element.name, state.get("exhausted"))
        return {timer.name: None for timer in way if isinstance(timer, Sleep)}

    def undo(self, state: State, cause: CauseData, own: Sequence[Step], gave_up: Sequence[str] = ()) -> None:
        """Publish the way back, unless another message has done so already.

        ``gave_up``: the step that handed over, if its own undo gave up before its escalation began.
        """
        rank = rank_of(self.saga, cause["step"], with_own=bool(own or gave_up))
        asking = current_message().message_id
        escalating = [
            step.name
            for step in self.saga.steps()
            if step.on_exhausted is not None and rank_of(self.saga, step.name, with_own=True) >= rank
        ]
        if self.rows.compensate(
            state["workflow_id"], asking, rank, escalating=escalating, not_on=bool(gave_up)
        ):
            backward(self.broker, self.saga, state, cause, own, gave_up=gave_up).run()

    def again(self, step: Step, direction: Direction, error: BaseException) -> Retry | None:
        """Return what to raise so that the step's own policy is kept; ``None`` if attempts are exhausted."""
        policy, attempt = self.saga.retry_of(step, direction), attempt_of(current_message())
        if policy.exhausted(attempt):
            return None
        return Retry(str(error), delay=milliseconds(policy.delay_after(attempt)))


def current_message() -> MessageProxy:
    """The message that the running actor was called with."""
    message: Any = CurrentMessage.get_current_message()
    if message is None:
        raise RuntimeError("not inside an actor")
    return message  # type: ignore[no-any-return]


def attempt_of(message: MessageProxy) -> int:
    """1-based number of the attempt; Dramatiq counts the retries."""
    return 1 + int(message.options.get("retries", 0))


def cause_of(error: BaseException, step: Step | Wait, direction: Direction = "action") -> CauseData:
    """Describe what an attempt at ``step`` raised."""
    if isinstance(error, TimeLimitExceeded):
        assert isinstance(step, Step), "a wait has no time limit"
        return timeout_cause(step, direction)
    return {"type": type(error).__name__, "message": str(error), "step": step.name}


def timeout_cause(step: Step, direction: Direction = "action") -> CauseData:
    """Describe an attempt that was ended by its time limit."""
    name, limit = step.name, step.timeout
    if direction == "compensation":
        name, limit = step.compensation_name, step.compensation_timeout
    text = f"{name} exceeded its start-to-close timeout of {limit.total_seconds():g} s"
    return {"type": TimeoutError.__name__, "message": text, "step": step.name}


def _check_json(result: JSON, step: Step) -> None:
    if result is None:
        return
    try:
        json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UnserialisableError(f"{step.name} returned something that is not JSON: {error}") from error
