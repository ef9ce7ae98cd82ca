"""What a contract test is given: one running engine, spoken to without ``await``."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bakeoff.contract.stack_thread import StackThread
from bakeoff.contract.statuses import Unknown
from bakeoff.contract.trace import Trace
from bakeoff.engine import Cancels, Describes, EngineClient, HasEventHistory, Lists, Signals
from bakeoff.outcome import Description, Event, Listed, Outcome, Status
from bakeoff.processes import kill_session
from bakeoff.saga import JSON, Saga
from bakeoff.servers import restart_server
from bakeoff.signals import deliver, waits_for
from bakeoff.stack import Stack
from bakeoff.world import Fate

T = TypeVar("T")

#: Seconds in which one request to an engine must be answered.
_ANSWER_S = 20.0
_POLL_S = 0.01
#: Default input of a saga; any JSON would do.
INPUT: JSON = {"traveller": "Ada", "nights": 3}

Fates = Mapping[str, Fate]


@dataclass(slots=True)
class Lab:
    """One engine in one test.

    Attributes:
        stack: The running engine.
        thread: Where its loop runs.
        hint: Put into every workflow id, so that logs tell which test it belongs to.
        patience_s: Seconds within which anything that must happen happens.
        started: Sagas of this test.
    """

    stack: Stack
    thread: StackThread
    hint: str
    patience_s: float = 30.0
    started: list[Started] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        """A workflow id that nobody used before."""
        return f"{self.hint}-{next(self._numbers)}"

    def start(
        self,
        saga: Saga,
        input: JSON = INPUT,
        *,
        fates: Fates | None = None,
        workflow_id: str | None = None,
    ) -> Started:
        """Start a saga whose calls suffer ``fates``: ``{"step:action" or "step:compensation": Fate}``."""
        started = self.prepare(saga, input, fates=fates, workflow_id=workflow_id)
        assert started.start(), f"{started.workflow_id} is new, but the engine says that it exists"
        return started

    def prepare(
        self,
        saga: Saga,
        input: JSON = INPUT,
        *,
        fates: Fates | None = None,
        workflow_id: str | None = None,
    ) -> Started:
        """The same without starting it."""
        started = Started(self, saga, workflow_id or self.new_id(), input)
        self.stack.world.set_fate(started.workflow_id, fates or {})
        self.started.append(started)
        return started

    def settle(self, saga: Saga, input: JSON = INPUT, *, fates: Fates | None = None) -> Settled:
        """Start a saga, wait for its outcome and return both it and what the ledger says."""
        return self.start(saga, input, fates=fates).settled()

    def settle_all(self, plans: Sequence[tuple[Saga, Fates]], input: JSON = INPUT) -> list[Settled]:
        """The same for several sagas at once."""
        all_started = [self.start(saga, input, fates=fates) for saga, fates in plans]
        return [started.settled() for started in all_started]

    def ask(self, work: Callable[[EngineClient], Awaitable[T]], timeout_s: float = _ANSWER_S) -> T:
        """Run ``await work(client)`` in the engine's loop."""

        async def run() -> T:
            return await work(self.stack.client)

        return self.thread.call(run, timeout_s)

    def kill_broker(self, away_s: float = 0.0) -> None:
        """SIGKILL the engine's first server; start it again on its data and ports; wait for its answer.

        ``away_s``: seconds before it is started again.
        """
        broker, launcher = self.stack.servers[0], self.stack.launcher
        child = broker.child
        if child is None:
            raise Unknown("a server that we did not start is not killed")

        async def restart() -> None:
            kill_session(child.pid)
            await asyncio.sleep(away_s)
            await restart_server(broker, launcher)

        self.thread.call(restart, away_s + broker.server.ready_within_s + _ANSWER_S)

    def until(self, what: str, found: Callable[[], T | None], within_s: float | None = None) -> T:
        """Poll until ``found()`` is neither ``None`` nor false; fail with ``what`` after the patience."""
        deadline = time.monotonic() + (within_s or self.patience_s)
        while True:
            over = time.monotonic() >= deadline  # before the last look: what is true by then is true
            value = found()
            if value:
                return value
            self._workers_go_on()
            assert not over, f"{what}: not within {within_s or self.patience_s:.0f} s"
            time.sleep(_POLL_S)

    def _workers_go_on(self) -> None:
        """Say why nothing will happen any more, where the supervisor has given the workers up."""
        if (failure := self.stack.failure) is not None:
            raise failure

    def never(self, what: str, seen: Callable[[], object], for_s: float) -> None:
        """Watch for ``for_s`` seconds that ``seen()`` stays false."""
        deadline = time.monotonic() + for_s
        while True:
            assert not seen(), what
            if time.monotonic() >= deadline:
                return
            time.sleep(_POLL_S)


