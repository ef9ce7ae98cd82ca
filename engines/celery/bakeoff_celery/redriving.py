"""Going on with a saga that nobody goes on with: its message is delivered, or published, once more.

Nothing here runs by itself. An operator asks for it, and idempotency keys make repeating safe.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, TypeVar

from celery import Celery, chain

from bakeoff.deployment import Deployment
from bakeoff.errors import RedriveRefusedError, WorkflowNotFoundError
from bakeoff.registry import find_saga
from bakeoff.saga import JSON, Saga, Step, Wait
from bakeoff_celery import rows
from bakeoff_celery.canvas import forward, outcome
from bakeoff_celery.escalation import hand_over, has_gone_on
from bakeoff_celery.failure import Failure, read_failure
from bakeoff_celery.inspection import Inspection
from bakeoff_celery.limits import limits
from bakeoff_celery.messages import Found, deliver_again, on_valkey
from bakeoff_celery.state import State, errback_name, task_id, undo_name
from bakeoff_celery.undos import undo_chain
from bakeoff_celery.waiting import publish_rest, with_payload
from bakeoff_celery.ways import handed_over

T = TypeVar("T")

#: A message may pass from the queue to a worker while one of them is looked at.
_LOOKS = 2
#: Under the saga's own id while a redrive is under way: the outcome that it replaces.
_REPLACES = "replaces"


class Redriver:
    """Redrives sagas of one client."""

    def __init__(
        self,
        deployment: Deployment,
        sagas: Mapping[str, Saga],
        app: Celery,
        pool: Executor,
        redis: Any,
        outcome_key: Callable[[str], str],
        inspection: Inspection,
    ) -> None:
        self._deployment = deployment
        self._sagas = dict(sagas)
        self._app = app
        self._pool = pool
        self._redis = redis
        self._key = outcome_key
        self._inspection = inspection

    async def redrive(self, workflow_id: str, step: str | None) -> str:
        """See ``bakeoff.engine.Redrives``."""
        native_id = self._deployment.native_id(workflow_id)
        text, meta = await self._redis.mget(
            rows.start_key(self._deployment, workflow_id), self._key(native_id)
        )
        if text is None:
            raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started here")
        row = rows.Start.of(text)
        saga = find_saga(row.saga, self._sagas)
        stored: dict[str, Any] = json.loads(meta) if meta is not None else {"status": "PENDING"}
        if stored["status"] == "SUCCESS":
            if stored["result"]["status"] != "compensation_failed":
                status = stored["result"]["status"]
                raise RedriveRefusedError(f"{workflow_id} is {status}: there is nothing to redrive")
            return await self._undo_what_is_left(saga, workflow_id, row, stored["result"], step)
        if answer := await self._deliver_again(workflow_id):
            return answer
        if stored["status"] == "COMPENSATING" and _REPLACES in stored["result"]:
            return await self._undo_what_is_left(saga, workflow_id, row, stored["result"][_REPLACES], step)
        cause = stored["result"] if stored["status"] == "COMPENSATING" else None
        return await self._in_pool(self._publish_again, saga, workflow_id, row, cause)

    async def _deliver_again(self, workflow_id: str) -> str | None:
        """Redeliver what a worker took and does not know of (any more).

        Raises:
            RedriveRefusedError: If a worker holds a message of this saga, or one lies in the queue.
        """
        found = await self._look(workflow_id)
        if found is None or not found.unacknowledged:
            return None
        await self._in_pool(deliver_again, self._app, list(found.unacknowledged))
        names = ", ".join(found.unacknowledged.values())
        return f"its message ({names}), which no worker knows of, is delivered again before its lease ends"

    async def _look(self, workflow_id: str) -> Found | None:
        """What nobody holds; ``None`` on RabbitMQ, which shows no message without delivering it."""
        found = None
        for _ in range(_LOOKS):
            task = await self._inspection.held(workflow_id)
            if task is not None:
                raise RedriveRefusedError(
                    f"{workflow_id}: a worker holds its message ({task}) and goes on with it"
                )
            if self._deployment.settings["broker"] != "valkey":
                continue
            found = await self._in_pool(on_valkey, self._deployment, workflow_id)
            if found.queued:
                raise RedriveRefusedError(
                    f"{workflow_id}: its message ({', '.join(found.queued)}) waits in the queue for a worker"
                )
        return found

    async def _undo_what_is_left(
        self, saga: Saga, workflow_id: str, row: rows.Start, before: dict[str, Any], step: str | None
    ) -> str:
        """Publish the undos that gave up once more, and the outcome behind them."""
        failed: list[str] = before["failed_compensations"]
        chosen = [step] if step is not None else failed
        if step is not None and step not in failed:
            raise RedriveRefusedError(f"{workflow_id}: the compensation of {step!r} did not give up")
        state = self._first_state(workflow_id, row)
        native_id = self._deployment.native_id(workflow_id)
        undos = [
            self._app.tasks[undo_name(saga, one)]
            .s(one.name, workflow_id, state["input"], before["results"].get(one.name))
            .set(**limits(saga, one, "compensation", self._deployment.settings))
            for one in reversed([one for one in saga.steps() if one.name in chosen])
        ]
        first = undos[0].clone(args=([name for name in failed if name not in chosen],))
        end = outcome(self._app, saga, native_id, None, before["results"], before["cause"])
        # Celery keeps a result that says SUCCESS for good, so the old outcome has to go first.
        under_way = {
            "task_id": native_id,
            "status": "COMPENSATING",
            "result": {**before["cause"], _REPLACES: before},
        }
        ttl_s = int(self._deployment.settings["result_expires"])
        await self._redis.set(self._key(native_id), json.dumps(under_way), ex=ttl_s)
        await self._in_pool(chain(first, *undos[1:], end).apply_async)
        return f"published the undo of {', '.join(chosen)} again"

    def _publish_again(
        self, saga: Saga, workflow_id: str, row: rows.Start, cause: dict[str, str] | None
    ) -> str:
        native_id = self._deployment.native_id(workflow_id)
        failed = self._stored_failure(saga, native_id, cause)
        waited = self._last_wait(saga, workflow_id) if cause is None else None
        # Its escalation has come further than its failure tells, if it has passed a wait.
        if failed is not None and (waited is None or waited[1].get("exhausted") != failed[1].element):
            id, failure = failed
            if has_gone_on(self._app, self._deployment, saga, failure):
                return self._go_on_or_back(saga, failure, cause)
            # As Celery calls it: the failed task's id first.
            errback = self._app.tasks[errback_name(saga)].s(id, failure.element).set(task_id=native_id)
            errback.apply_async()
            return f"published the errback of {failure.element} again, by the failure that Celery stored"
        if cause is not None:
            undo_chain(
                self._app, self._deployment, saga, self._guess(saga, workflow_id, row, cause)
            ).apply_async()
            return "published all undos again; what its steps had returned is lost, so they get no result"
        if waited is not None:
            wait, parked, payload = waited
            publish_rest(self._app, self._deployment, saga, wait, with_payload(parked, wait, payload))
            return f"published the chain that follows {wait.name} again"
        forward(self._app, self._deployment, saga, self._first_state(workflow_id, row)).apply_async()
        return "published its chain again from the start; what has taken effect only answers again"

    def _go_on_or_back(self, saga: Saga, failure: Failure, cause: dict[str, str] | None) -> str:
        """Publish what followed from an exhausted step; the failure is that of a copy, which was ignored."""
        name = failure.element
        next_move = hand_over(self._app, self._deployment, saga, failure) if cause is None else None
        if next_move is not None:
            next_move.apply_async()
            return f"published the undo of {name} and its escalation again"
        going_back = replace(failure, cause=cause or failure.cause, may_have_acted=frozenset({name}))
        undo_chain(self._app, self._deployment, saga, going_back).apply_async()
        return f"published the undos of {name} and of the steps before it again"

    def _stored_failure(
        self, saga: Saga, native_id: str, cause: dict[str, str] | None
    ) -> tuple[str, Failure] | None:
        """The failure from which the errback can learn how far the saga had come, and its task's id."""
        elements = list(reversed(saga.elements))
        if cause is not None:
            elements = [saga.elements[saga.index_of(cause["step"])]]
        for element in elements:
            ids = [task_id(native_id, element.name)]
            if saga.is_last(element):
                ids.append(native_id)
            if isinstance(element, Wait):
                ids.append(task_id(native_id, f"{element.name}:timeout"))
            for id in ids:
                failure = read_failure(self._app, self._deployment, saga, native_id, id, element.name)
                if failure is not None and failure.state["id"] == self._workflow_id(native_id):
                    return id, failure
        return None

    def _workflow_id(self, native_id: str) -> str:
        return native_id.removeprefix(self._deployment.prefix)

    def _guess(self, saga: Saga, workflow_id: str, row: rows.Start, cause: dict[str, str]) -> Failure:
        """The failure of a last step: its note about the way back has taken the place of its state."""
        element = saga.elements[saga.index_of(cause["step"])]
        state = self._first_state(workflow_id, row)
        exhausted = handed_over(self._app, self._deployment, workflow_id)
        if exhausted is not None and element.name != exhausted:
            state["exhausted"] = exhausted
        members = (element,) if isinstance(element, Step) else getattr(element, "steps", ())
        return Failure(
            element=element.name,
            state=state,
            cause={name: cause[name] for name in ("type", "message", "step")},
            may_have_acted=frozenset(member.name for member in members),
            lost=True,
        )

    def _last_wait(self, saga: Saga, workflow_id: str) -> tuple[Wait, State, JSON] | None:
        """The last wait that is over, with the state that it parked and what it was given."""
        for wait in (one for one in reversed(saga.elements) if isinstance(one, Wait)):
            key = rows.wait_key(self._deployment, workflow_id, wait.name)
            found: Any = self._app.backend
            signal = rows.Signal.of(found.client.hgetall(key))
            if signal.parked is not None and (signal.signal_id is not None or signal.expired):
                return wait, signal.parked, signal.payload
        return None

    def _first_state(self, workflow_id: str, row: rows.Start) -> State:
        if row.input is None:
            raise RedriveRefusedError(
                f"{workflow_id}: its message is gone, and an earlier version that started it kept no input"
            )
        return {"id": workflow_id, "input": json.loads(row.input), "results": {}}

    async def _in_pool(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
