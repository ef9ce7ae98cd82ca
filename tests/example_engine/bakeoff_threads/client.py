"""The client, and the loop over the steps."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from bakeoff.deployment import Deployment
from bakeoff.errors import (
    BusinessError,
    NotSupportedError,
    ResultTimeoutError,
    UnserialisableError,
    WorkflowConflictError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import JSON, Direction, Saga, Step
from bakeoff.world import Participant


@dataclass
class Execution:
    """One saga; S1 to S10 are in docs/semantics.md."""

    participant: Participant
    saga: Saga
    workflow_id: str
    input: JSON
    results: dict[str, JSON] = field(default_factory=dict)

    async def run(self) -> Outcome:
        """Forward, and back again where it must."""
        undo: list[Step] = []
        for step in self.saga.steps():
            error, faulted = await self.attempt(step, "action")
            if error is None or faulted:  # S3: it succeeded, or may have had an effect
                undo.append(step)
            if error is not None:
                failed = [name for step in reversed(undo) if (name := await self.undo(step))]
                status = Status.COMPENSATION_FAILED if failed else Status.COMPENSATED
                cause = Cause(type(error).__name__, str(error), step.name)
                return Outcome(status, self.results, cause, tuple(failed))
        return Outcome(Status.COMPLETED, self.results)

    async def undo(self, step: Step) -> str | None:
        """Compensate; the step's name if that gave up (S4)."""
        if step.compensation is None:
            return None
        error, _ = await self.attempt(step, "compensation")
        return step.name if error else None

    async def attempt(self, step: Step, direction: Direction) -> tuple[Exception | None, bool]:
        """Try until it succeeds or gives up: the last error, and whether any attempt was a fault (S2)."""
        policy, number, faulted = self.saga.retry_of(step, direction), 1, False
        while True:
            try:
                result = await asyncio.to_thread(
                    self.participant.perform,
                    *(self.saga.name, step.name, direction),
                    workflow_id=self.workflow_id,
                    input=self.input,
                    results=dict(self.results),
                    attempt=number,
                    own_result=self.results.get(step.name) if direction == "compensation" else None,
                )
                if direction == "action":
                    self.results[step.name] = result
                return None, faulted
            except BusinessError as error:
                return error, faulted
            except Exception as error:
                faulted = True
                if policy.exhausted(number):
                    return error, faulted
            await asyncio.sleep(policy.delay_after(number).total_seconds())
            number += 1


class ThreadsClient:
    """Starts sagas and tells how they ended."""

    def __init__(self, deployment: Deployment) -> None:
        self._participant = Participant.of(deployment)
        self._started: dict[str, tuple[str, str]] = {}
        self._tasks: dict[str, asyncio.Task[Outcome]] = {}

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """S6: one execution per workflow id."""
        if saga.pivot_index() is not None or not all(isinstance(item, Step) for item in saga.elements):
            raise NotSupportedError("threads runs plain steps only")
        try:
            identity = (saga.name, json.dumps(input, sort_keys=True, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise UnserialisableError(f"{workflow_id}: the input is not JSON: {error}") from error
        if self._started.setdefault(workflow_id, identity) != identity:
            raise WorkflowConflictError(f"{workflow_id} exists already with another saga or input")
        if workflow_id in self._tasks:
            return False
        execution = Execution(self._participant, saga, workflow_id, json.loads(identity[1]))
        self._tasks[workflow_id] = asyncio.create_task(execution.run())
        return True

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """S5: the terminal outcome."""
        if workflow_id not in self._tasks:
            raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started in this process")
        done, _ = await asyncio.wait([self._tasks[workflow_id]], timeout=timeout_s)
        if not done:
            raise ResultTimeoutError(f"{workflow_id} has not settled within {timeout_s} s")
        return self._tasks[workflow_id].result()

    async def close(self) -> None:
        """Leave nothing running."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._participant.world.close()
