"""What participants tell each other: an event, and the story that travels in it.

Every event is a fact of its own subject, ``saga.<workflow>.<element>.<act>.<how>``:

    saga.order-1.started
    saga.order-1.charge_payment.action.done             heard by whoever comes next
    saga.order-1.charge_payment.action.failed           heard by whoever must undo first
    saga.order-1.reserve_inventory.compensation.done    ... and by whoever stands before
    saga.order-1.send_confirmation.action.over.completed    heard by clients alone

A *family* is what one participant can say about one of its acts, ``charge_payment.action.>``. The log takes
one event of each family and refuses every other, so no redelivery and no late worker can fork a saga.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import JSON
from bakeoff.telemetry import Headers

#: Characters of a workflow id, as it stands in a subject; longer ones are hashed.
_LONGEST = 200


class Act(StrEnum):
    """What an event is about."""

    START = "started"
    ACTION = "action"
    COMPENSATION = "compensation"
    CANCEL = "cancel"  #: what a step did in whose place a cancel was said
    CALL = "call"  #: to a member of a group: act
    WAIT = "wait"  #: a saga has come to a wait
    SIGNAL = "signal"  #: what a wait waits for, or that it never came
    TIMER = "timer"  #: time is up


class How(StrEnum):
    """How it went."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"  #: by a client, in the place of whoever's turn it was
    GIVEN = "given"
    MISSED = "missed"
    BEGUN = "begun"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that is known of a saga so far; it is nowhere but in its last event.

    Attributes:
        saga, workflow_id, input: As it was started.
        results: ``{element: result}`` of what succeeded.
        owed: Steps that failed and may have had an effect all the same.
        cause: Why it goes back.
        gave_up: Steps whose compensation gave up.
        exhausted: The step whose escalation it is on.
        signal_id: Of a signal, whose payload is in ``results``.
        headers: The trace context that it was started with, if any.
    """

    saga: str
    workflow_id: str
    input: JSON = None
    results: Mapping[str, JSON] = field(default_factory=dict)
    owed: tuple[str, ...] = ()
    cause: Cause | None = None
    gave_up: tuple[str, ...] = ()
    exhausted: str | None = None
    signal_id: str | None = None
    headers: Headers | None = None

    def plus(self, name: str, result: JSON) -> Story:
        """With one more result."""
        return replace(self, results={**self.results, name: result})

    def outcome(self, status: Status) -> Outcome:
        """The last word about this saga."""
        return Outcome(status, self.results, self.cause, self.gave_up)

    def written(self) -> bytes:
        """As JSON."""
        told = asdict(self)
        if self.headers is None:  # without spans an event is not a byte longer
            del told["headers"]
        return json.dumps(told, separators=(",", ":")).encode()

    @classmethod
    def read(cls, data: bytes) -> Story:
        """Reverse of ``written``; ``ValueError`` or ``TypeError`` if it is none of ours."""
        told: dict[str, Any] = json.loads(data)
        told["owed"], told["gave_up"] = tuple(told["owed"]), tuple(told["gave_up"])
        told["cause"] = Cause(**told["cause"]) if told["cause"] else None
        return cls(**told)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that has happened; ``over``: nobody hears it, the saga is settled."""

    element: str
    act: Act
    how: str
    story: Story
    over: Status | None = None

    def __str__(self) -> str:
        return ".".join(self.tokens())

    def tokens(self) -> tuple[str, ...]:
        """What stands behind the workflow in its subject."""
        if self.act is Act.START:
            return (str(Act.START),)
        return self.element, str(self.act), *(("over", str(self.over)) if self.over else (self.how,))


@dataclass(frozen=True, slots=True)
class Subjects:
    """The names of a deployment: ``prefix`` stands before every one of them."""

    prefix: str

    @property
    def root(self) -> str:
        """First token of every event."""
        return f"{_token(self.prefix)}saga"

    @property
    def stream(self) -> str:
        """Name of the log."""
        return self.root.replace("%", "_")

    def of(self, event: Event) -> str:
        """Where an event stands."""
        return ".".join((self.root, token_of(event.story.workflow_id), *event.tokens()))

    def family(self, workflow_id: str, element: str, act: Act) -> str:
        """Everything that can be said of one act of one element."""
        return f"{self.root}.{token_of(workflow_id)}.{element}.{act}.>"

    def started(self, workflow_id: str) -> str:
        """Where a saga begins."""
        return f"{self.root}.{token_of(workflow_id)}.{Act.START}"

    def all_of(self, workflow_id: str) -> str:
        """Every event of a saga."""
        return f"{self.root}.{token_of(workflow_id)}.>"

    def end_of(self, workflow_id: str) -> str:
        """The last word about a saga, whoever says it."""
        return f"{self.root}.{token_of(workflow_id)}.*.*.over.*"

    def timer(self, workflow_id: str, element: str) -> str:
        """Where an event waits until it is due."""
        return f"{self.root}.{token_of(workflow_id)}.{element}.{Act.TIMER}"

    @property
    def told(self) -> str:
        """Where clients hear that a saga is over; the token behind it is the workflow."""
        return f"{_token(self.prefix)}told"

    def event(self, subject: str, data: bytes) -> Event:
        """Read an event; ``ValueError`` or ``TypeError`` if it is none of ours."""
        tokens = subject.split(".")[2:]
        story = Story.read(data)
        if tokens == [Act.START]:
            return Event("", Act.START, "", story)
        if len(tokens) == 4 and tokens[2] == "over":
            return Event(tokens[0], Act(tokens[1]), "over", story, Status(tokens[3]))
        if len(tokens) != 3:
            raise ValueError(f"{subject} is no event")
        return Event(tokens[0], Act(tokens[1]), tokens[2], story)


def _token(text: str) -> str:
    return quote(text, safe="").replace(".", "%2E")


def token_of(workflow_id: str) -> str:
    """A workflow id as one token of a subject, readable where it can be."""
    token = _token(workflow_id)
    if token and len(token) <= _LONGEST:
        return token
    return f"%{hashlib.sha256(workflow_id.encode()).hexdigest()}"
