"""The interface of an orchestration engine: seven methods, and small protocols for optional powers.

An adapter translates; it neither measures nor judges. The harness starts its servers and workers,
stamps times and reads the ledger. asyncio is the one colour: a synchronous SDK is adapted inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from bakeoff.deployment import Deployment
    from bakeoff.outcome import DeadLetter, Description, Event, Listed, Outcome, Page, Status
    from bakeoff.saga import JSON, Saga
    from bakeoff.schedules import Schedule
    from bakeoff.servers import Server
    from bakeoff.settings import Setting, SettingsInForce
    from bakeoff.world import Window


class Capability(StrEnum):
    """What contract tests may ask for; an engine declares every one of them."""

    ORDER = "order"  #: steps act in order (S1)
    RETRY = "retry"  #: faults are retried by each step's own policy (S2, S8)
    TIMEOUT = "timeout"  #: a start-to-close timeout per step (S2)
    COMPENSATION = "compensation"  #: undo in reverse order, each with its own retries (S3, S4)
    OWN_UNDO = "own_undo"  #: a step with an unknown outcome is compensated itself (S3)
    PIVOT = "pivot"  #: no compensation after the point of no return (I9)
    CONDITIONS = "conditions"  #: a step or wait that is left out where its condition does not hold (S1)
    ESCALATION = "escalation"  #: an exhausted step is undone and hands over to others (S2)
    OUTCOME = "outcome"  #: a client learns the terminal outcome and its cause (S5)
    IDEMPOTENT_START = "idempotent_start"  #: one execution per workflow id (S6)
    PARALLEL = "parallel"  #: several steps at once
    SIGNALS = "signals"  #: a wait for a signal with payload (S7)
    WAIT_TIMEOUT = "wait_timeout"  #: a wait that races its timeout (S2)
    TIMERS = "timers"  #: a durable timer shorter than the lease
    LONG_TIMERS = "long_timers"  #: a durable timer longer than the lease
    CANCEL = "cancel"  #: cancel and compensate (S9)
    DESCRIBE = "describe"  #: where a saga is now
    LIST = "list"  #: sagas by status
    EVENT_HISTORY = "event_history"  #: what happened so far, kept by the engine
    SCHEDULES = "schedules"  #: the engine itself starts a saga, once per period
    CATCH_UP = "catch_up"  #: periods that began while its scheduler was away are started when it is back


class Means(StrEnum):
    """What an operator may want of a deployment beyond what a saga promises; declared, but no contract."""

    REDRIVE = "redrive"  #: go on with a saga that is stuck or ended ``compensation_failed``
    DEAD_LETTERS = "dead_letters"  #: look at messages that were given up, and put one back


class Support(StrEnum):
    """How an engine reaches a capability."""

    NATIVE = "native"  #: a feature of the engine
    PATTERN = "pattern"  #: the best known pattern built on the engine
    ABSENT = "absent"  #: no honest way


@dataclass(frozen=True, slots=True)
class Claim:
    """An engine's declaration about one capability; ``reason`` is one printed sentence."""

    support: Support
    reason: str


class Survives(StrEnum):
    """What an acknowledged saga survives, as the engine declares (S10)."""

    STEP_KILL = "step_kill"  #: of the process that acts, worker or pool child, while no message is in transit
    WORKER_KILL = "worker_kill"  #: at any moment, also while it fetches a message
    BROKER_RESTART = "broker_restart"  #: kill and restart on its data, while no message is in transit
    BROKER_KILL = "broker_kill"  #: at any moment
    POWER_LOSS = "power_loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What an engine says of itself before anything is started.

    Attributes:
        title: How it is called in tables, e.g. ``"Celery chain"``.
        claims: One claim for *every* capability.
        survives: What acknowledged sagas survive in class ``recommended``.
        settings: The settings that ``--set`` knows.
        versions: ``{component: version}`` of SDKs that are installed.
        note: One sentence that belongs beside every number, e.g. ``"dev server, 1 shard, SQLite"``.
        in_process: True if the sagas run inside the client's process and there are no workers.
        lease_s: Seconds for which a call stays with a worker process that has fallen silent (not ended: a
            broker may notice that at once), before another one gets it; ``None``: until the call's own
            start-to-close timeout at the most; infinite: no other one ever gets it, however the worker ended.
        repeats_saga: A worker that dies may have calls attempted again that had ended long before, not only
            the one that it ran and the one before that. Effects stay single, attempts do not.
        means: Claims about the operator's means; one that is not claimed counts as absent.
    """

    title: str
    claims: Mapping[Capability, Claim]
    survives: frozenset[Survives]
    settings: Sequence[Setting] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    in_process: bool = False
    lease_s: float | None = None
    repeats_saga: bool = False
    means: Mapping[Means, Claim] = field(default_factory=dict)


@runtime_checkable
class EngineClient(Protocol):
    """A connected client of a running deployment."""

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Start a saga; return ``False`` if this id exists already with the same saga and input (S6).

        Raises:
            WorkflowConflictError: If the id exists with another saga or input.
            UnserialisableError: If JSON cannot carry the input.
            StartUnknownError: If the connection broke and nobody knows.
        """

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for the terminal outcome.

        Raises:
            WorkflowNotFoundError: If no saga of this id was started.
            ResultTimeoutError: If it has not settled within ``timeout_s`` seconds.
        """

    async def close(self) -> None:
        """Let go of every connection and thread; afterwards nothing of the SDK runs."""


class OrchestrationEngine(Protocol):
    """A contestant. ``name`` is its entry-point name and its ``--engine`` value."""

    name: str

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """Describe itself; claims may depend on the settings in force (broker, leases)."""

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """Processes that the harness must start (or find outside), in starting order."""

    def worker_command(self, deployment: Deployment) -> Sequence[str]:
        """Return argv of one worker process; it finds its deployment by ``BAKEOFF_DEPLOYMENT``."""

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return a client of a running deployment."""


