"""The client: what the harness and people ask of a running deployment, in Temporal's terms."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from bakeoff.deployment import Deployment
from bakeoff.errors import (
    BakeoffError,
    NotSupportedError,
    ResultTimeoutError,
    ServerAwayError,
    SignalRejectedError,
    StartUnknownError,
    UnknownNameError,
    UnserialisableError,
    WorkflowConflictError,
    WorkflowError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import Description, Event, Listed, Outcome, Status
from bakeoff.saga import JSON, Saga
from bakeoff.schedules import Schedule
from bakeoff.servers import server_away
from bakeoff_temporal import billing, queries, schedules
from bakeoff_temporal.connection import DRAIN_S, ROLE, task_queue
from bakeoff_temporal.failures import outcome_of
from bakeoff_temporal.local import LOCAL
from bakeoff_temporal.redriving import redrive
from bakeoff_temporal.route import memo_of
from bakeoff_temporal.settings import NO_CANCEL

#: gRPC says these when nobody can know whether the request was carried out.
_UNKNOWN = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})

_RECONNECT_PAUSE_S = 0.2
#: Seconds that a look may take whether the server is there at all.
_LOOK_S = 2.0

Handle = WorkflowHandle[object, object]


class TemporalClient:
    """A connected client; see ``bakeoff.engine.EngineClient`` and the protocols beside it."""

    billing_note = billing.NOTE

    def __init__(self, client: Client, deployment: Deployment) -> None:
        self._client = client
        self._deployment = deployment
        self._queue = task_queue(deployment)
        settings = deployment.settings
        local = bool(settings["local_activities"])
        self._local = {LOCAL: True} if local else {}
        self._task_timeout = timedelta(seconds=settings["workflow_task_timeout_s"]) if local else None

    def _handle(self, workflow_id: str) -> Handle:
        return self._client.get_workflow_handle(self._deployment.native_id(workflow_id))

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Start a workflow whose type is the saga's name; an id is never used twice (S6)."""
        try:
            text = json.dumps(input, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UnserialisableError(f"{workflow_id}: the input is not JSON: {error}") from error
        try:
            await self._client.start_workflow(
                saga.name,
                input,
                id=self._deployment.native_id(workflow_id),
                task_queue=self._queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                memo={**memo_of(saga), **self._local},
                task_timeout=self._task_timeout,
            )
        except WorkflowAlreadyStartedError as error:
            try:
                known_saga, known_input = await queries.started_with(self._handle(workflow_id))
            except RPCError as lost:
                raise StartUnknownError(f"{workflow_id} exists, but {self._away(lost)}") from lost
            if known_saga != saga.name or json.dumps(known_input, sort_keys=True) != text:
                message = f"{workflow_id} exists already with another saga or input"
                raise WorkflowConflictError(message) from error
            return False
        except RPCError as error:
            if error.status in _UNKNOWN:
                raise StartUnknownError(
                    f"{workflow_id}: no answer to the start: {self._away(error)}"
                ) from error
            raise WorkflowError(f"{workflow_id}: the server refused the start: {error.message}") from error
        return True

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for the close event by a long poll."""
        try:
            async with asyncio.timeout(timeout_s):
                results = await self._closed(workflow_id)
        except TimeoutError:
            if (lost := await self._silence(workflow_id)) is not None:
                message = f"{workflow_id}: whether it settled within {timeout_s:g} s nobody knows"
                raise ResultTimeoutError(f"{message}: {self._away(lost)}") from lost
            raise ResultTimeoutError(f"{workflow_id} has not settled within {timeout_s:g} s") from None
        except WorkflowFailureError as error:
            outcome = outcome_of(error.cause)
            if outcome is None:
                message = f"{workflow_id} was ended from outside, without compensation: {error.cause}"
                raise WorkflowError(message) from error
            return outcome
        except RPCError as error:
            raise self._translated(error, workflow_id) from error
        return Outcome(Status.COMPLETED, results if isinstance(results, dict) else {})

    async def _closed(self, workflow_id: str) -> object:
        """Result of the workflow; a server that is away meanwhile only costs time."""
        while True:
            try:
                return await self._handle(workflow_id).result(follow_runs=False)
            except RPCError as error:
                if error.status not in _UNKNOWN:
                    raise
            await asyncio.sleep(_RECONNECT_PAUSE_S)

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Deliver a signal as a workflow *update*, which answers; Temporal's plain signal cannot say "late".

        The server keeps one update per id. The token tells whether the one it kept is ours.
        """
        try:
            json.dumps(payload, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UnserialisableError(f"{workflow_id}: the payload is not JSON: {error}") from error
        token = uuid.uuid4().hex
        try:
            counted: str = await self._handle(workflow_id).execute_update(
                name, args=[payload, signal_id, token], id=signal_id, result_type=str
            )
        except WorkflowUpdateFailedError as error:
            reason = getattr(error.cause, "message", error.cause)
            raise SignalRejectedError(f"{workflow_id}: {reason}") from error
        except RPCError as error:
            translated = self._translated(error, workflow_id)
            if isinstance(translated, WorkflowNotFoundError) and await self._is_over(workflow_id):
                raise SignalRejectedError(f"{workflow_id}: {name!r} came too late, it is over") from error
            raise translated from error
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise WorkflowError(f"{workflow_id}: no worker took signal {name!r} in time") from error
        return counted == token

    async def cancel(self, workflow_id: str) -> None:
        """Request a cancel; the workflow decides whether it is still effective (S9)."""
        if self._local:
            raise NotSupportedError(f"{workflow_id}: temporal.local_activities: {NO_CANCEL}")
        try:
            await self._handle(workflow_id).cancel()
        except RPCError as error:
            translated = self._translated(error, workflow_id)
            # A saga that is over has nothing left to cancel: its outcome tells.
            if not (isinstance(translated, WorkflowNotFoundError) and await self._is_over(workflow_id)):
                raise translated from error

    async def describe(self, workflow_id: str) -> Description:
        """Ask the server about attempts and the workflow about what it awaits."""
        try:
            return await queries.describe(self._handle(workflow_id))
        except RPCError as error:
            raise self._translated(error, workflow_id) from error

    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        """The server's visibility list, newest first; a new saga may be missing for a moment."""
        found: dict[str, tuple[datetime, Listed]] = {}
        try:
            async for execution in self._client.list_workflows(queries.list_filter(self._queue, status)):
                item = queries.listed(execution, self._deployment.prefix)
                if status not in (None, item.status):
                    continue
                known = found.get(item.workflow_id)
                if known is not None and known[0] >= execution.start_time:
                    continue
                if queries.may_be_replaced(execution) and not await self._is_current(execution):
                    continue
                found[item.workflow_id] = execution.start_time, item
                if len(found) >= limit:
                    break
        except RPCError as error:
            raise self._refused(error) from error
        # The server's own order is running ones first, then by the time of their end.
        return [item for _, item in sorted(found.values(), key=lambda pair: pair[0], reverse=True)]

    async def redrive(self, workflow_id: str, step: str | None = None) -> str:
        """Reset a workflow that ended badly; hurry one that waits for its next attempt."""
        try:
            return await redrive(self._client, self._handle(workflow_id), workflow_id, step)
        except RPCError as error:
            if error.status is RPCStatusCode.UNIMPLEMENTED:
                raise self._refused(error) from error
            raise self._translated(error, workflow_id) from error

    async def schedule(self, saga: Saga, schedule_id: str, every: timedelta) -> None:
        """Make a schedule of the server's own."""
        schedule = Schedule(id=schedule_id, saga=saga.name, every=every)
        try:
            await schedules.create(
                self._client, self._deployment, schedule, self._queue, self._local, self._task_timeout
            )
        except RPCError as error:
            raise self._refused(error) from error

    async def unschedule(self, schedule_id: str) -> None:
        """Delete it; workflows that it has started go on."""
        try:
            await self._client.get_schedule_handle(self._deployment.native_id(schedule_id)).delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise self._refused(error) from error
            there = ", ".join(one.id for one in await self.schedules()) or "none"
            raise UnknownNameError(f"there is no schedule {schedule_id!r}; there are: {there}") from error

    async def schedules(self) -> Sequence[Schedule]:
        """The server's visibility list; a new one may be missing for a moment."""
        try:
            return await schedules.listed(self._client, self._deployment)
        except RPCError as error:
            raise self._refused(error) from error

    async def event_history(self, workflow_id: str) -> Sequence[Event]:
        """The workflow's event history, one line per event."""
        try:
            return [queries.event(entry) async for entry in self._handle(workflow_id).fetch_history_events()]
        except RPCError as error:
            raise self._translated(error, workflow_id) from error

    async def billable_actions(self, workflow_id: str) -> Mapping[str, int]:
        """Actions that Temporal Cloud would bill for this saga, as far as its event history tells."""
        try:
            return await billing.actions_of(self._client, self._deployment.native_id(workflow_id))
        except RPCError as error:
            raise self._translated(error, workflow_id) from error

    async def skip_time(self, seconds: float) -> None:
        """Let so much time pass at once; only the server ``time-skipping`` can."""
        duration = Duration()
        duration.FromTimedelta(timedelta(seconds=seconds))
        try:
            await self._client.test_service.unlock_time_skipping_with_sleep(SleepRequest(duration=duration))
        except RPCError as error:
            raise self._refused(error) from error

    async def close(self) -> None:
        """Let the SDK's threads deliver what they still hold; its connections end with the last reference."""
        await asyncio.sleep(DRAIN_S)

    async def _silence(self, workflow_id: str) -> Exception | None:
        """Why the server does not answer; ``None`` if it does, whatever it says."""
        try:
            # The SDK would try again for ten seconds.
            async with asyncio.timeout(_LOOK_S):
                await self._handle(workflow_id).describe()
        except TimeoutError as error:
            return error
        except RPCError as error:
            return error if error.status in _UNKNOWN else None
        return None

    async def _is_current(self, execution: WorkflowExecution) -> bool:
        """Whether no reset has put another run in this one's place."""
        return (await self._client.get_workflow_handle(execution.id).describe()).run_id == execution.run_id

    async def _is_over(self, workflow_id: str) -> bool:
        try:
            found = await self._handle(workflow_id).describe()
        except RPCError:
            return False
        return found.status is not WorkflowExecutionStatus.RUNNING

    def _translated(self, error: RPCError, workflow_id: str) -> BakeoffError:
        if error.status in _UNKNOWN:
            return self._away(error)
        if error.status is RPCStatusCode.NOT_FOUND:
            return WorkflowNotFoundError(f"no saga {workflow_id!r} was started here")
        return WorkflowError(f"{workflow_id}: {error.message} ({error.status.name})")

    def _refused(self, error: RPCError) -> BakeoffError:
        """Of a request that is about no single saga."""
        if error.status in _UNKNOWN:
            return self._away(error)
        if error.status is RPCStatusCode.UNIMPLEMENTED:
            return NotSupportedError(f"this Temporal server does not support it: {error.message}")
        return BakeoffError(f"the Temporal server refused: {error.message} ({error.status.name})")

    def _away(self, error: Exception) -> ServerAwayError:
        return server_away(self._deployment, ROLE, error)