@dataclass(slots=True)
class Settled:
    """The end of a saga: the engine's word and the ledger's."""

    started: Started
    outcome: Outcome
    trace: Trace

    @property
    def story(self) -> list[str]:
        """See ``Trace.story``."""
        return self.trace.story()

    @property
    def counts(self) -> dict[str, int]:
        """See ``Trace.attempt_counts``."""
        return self.trace.attempt_counts()


@dataclass(slots=True)
class Started:
    """One saga of a test and what can be asked of it."""

    lab: Lab
    saga: Saga
    workflow_id: str
    input: JSON

    def start(self) -> bool:
        """Start it (again): the engine's answer."""
        answer = self.lab.ask(lambda client: client.start(self.saga, self.workflow_id, self.input))
        assert isinstance(answer, bool), f"start() answered {answer!r}"
        return answer

    def outcome(self, timeout_s: float | None = None) -> Outcome:
        """Wait for the engine's word."""
        patience = timeout_s or self.lab.patience_s
        outcome = self.lab.ask(lambda client: client.result(self.workflow_id, patience), patience + _ANSWER_S)
        assert isinstance(outcome, Outcome), f"result() answered {outcome!r}"
        return outcome

    def settled(self, timeout_s: float | None = None) -> Settled:
        """Wait for the end."""
        outcome = self.outcome(timeout_s)
        return Settled(self, outcome, self.trace())

    def trace(self) -> Trace:
        """What the services have seen of it so far."""
        return Trace(self.lab.stack.world.ledger(workflow_id=self.workflow_id))

    def until_attempted(self, step: str, times: int = 1) -> Trace:
        """Wait until a step's action has been attempted so often."""
        return self._until(f"attempt {times} of {step}", lambda t: len(t.attempts(step)) >= times)

    def until_undo_attempted(self, step: str) -> Trace:
        """Wait until a step's compensation has been attempted."""
        return self._until(f"compensation of {step}", lambda t: len(t.attempts(step, "compensation")) >= 1)

    def until_done(self, word: str) -> Trace:
        """Wait until ``word`` (as in ``Trace.story``) took effect."""
        return self._until(f"{word!r}", lambda t: word in t.story())

    def _until(self, what: str, found: Callable[[Trace], bool]) -> Trace:
        def look() -> Trace | None:
            trace = self.trace()
            return trace if found(trace) else None

        return self.lab.until(f"{self.workflow_id}: {what}", look)

    # -- optional powers -----------------------------------------------------------------------

    def signal(self, name: str, payload: JSON = None, *, signal_id: str = "signal-1") -> bool:
        """Deliver a signal, by the name of its wait or by its outside name."""

        async def bring(client: EngineClient) -> bool:
            assert isinstance(client, Signals), _without("signal")
            if not waits_for(self.saga, name):  # that nobody waits for it the engine itself must say
                return await client.signal(self.workflow_id, name, signal_id, payload)
            return await deliver(client, self.saga, self.workflow_id, name, signal_id, payload)

        answer = self.lab.ask(bring)
        assert isinstance(answer, bool), f"signal() answered {answer!r}"
        return answer

    def cancel(self) -> None:
        """Request a cancel."""

        async def request(client: EngineClient) -> None:
            assert isinstance(client, Cancels), _without("cancel")
            await client.cancel(self.workflow_id)

        self.lab.ask(request)

    def describe(self) -> Description:
        """Ask where it is."""

        async def ask(client: EngineClient) -> Description:
            assert isinstance(client, Describes), _without("describe")
            return await client.describe(self.workflow_id)

        answer = self.lab.ask(ask)
        assert isinstance(answer, Description), f"describe() answered {answer!r}"
        return answer

    def event_history(self) -> Sequence[Event]:
        """Ask for the engine's own events."""

        async def ask(client: EngineClient) -> Sequence[Event]:
            assert isinstance(client, HasEventHistory), _without("event_history")
            return await client.event_history(self.workflow_id)

        answer = self.lab.ask(ask)
        assert isinstance(answer, Sequence), f"event_history() answered {answer!r}"
        return answer

    def listed(self, status: Status | None = None) -> Listed | None:
        """Look for it in the engine's own list."""

        async def ask(client: EngineClient) -> Sequence[Listed]:
            assert isinstance(client, Lists), _without("list_sagas")
            return await client.list_sagas(status, 1000)

        answer = self.lab.ask(ask)
        assert isinstance(answer, Sequence), f"list_sagas() answered {answer!r}"
        found = [item for item in answer if item.workflow_id == self.workflow_id]
        assert len(found) <= 1, f"listed {len(found)} times"
        return found[0] if found else None


def _without(method: str) -> str:
    return f"the capability is declared, but the client has no method {method}()"