@runtime_checkable
class Signals(Protocol):
    """``Capability.SIGNALS``."""

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Deliver a signal; return ``False`` if this ``signal_id`` was delivered before (S7).

        Raises:
            WorkflowNotFoundError: For an unknown saga.
            SignalRejectedError: If it comes too late, or no wait has this name.
        """


@runtime_checkable
class Cancels(Protocol):
    """``Capability.CANCEL``."""

    async def cancel(self, workflow_id: str) -> None:
        """Request a cancel (S9); the outcome tells whether it was effective.

        Raises:
            WorkflowNotFoundError: For an unknown saga.
        """


@runtime_checkable
class Describes(Protocol):
    """``Capability.DESCRIBE``."""

    async def describe(self, workflow_id: str) -> Description:
        """Tell where the saga is now; ``WorkflowNotFoundError`` for an unknown one."""


@runtime_checkable
class Lists(Protocol):
    """``Capability.LIST``."""

    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        """Return at most ``limit`` sagas of this deployment, newest first, of one status or of all."""


@runtime_checkable
class HasEventHistory(Protocol):
    """``Capability.EVENT_HISTORY``."""

    async def event_history(self, workflow_id: str) -> Sequence[Event]:
        """Return the engine's own events in order; ``WorkflowNotFoundError`` for an unknown saga."""


@runtime_checkable
class Schedules(Protocol):
    """``Capability.SCHEDULES``: an answer means that the engine's own scheduler has taken the change."""

    async def schedule(self, saga: Saga, schedule_id: str, every: timedelta) -> None:
        """Start a saga in every period from the next one on, whether that of the last still runs or not.

        What the saga of a period is called, and what its input is, ``bakeoff.schedules`` says.

        Raises:
            ScheduleRefusedError: If there is one of this id, or the period means nothing.
        """

    async def unschedule(self, schedule_id: str) -> None:
        """Start nothing more; what has been started goes on. ``UnknownNameError`` if there is no such one."""

    async def schedules(self) -> Sequence[Schedule]:
        """Return every schedule of this deployment, by its id."""


@runtime_checkable
class HasScheduler(Protocol):
    """An engine whose scheduler is a process beside the workers, which reads the schedules when it starts.

    The harness runs it while there are any, and starts it anew when they change (``bakeoff.scheduler``).
    """

    def scheduler_command(self, deployment: Deployment) -> Sequence[str]:
        """Return argv of that process; it announces itself to the World as a ``scheduler``."""


@runtime_checkable
class Redrives(Protocol):
    """``Means.REDRIVE``."""

    async def redrive(self, workflow_id: str, step: str | None = None) -> str:
        """Go on with a saga that is stuck or ended ``compensation_failed``; return what was done, in a line.

        The caller has made sure that a running one makes no progress. What has taken effect may be attempted
        again: idempotency keys keep it single.

        Args:
            workflow_id: The saga.
            step: Of several compensations that gave up, the one to begin with.

        Raises:
            WorkflowNotFoundError: For an unknown saga.
            RedriveRefusedError: If there is nothing to redrive: it is completed or compensated, it waits,
                its message is still in the engine's hands, or nothing is left to publish it from.
        """


@runtime_checkable
class HasDeadLetters(Protocol):
    """``Means.DEAD_LETTERS``."""

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """Return at most ``limit`` messages that were given up, newest first; nothing is taken away."""

    async def requeue(self, message_id: str) -> DeadLetter:
        """Put one back into its queue, with all its attempts before it.

        Raises:
            UnknownNameError: If there is no such dead letter.
            RedriveRefusedError: If nothing waits for it, or nobody can read it.
        """


@runtime_checkable
class HasWindows(Protocol):
    """An engine whose workers can be caught at places of its own; its adapter stops there by
    ``Participant.reach``, outside any transaction.
    """

    def windows(self, saga: Saga, settings: SettingsInForce) -> Sequence[Window]:
        """Every window of every call of the saga, in the order in which they open."""


@runtime_checkable
class ShowsSagas(Protocol):
    """An engine with a web UI of its own, in which a person can look at a saga."""

    async def page_of(self, deployment: Deployment, workflow_id: str) -> Page:
        """The page of one saga, asked for now, so that nobody is sent to one that is gone.

        Args:
            deployment: Of a running deployment; or what is left of one that is over: its settings as they are
                shown, its prefix and its external servers, without addresses and pages.
            workflow_id: The saga.
        """


@runtime_checkable
class KeepsFiles(Protocol):
    """An engine that keeps state in files without a server; they are on its bill."""

    def kept_files(self, deployment: Deployment) -> Sequence[Path]:
        """Every file that it writes outside its servers' folders; those that are not there yet, too."""


@runtime_checkable
class HasBilling(Protocol):
    """A client of an engine that is also sold by the *billable action* (which is no action of a step).

    Attributes:
        billing_note: By whose rules, and what cannot be counted after the fact; printed beside every number.
    """

    billing_note: str

    async def billable_actions(self, workflow_id: str) -> Mapping[str, int]:
        """``{the seller's name: how many}`` for a saga that has settled; ``WorkflowNotFoundError``."""


@runtime_checkable
class SkipsTime(Protocol):
    """An engine that can run on a server whose clock jumps, so that a timer of thirty days can be tested."""

    def skipping_time(self, settings: SettingsInForce) -> SettingsInForce:
        """Return the same settings with that server; its client is a ``MovesClock``."""


@runtime_checkable
class MovesClock(Protocol):
    """A client of a deployment whose server skips time."""

    async def skip_time(self, seconds: float) -> None:
        """Let so much time pass at once."""
