"""The saga model: plain data about what happens, in which order, and how it is undone.

A saga (Garcia-Molina & Salem 1987) is a named, versioned list of steps. It knows no engine and no
database; an engine's adapter reads it and writes the same process in the engine's own terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from bakeoff.errors import ConditionError

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: What ``json.dumps`` accepts. Actions, inputs and signals carry nothing else.
JSON = Any

Direction = Literal["action", "compensation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, and how patiently, a failed attempt is repeated.

    Attempts count from 1 and include the first try (S8). ``maximum_attempts=None`` means without limit.
    """

    initial_interval: timedelta = timedelta(milliseconds=100)
    backoff_coefficient: float = 2.0
    maximum_interval: timedelta = timedelta(seconds=10)
    maximum_attempts: int | None = 3

    def delay_after(self, attempt: int) -> timedelta:
        """Return the pause between attempt number ``attempt`` (1-based) and the next one."""
        # Capped before the multiplication: 2.0 ** 2000 does not fit into a float.
        exponent = min(attempt - 1, 64)
        seconds = self.initial_interval.total_seconds() * self.backoff_coefficient**exponent
        return timedelta(seconds=min(seconds, self.maximum_interval.total_seconds()))

    def exhausted(self, attempt: int) -> bool:
        """Tell whether attempt number ``attempt`` (1-based) was the last one."""
        return self.maximum_attempts is not None and attempt >= self.maximum_attempts


#: A compensation is worth far more patience than an action: giving up leaves a human with the work.
COMPENSATION_RETRY = RetryPolicy(maximum_attempts=10)


@dataclass(slots=True, kw_only=True)
class Call:
    """The one argument of an action or compensation.

    Attributes:
        workflow_id: The caller's identity of this saga.
        step: Name of the step.
        direction: ``"action"`` or ``"compensation"``.
        input: What the saga was started with (for ``order``: the order id).
        results: ``{step name: result}`` of the steps that succeeded before this one.
        attempt: 1-based number of this try, as the engine counts.
        key: Idempotency key ``workflow id:step:direction``, the same in every attempt.
        own_result: In a compensation: what its action returned; ``None`` where the outcome is unknown.
        tx: The open transaction of the service database; opened at first use, committed with the
            ledger entry after the action returned. An action that needs no database opens none.
    """

    workflow_id: str
    step: str
    direction: Direction
    input: JSON
    results: Mapping[str, JSON]
    attempt: int
    key: str
    own_result: JSON = None
    _open: Callable[[], Connection] | None = field(default=None, repr=False)

    @property
    def tx(self) -> Connection:
        """The transaction in which effect and ledger entry become true together."""
        if self._open is None:
            raise RuntimeError("this call has no service database")
        return self._open()


