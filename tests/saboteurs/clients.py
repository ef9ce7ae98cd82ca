"""Saboteurs of what a client may ask: start, result, signal, cancel, describe, list, history."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bakeoff.errors import (
    ResultTimeoutError,
    SignalRejectedError,
    WorkflowConflictError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import Cause, Description, Event, Listed, Outcome, Status
from bakeoff.saga import JSON, Element, Saga, Step, Wait
from bakeoff_inline.execution import Execution
from tests.saboteurs.around_inline import CheatingClient

# -- start and result ------------------------------------------------------------------------------


class AcceptsDuplicateStarts(CheatingClient):
    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        self._executions.pop(workflow_id, None)
        return await super().start(saga, workflow_id, input)


class ActsAgainOnDuplicateStarts(CheatingClient):
    """Says that it exists, and runs it all the same."""

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        first = await super().start(saga, workflow_id, input)
        if not first:
            self._executions.pop(workflow_id)
            await super().start(saga, workflow_id, input)
        return first


class AcceptsConflictingStarts(CheatingClient):
    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        try:
            return await super().start(saga, workflow_id, input)
        except WorkflowConflictError:
            return False


class ComparesInputsAsText(CheatingClient):
    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        known = self._executions.get(workflow_id)
        if known is not None and json.dumps(input) != known.first_text:  # type: ignore[attr-defined]
            raise WorkflowConflictError(workflow_id)
        started = await super().start(saga, workflow_id, input)
        if started:
            self._executions[workflow_id].first_text = json.dumps(input)  # type: ignore[attr-defined]
        return started


class ChecksThenStarts(CheatingClient):
    """Between the look and the start anything may happen."""

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        exists = workflow_id in self._executions
        await asyncio.sleep(0.01)
        if not exists:
            self._executions.pop(workflow_id, None)
        return await super().start(saga, workflow_id, input)


class AcceptsAnyInput(CheatingClient):
    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        return await super().start(saga, workflow_id, json.loads(json.dumps(input, default=str)))


class WaitsForStrangers(CheatingClient):
    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        if workflow_id not in self._executions:
            await asyncio.sleep(timeout_s)
            raise ResultTimeoutError(workflow_id)
        return await super().result(workflow_id, timeout_s)


class EndsSagasWithTheCallersPatience(CheatingClient):
    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        try:
            return await super().result(workflow_id, timeout_s)
        except ResultTimeoutError:
            self._tasks[workflow_id].cancel()
            raise


class TellsAnOutcomeOnce(CheatingClient):
    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        outcome = await super().result(workflow_id, timeout_s)

        async def forgotten() -> Outcome:
            return Outcome(outcome.status)

        self._tasks[workflow_id] = asyncio.ensure_future(forgotten())
        return outcome


# -- signals ---------------------------------------------------------------------------------------


class DropsEarlySignals(Execution):
    def signal(self, name: str, signal_id: str, payload: JSON) -> bool:
        if self._now.get("awaiting") != name:
            return True
        return super().signal(name, signal_id, payload)


class CountsRepeatedSignals(Execution):
    def signal(self, name: str, signal_id: str, payload: JSON) -> bool:
        self._signal_ids.discard(signal_id)
        self._signals.pop(name, None)
        self._passed_waits.discard(name)
        return super().signal(name, signal_id, payload)


class SwallowsLateSignals(Execution):
    def signal(self, name: str, signal_id: str, payload: JSON) -> bool:
        with contextlib.suppress(SignalRejectedError):
            return super().signal(name, signal_id, payload)
        return True


class LosesPayloads(Execution):
    def signal(self, name: str, signal_id: str, payload: JSON) -> bool:
        return super().signal(name, signal_id, None)


class TakesAnySignalForAnyWait(Execution):
    def signal(self, name: str, signal_id: str, payload: JSON) -> bool:
        return super().signal(str(self._now.get("awaiting") or "approved"), signal_id, payload)


class MixesUpSignals(Execution):
    """One mailbox for all sagas."""

    _mailbox: dict[str, list[JSON]] = {}

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._signals = self._mailbox

    def signal(self, name: str, signal_id: str, payload: JSON) -> bool:
        if signal_id in self._signal_ids:
            return False
        self._signal_ids.add(signal_id)
        self._mailbox.setdefault(name, []).insert(0, payload)
        asyncio.get_running_loop().call_later(0.2, self._arrived.set)
        return True


class ForgetsWhatWasBeforeAWait(Execution):
    async def _wait(self, wait: Wait) -> JSON:
        payload = await super()._wait(wait)
        self._undo.clear()
        return payload


class AcceptsSignalsForStrangers(CheatingClient):
    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        if workflow_id not in self._executions:
            return True
        return await super().signal(workflow_id, name, signal_id, payload)


class AcceptsSignalsOfAnyName(CheatingClient):
    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        return self._find(workflow_id).signal(name, signal_id, payload)


class ChecksThenSignals(CheatingClient):
    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        known = signal_id in self._find(workflow_id)._signal_ids
        await asyncio.sleep(0.01)
        if known:
            return False
        with contextlib.suppress(SignalRejectedError):
            await super().signal(workflow_id, name, signal_id, payload)
        return True


# -- cancel ----------------------------------------------------------------------------------------


class IgnoresCancels(Execution):
    def cancel(self) -> None:
        return


class NoticesCancelsAtTheEnd(Execution):
    """Not where a step, a wait, a sleep or a pause ends, but before the last word."""

    def _check_cancel(self, step: str) -> None:
        if step == self.saga.elements[-1].name:
            super()._check_cancel(step)

    async def _cancelled_within(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return False


class CancelInterruptsCompensations(Execution):
    _backward = False

    def cancel(self) -> None:
        if not self._backward:
            super().cancel()
        self._interrupted = self._backward

    async def _compensate(self, cause: Cause) -> Outcome:
        self._backward, self._interrupted = True, False
        return await super()._compensate(cause)

    async def _undo_step(self, step: Step) -> str | None:
        return None if self._interrupted else await super()._undo_step(step)


class CancelsAfterTheEnd(Execution):
    def cancel(self) -> None:
        if self.status.settled:
            self._late = asyncio.ensure_future(self._compensate(Cause("Cancelled", "", "")))
        super().cancel()


class CancelsAtAndAfterThePivot(Execution):
    def cancel(self) -> None:
        self._irrevocable = False
        self._cancelled.set()


class TakesTheLastStepForAPivot(Execution):
    """The point of no return is its start, not its success."""

    async def _element(self, element: Element) -> None:
        self._irrevocable |= element is self.saga.elements[-1]
        await super()._element(element)


class CancelsTwice(Execution):
    _cancels = 0

    def cancel(self) -> None:
        self._cancels += 1
        super().cancel()

    async def _undo_step(self, step: Step) -> str | None:
        failed = None
        for _ in range(max(1, self._cancels)):
            failed = await super()._undo_step(step)
        return failed


class CancelsStrangers(CheatingClient):
    async def cancel(self, workflow_id: str) -> None:
        with contextlib.suppress(WorkflowNotFoundError):
            await super().cancel(workflow_id)


# -- what an engine tells --------------------------------------------------------------------------


class DescribesNothing(Execution):
    """Whatever is asked: it runs."""

    def describe(self) -> Description:
        return Description(status=Status.RUNNING)


class DescribesStrangers(CheatingClient):
    async def describe(self, workflow_id: str) -> Description:
        if workflow_id not in self._executions:
            return Description(status=Status.RUNNING)
        return await super().describe(workflow_id)


class ListsEverythingAsRunning(CheatingClient):
    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        everything = await super().list_sagas(None, limit)
        return [replace(item, status=status or Status.RUNNING) for item in everything]


class InventsHistories(CheatingClient):
    """Claims an event history and makes one up, for strangers too."""

    async def event_history(self, workflow_id: str) -> Sequence[Event]:
        return [Event(time.time(), "started", workflow_id), Event(time.time(), "ended", workflow_id)]
