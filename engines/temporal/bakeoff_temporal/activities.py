"""Activities: one per step and compensation, all of them one attempt of ``bakeoff.world.perform``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from bakeoff.errors import BusinessError
from bakeoff.saga import JSON, Saga
from bakeoff.world import Participant
from bakeoff_temporal.inbox import ONLY_BACK
from bakeoff_temporal.local import ATTEMPT
from bakeoff_temporal.markers import attempted_before
from bakeoff_temporal.pending import faulted
from bakeoff_temporal.route import memo_of
from bakeoff_temporal.workflows import FAULTED_ACTIVITIES, ROUTE_OF_TODAY, SIGNAL_ONLY_BACK

Activity = Callable[..., Any]


def activities_of(
    participant: Participant, prefix: str, client: Client, *, interrupt: bool
) -> list[Activity]:
    """Everything that a worker registers: ``{names of steps and compensations}`` of all its sagas.

    Sagas may share names; which saga a call belongs to is told by the workflow's type. ``interrupt``: the SDK
    raises into the thread of an attempt that is over, which is what it does unless told otherwise.
    """
    names = dict.fromkeys(name for saga in participant.sagas.values() for name in _names(saga))
    loop = asyncio.get_running_loop()

    def lost_before(info: activity.Info) -> bool:
        return asyncio.run_coroutine_threadsafe(attempted_before(client, info), loop).result()

    steps = (_activity(name, participant, prefix, interrupt, lost_before) for name in names)
    return [*steps, _faulted_activities(client), _signal_only_back(client), _route_of_today(participant)]


def _names(saga: Saga) -> Iterable[str]:
    for step in saga.steps():
        yield step.name
        if step.compensation:
            yield step.compensation_name


def _activity(
    name: str,
    participant: Participant,
    prefix: str,
    interrupt: bool,
    lost_before: Callable[[activity.Info], bool],
) -> Activity:
    @activity.defn(name=name, no_thread_cancel_exception=not interrupt)
    def run(call: dict[str, JSON]) -> JSON:
        info = activity.info()
        attempt = call.get(ATTEMPT, info.attempt)
        try:
            return participant.perform(
                info.workflow_type or "",
                call["step"],
                "compensation" if call.get("undo") else "action",
                workflow_id=(info.workflow_id or "").removeprefix(prefix),
                input=call["input"],
                results=call.get("results", {}),
                attempt=attempt,
                own_result=call.get("own_result"),
            )
        except BusinessError as error:
            # The attempt tells the workflow whether any attempt before this one may have had an effect. One
            # that was made locally and died with its worker was not counted.
            uncounted = info.is_local and attempt == 1 and lost_before(info)
            raise ApplicationError(
                str(error),
                attempt + 1 if uncounted else attempt,
                type=type(error).__name__,
                non_retryable=True,
                category=ApplicationErrorCategory.BENIGN,  # expected: no warning, no error metric
            ) from error

    return run


def _faulted_activities(client: Client) -> Activity:
    @activity.defn(name=FAULTED_ACTIVITIES)
    async def faulted_activities() -> list[str]:
        """Ids of this workflow's pending activities that have a failed attempt behind them."""
        info = activity.info()
        handle = client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        return faulted((await handle.describe()).raw_description)

    return faulted_activities


def _signal_only_back(client: Client) -> Activity:
    @activity.defn(name=SIGNAL_ONLY_BACK)
    async def signal_only_back() -> None:
        """Put that signal into the history of this workflow."""
        info = activity.info()
        handle = client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        await handle.signal(ONLY_BACK)

    return signal_only_back


def _route_of_today(participant: Participant) -> Activity:
    @activity.defn(name=ROUTE_OF_TODAY)
    async def route_of_today(saga: str) -> dict[str, object]:
        """What a client hands over with a start, which a schedule cannot do: it does not know it yet."""
        return memo_of(participant.sagas[saga])

    return route_of_today