Action = Callable[[Call], JSON]
#: Of the saga's input and ``{element name: result}`` of the elements before; pure, and asked more than once.
Condition = Callable[[JSON, Mapping[str, JSON]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One local transaction: an action and what undoes it.

    Attributes:
        name: Unique in the saga; the activity, task or actor is called so.
        action: Ordinary function of a ``Call``; returns JSON, raises ``BusinessError`` for a decline.
        compensation: Undoes the action; named after its function (``release_inventory``).
        retry: Policy of the action.
        timeout: Start-to-close timeout of one attempt; exceeding it is a fault.
        compensation_retry, compensation_timeout: The same for the compensation.
        pivot: The point of no return: this and every later step is retried without limit.
        recorded: ``False`` leaves attempts and effects out of the ledger, ``"once"`` writes both in one
            transaction without calling the action. Only to price an adapter with little ledger.
        when: Whether the step is made at all; one that is not leaves neither attempt nor result.
        on_exhausted: The step at which the saga goes on when this one has exhausted its retries: the first of
            an *escalation*, which is reached in no other way and ends with the saga or with the next one.
            Before it begins this step's own compensation runs, for it may have had an effect.
    """

    name: str
    action: Action
    compensation: Action | None = None
    retry: RetryPolicy = RetryPolicy()
    timeout: timedelta = timedelta(seconds=10)
    compensation_retry: RetryPolicy = COMPENSATION_RETRY
    compensation_timeout: timedelta = timedelta(seconds=10)
    pivot: bool = False
    recorded: bool | Literal["once"] = True
    when: Condition | None = None
    on_exhausted: str | None = None

    @property
    def compensation_name(self) -> str:
        """The field's word for the undo: the name of its function."""
        return getattr(self.compensation, "__name__", "") if self.compensation else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Several steps at once; one failing fails the group after its siblings have settled."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Until a signal called ``name`` arrives; its JSON payload is this element's result.

    ``on_timeout="fail"`` ends the forward direction (S2), ``"continue"`` goes on with result ``None``.
    ``when``: whether it waits at all, see ``Step``. ``signal``: what a person or an event calls the signal,
    if not like the wait: of several waits for one signal the first that is not over takes it
    (``bakeoff.signals.deliver``). ``event``: what happens outside and ends it (``bakeoff.bridge.relay``).
    """

    name: str
    timeout: timedelta | None = None
    on_timeout: Literal["fail", "continue"] = "fail"
    when: Condition | None = None
    signal: str | None = None
    event: str | None = None

    @property
    def signal_name(self) -> str:
        """What the signal is called outside the saga."""
        return self.signal or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """A durable timer."""

    name: str
    duration: timedelta


Element = Step | Parallel | Wait | Sleep


@dataclass(frozen=True, slots=True)
class Saga:
    """A named, versioned, ordered process; validated when it is made.

    Raises:
        SagaDefinitionError: If the definition cannot mean anything (see ``bakeoff.validation``).
    """

    name: str
    elements: tuple[Element, ...]
    version: int = 1

    def __post_init__(self) -> None:
        from bakeoff.validation import validate

        validate(self)

    def steps(self) -> Iterator[Step]:
        """Every ``Step`` in order, the members of a ``Parallel`` in the order they are written."""
        for element in self.elements:
            if isinstance(element, Step):
                yield element
            elif isinstance(element, Parallel):
                yield from element.steps

    def step(self, name: str) -> Step:
        """Return the step called ``name``; ``KeyError`` if there is none."""
        for step in self.steps():
            if step.name == name:
                return step
        raise KeyError(name)

    def pivot_index(self) -> int | None:
        """Position of the pivot among ``elements``; ``None`` for a saga without one."""
        for index, element in enumerate(self.elements):
            if isinstance(element, Step) and element.pivot:
                return index
        return None

    def index_of(self, name: str) -> int:
        """Position among ``elements`` of the element (or the group around the step) called ``name``."""
        for index, element in enumerate(self.elements):
            if element.name == name or (
                isinstance(element, Parallel) and any(step.name == name for step in element.steps)
            ):
                return index
        raise KeyError(name)

    def escalations(self) -> tuple[str, ...]:
        """Names of the steps at which an exhausted step goes on, in the order of ``elements``."""
        targets = {step.on_exhausted for step in self.steps() if step.on_exhausted is not None}
        return tuple(element.name for element in self.elements if element.name in targets)

    def end_of(self, index: int) -> int:
        """Where the stretch that holds element number ``index`` ends (exclusive).

        The first stretch is the ordinary way; each escalation is one of its own.
        """
        later = (self.index_of(name) for name in self.escalations())
        return min((start for start in later if start > index), default=len(self.elements))

    def is_last(self, element: Element) -> bool:
        """Tell whether the saga is completed when this element is over."""
        return self.end_of(index := self.index_of(element.name)) == index + 1

    def stretch(self, start: int) -> tuple[Element, ...]:
        """The elements from number ``start`` to the end of its stretch."""
        return self.elements[start : self.end_of(start)]

    def way_to(self, name: str, exhausted: str | None = None) -> tuple[Element, ...]:
        """The elements that lie behind a saga at ``name``, in order.

        Args:
            name: An element, or a step of a group.
            exhausted: The step whose exhaustion brought the saga onto an escalation; its own undo is over.
        """
        index = self.index_of(name)
        if exhausted is None:
            return self.elements[:index]
        begin = max(start for start in map(self.index_of, self.escalations()) if start <= index)
        return self.elements[: self.index_of(exhausted)] + self.elements[begin:index]

    def left_behind(self, exhausted: Step) -> tuple[Element, ...]:
        """What nobody comes to any more once this step hands over: the rest of its way, other escalations."""
        begin = self.index_of(str(exhausted.on_exhausted))
        return self.elements[self.index_of(exhausted.name) + 1 : begin] + self.elements[self.end_of(begin) :]

    def out_of_reach(self, passed: Step) -> tuple[Element, ...]:
        """What nobody comes to any more once this step is over and has not handed over: escalations.

        Those, that is, to which no step behind it hands over.
        """
        later = self.elements[self.index_of(passed.name) + 1 :]
        reached = {element.on_exhausted for element in later if isinstance(element, Step)}
        ways = (self.stretch(self.index_of(name)) for name in self.escalations() if name not in reached)
        return tuple(element for way in ways for element in way)

    def is_due(self, element: Step | Wait, input: JSON, results: Mapping[str, JSON]) -> bool:
        """Ask the element's condition, which sees the results of the elements before it and no later ones.

        Raises:
            ConditionError: If it raises; it would do so every time.
        """
        if element.when is None:
            return True
        before = {name for other in self.elements[: self.index_of(element.name)] for name in _names(other)}
        earlier = {name: result for name, result in results.items() if name in before}
        try:
            return bool(element.when(input, earlier))
        except Exception as error:
            raise ConditionError(
                f"the condition of {element.name!r} raised {type(error).__name__}: {error}"
            ) from error

    def after_pivot(self, name: str) -> bool:
        """Tell whether the step stands after the pivot: a decline is a fault there."""
        pivot = self.pivot_index()
        return pivot is not None and pivot < self.index_of(name) < self.end_of(pivot)

    def retry_of(self, step: Step, direction: Direction = "action") -> RetryPolicy:
        """The policy in force: without limit at the pivot and after it."""
        if direction == "compensation":
            return step.compensation_retry
        if not step.pivot and not self.after_pivot(step.name):
            return step.retry
        return RetryPolicy(
            initial_interval=step.retry.initial_interval,
            backoff_coefficient=step.retry.backoff_coefficient,
            maximum_interval=step.retry.maximum_interval,
            maximum_attempts=None,
        )

    def timeout_of(self, step: Step, direction: Direction = "action") -> timedelta:
        """Start-to-close timeout of one attempt in that direction."""
        return step.timeout if direction == "action" else step.compensation_timeout


def _names(element: Element) -> Iterator[str]:
    yield element.name
    if isinstance(element, Parallel):
        yield from (step.name for step in element.steps)


def idempotency_key(workflow_id: str, step: str, direction: Direction) -> str:
    """The key that every attempt of one effect shares."""
    return f"{workflow_id}:{step}:{direction}"
