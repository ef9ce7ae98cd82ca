"""The client of the in-process engine: a dictionary of running sagas."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence

from bakeoff.errors import (
    ResultTimeoutError,
    SignalRejectedError,
    UnserialisableError,
    WorkflowConflictError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import Description, Listed, Outcome, Status
from bakeoff.saga import JSON, Saga, Wait
from bakeoff.world import Participant
from bakeoff_inline.execution import Execution
from bakeoff_inline.slots import Slots


class InlineClient:
    """Starts sagas as tasks of the running loop; steps run in a pool of threads."""

    #: What runs one saga; a saboteur of the contract suite puts its own here.
    execution_class: type[Execution] = Execution

    def __init__(self, participant: Participant, threads: int) -> None:
        self._participant = participant
        self._slots = Slots(threads)
        self._executions: dict[str, Execution] = {}
        self._tasks: dict[str, asyncio.Task[Outcome]] = {}

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Start a saga in this process."""
        try:
            text = json.dumps(input, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UnserialisableError(f"{workflow_id}: the input is not JSON: {error}") from error
        known = self._executions.get(workflow_id)
        if known is not None:
            if (known.saga.name, known.input_text) != (saga.name, text):
                raise WorkflowConflictError(f"{workflow_id} exists already with another saga or input")
            return False
        # Looked up by name, as an engine with workers does: the caller's object is only a name for it.
        execution = self.execution_class(
            self._participant, self._slots, self._participant.saga(saga.name), workflow_id, text
        )
        self._executions[workflow_id] = execution
        self._tasks[workflow_id] = asyncio.create_task(execution.run(), name=workflow_id)
        return True

    def _find(self, workflow_id: str) -> Execution:
        try:
            return self._executions[workflow_id]
        except KeyError:
            raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started in this process") from None

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for the terminal outcome."""
        self._find(workflow_id)
        done, _ = await asyncio.wait([self._tasks[workflow_id]], timeout=timeout_s)
        if not done:
            raise ResultTimeoutError(f"{workflow_id} has not settled within {timeout_s} s")
        return self._tasks[workflow_id].result()

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Deliver a signal to a saga of this process."""
        execution = self._find(workflow_id)
        if not any(isinstance(element, Wait) and element.name == name for element in execution.saga.elements):
            raise SignalRejectedError(f"{workflow_id} never waits for {name!r}")
        try:
            plain = json.loads(json.dumps(payload, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise UnserialisableError(f"{workflow_id}: the payload is not JSON: {error}") from error
        return execution.signal(name, signal_id, plain)

    async def cancel(self, workflow_id: str) -> None:
        """Request a cancel."""
        self._find(workflow_id).cancel()

    async def describe(self, workflow_id: str) -> Description:
        """Tell where the saga is."""
        return self._find(workflow_id).describe()

    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        """The sagas of this process, newest first."""
        listed = [
            Listed(workflow_id, execution.status, execution.saga.name)
            for workflow_id, execution in reversed(self._executions.items())
        ]
        return [item for item in listed if status is None or item.status is status][:limit]

    async def close(self) -> None:
        """Drop what still runs, as the end of the process would."""
        for task in self._tasks.values():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._slots.close()
        await asyncio.to_thread(self._participant.close)  # the last spans may take their time
