"""One saga, executed: forward, and back again where it must."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import time
from collections.abc import Iterable

from bakeoff.errors import BusinessError, ConditionError, SignalRejectedError
from bakeoff.outcome import Cause, Description, Outcome, Status
from bakeoff.saga import JSON, Direction, Element, Parallel, Saga, Sleep, Step, Wait
from bakeoff.telemetry import carried, with_headers
from bakeoff.world import Participant
from bakeoff_inline.slots import Slots


class _ForwardEnded(Exception):
    """The forward direction is over; ``args[0]`` is the cause (S2)."""

    @property
    def cause(self) -> Cause:
        cause = self.args[0]
        assert isinstance(cause, Cause)
        return cause


class _Exhausted(Exception):
    """A step with an escalation has exhausted its retries; ``args`` are the step and the cause."""


class Execution:
    """State and behaviour of one saga. All methods run on the loop; only attempts run in threads."""

    def __init__(
        self,
        participant: Participant,
        slots: Slots,
        saga: Saga,
        workflow_id: str,
        input_text: str,
    ) -> None:
        self.saga = saga
        self.input_text = input_text
        self.status = Status.RUNNING
        self._participant = participant
        self._slots = slots
        self._workflow_id = workflow_id
        self._headers = carried()
        self._results: dict[str, JSON] = {}
        #: Steps to undo, oldest group first; members of one inner list undo in any order.
        self._undo: list[list[Step]] = []
        self._signals: dict[str, list[JSON]] = {}
        self._signal_ids: set[str] = set()
        self._passed_waits: set[str] = set()
        self._arrived = asyncio.Event()
        self._cancelled = asyncio.Event()
        self._irrevocable = False
        self._now: dict[str, JSON] = {}
        #: Steps that were exhausted and whose own undo gave up.
        self._gave_up: list[str] = []

    # -- what a client may do ------------------------------------------------------------------

    def signal(self, name: str, signal_id: str, payload: JSON) -> bool:
        """Keep a signal for its wait; ``False`` for a repeated id; raise if it is too late (S7)."""
        if signal_id in self._signal_ids:
            return False
        if self.status.settled or name in self._passed_waits or self._signals.get(name):
            raise SignalRejectedError(f"{self._workflow_id}: {name!r} came too late")
        self._signal_ids.add(signal_id)
        self._signals.setdefault(name, []).append(payload)
        self._arrived.set()
        return True

    def cancel(self) -> None:
        """Request a cancel; without effect once the point of no return is reached (S9)."""
        if not self._irrevocable and not self.status.settled:
            self._cancelled.set()

    def describe(self) -> Description:
        """What is known now."""
        return Description(status=self.status, saga=self.saga.name, **self._now)

    # -- the process ---------------------------------------------------------------------------

    async def run(self) -> Outcome:
        """Execute until settled."""
        try:
            try:
                await self._along(0)
            except _Exhausted as exhausted:
                await self._escalate(*exhausted.args)
            self._irrevocable = True
            outcome = Outcome(Status.COMPLETED, dict(self._results))
        except _ForwardEnded as ended:
            outcome = await self._compensate(ended.cause)
        self.status = outcome.status
        self._now = {"last_error": self._now.get("last_error")}
        return outcome

    async def _along(self, start: int) -> None:
        """Go one stretch: the ordinary way, or an escalation."""
        elements = self.saga.stretch(start)
        for element in elements:
            self._check_cancel(element.name)
            await self._element(element)
        self._check_cancel(elements[-1].name)

    async def _escalate(self, step: Step, cause: Cause) -> None:
        """Undo the exhausted step, which may have had an effect, and go on with its escalation."""
        self._pass_by(self.saga.left_behind(step))
        if await self._undo_step(step) is not None:
            self._gave_up.append(step.name)
            raise _ForwardEnded(cause)
        await self._along(self.saga.index_of(str(step.on_exhausted)))

    def _pass_by(self, elements: Iterable[Element]) -> None:
        """Let no wait among them take a signal any more."""
        self._passed_waits.update(element.name for element in elements)

    def _check_cancel(self, step: str) -> None:
        if self._cancelled.is_set() and not self._irrevocable:
            raise _ForwardEnded(Cause("Cancelled", "cancelled by request", step))

    async def _element(self, element: Element) -> None:
        match element:
            case Step():
                self._irrevocable |= element.pivot
                error = await self._forward([element])
            case Parallel(steps=steps):
                error = await self._forward(list(steps))
            case Wait():
                if self._is_due(element):
                    self._results[element.name] = await self._wait(element)
                else:
                    self._passed_waits.add(element.name)
                return
            case Sleep():
                await self._sleep(element)
                return
        if error is not None:
            raise _ForwardEnded(error)
        if isinstance(element, Step) and element.pivot:
            self._undo.clear()
        if isinstance(element, Step) and element.on_exhausted is not None:
            self._pass_by(self.saga.out_of_reach(element))

    def _is_due(self, element: Step | Wait) -> bool:
        try:
            return self.saga.is_due(element, json.loads(self.input_text), self._results)
        except ConditionError as error:
            raise _ForwardEnded(Cause(type(error).__name__, str(error), element.name)) from error

    async def _forward(self, steps: list[Step]) -> Cause | None:
        """Run steps at once; all have settled when this returns the first cause, if there is one."""
        undo: list[Step] = []
        self._undo.append(undo)
        if len(steps) == 1:  # spares a task: this is the baseline that others are compared with
            return await self._step(steps[0], undo)
        causes = await asyncio.gather(*(self._step(step, undo) for step in steps))
        return next((cause for cause in causes if cause is not None), None)

    async def _step(self, step: Step, undo: list[Step]) -> Cause | None:
        """Attempt an action until it succeeds or its policy gives up; note what must be undone (S3)."""
        if step.when is not None:
            try:
                if not self._is_due(step):
                    return None
            except _ForwardEnded as ended:
                return ended.cause
        policy = self.saga.retry_of(step)
        attempt = 1
        while True:
            try:
                self._results[step.name] = await self._attempt(step, "action", attempt)
                undo.append(step)
                return None
            except BusinessError as error:
                if attempt > 1:
                    undo.append(step)
                return Cause(type(error).__name__, str(error), step.name)
            except Exception as error:  # whatever an action raises is a fault
                self._now["last_error"] = f"{type(error).__name__}: {error}"
                if policy.exhausted(attempt):
                    cause = Cause(type(error).__name__, str(error), step.name)
                    if step.on_exhausted is not None:
                        raise _Exhausted(step, cause) from error
                    undo.append(step)
                    return cause
            pause = policy.delay_after(attempt).total_seconds()
            self._now["next_retry_at"] = time.time() + pause
            if await self._cancelled_within(pause):
                undo.append(step)
                return Cause("Cancelled", "cancelled by request", step.name)
            attempt += 1

    async def _attempt(self, step: Step, direction: Direction, attempt: int) -> JSON:
        name = step.name if direction == "action" else step.compensation_name
        self._now = {"current_step": name, "attempt": attempt, "last_error": self._now.get("last_error")}
        call = functools.partial(
            self._participant.perform,
            self.saga.name,
            step.name,
            direction,
            workflow_id=self._workflow_id,
            input=json.loads(self.input_text),
            results=json.loads(json.dumps(self._results)),
            attempt=attempt,
            own_result=self._results.get(step.name) if direction == "compensation" else None,
        )
        timeout = self.saga.timeout_of(step, direction).total_seconds()
        try:
            # One that timed out may still act in its thread, and then meets a stored result or a tombstone.
            result = await self._slots.run(with_headers(self._headers, call), timeout)
        except TimeoutError as error:
            raise TimeoutError(f"{name} exceeded its start-to-close timeout of {timeout} s") from error
        return json.loads(json.dumps(result))

    async def _wait(self, wait: Wait) -> JSON:
        self._now = {"awaiting": wait.name}
        timeout = wait.timeout.total_seconds() if wait.timeout else None
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._signals.get(wait.name):
            self._check_cancel(wait.name)
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                self._passed_waits.add(wait.name)
                if wait.on_timeout == "continue":
                    return None
                raise _ForwardEnded(
                    Cause("WaitTimeout", f"no signal {wait.name!r} within {timeout} s", wait.name)
                )
            self._arrived.clear()
            await self._either(self._arrived, self._cancelled, left)
        self._passed_waits.add(wait.name)
        return self._signals[wait.name].pop(0)

    async def _sleep(self, sleep: Sleep) -> None:
        self._now = {"current_step": sleep.name}
        if await self._cancelled_within(sleep.duration.total_seconds()):
            self._check_cancel(sleep.name)
        self._results[sleep.name] = None

    async def _cancelled_within(self, seconds: float) -> bool:
        """Sleep, but return ``True`` at once when a cancel takes effect."""
        if self._irrevocable:
            await asyncio.sleep(seconds)
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._cancelled.wait()
        return self._cancelled.is_set()

    @staticmethod
    async def _either(first: asyncio.Event, second: asyncio.Event, timeout: float | None) -> None:
        waiting = [asyncio.create_task(first.wait()), asyncio.create_task(second.wait())]
        try:
            await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def _compensate(self, cause: Cause) -> Outcome:
        failed = list(self._gave_up)
        for group in reversed(self._undo):
            gave_up = await asyncio.gather(*(self._undo_step(step) for step in group))
            failed.extend(name for name in gave_up if name is not None)
        status = Status.COMPENSATION_FAILED if failed else Status.COMPENSATED
        return Outcome(status, dict(self._results), cause, tuple(failed))

    async def _undo_step(self, step: Step) -> str | None:
        """Compensate one step; return its name if its policy gave up (S4)."""
        if step.compensation is None:
            return None
        attempt = 1
        while True:
            try:
                await self._attempt(step, "compensation", attempt)
                return None
            except Exception as error:  # as in _step
                self._now["last_error"] = f"{type(error).__name__}: {error}"
                if step.compensation_retry.exhausted(attempt):
                    return step.name
            await asyncio.sleep(step.compensation_retry.delay_after(attempt).total_seconds())
            attempt += 1
