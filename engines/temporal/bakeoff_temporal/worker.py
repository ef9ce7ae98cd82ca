"""One worker process: ``slots`` steps at once, each in a thread of a pool.

Run as ``python -m bakeoff_temporal.worker`` with ``BAKEOFF_DEPLOYMENT`` set.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import (
    Interceptor,
    PollerBehavior,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from bakeoff.deployment import Deployment
from bakeoff.errors import BakeoffError
from bakeoff.settings import SettingsInForce
from bakeoff.world import Participant
from bakeoff_temporal import catalogue
from bakeoff_temporal.activities import activities_of
from bakeoff_temporal.connection import DRAIN_S, connect, task_queue
from bakeoff_temporal.heartbeats import KeepInTouch
from bakeoff_temporal.overruns import SPARE_THREADS, GiveSlotsBack
from bakeoff_temporal.settings import POLLERS_AS_SHIPPED, TIMER_SHIFT_MS_AS_SHIPPED
from bakeoff_temporal.windows import StopInWindows
from bakeoff_temporal.workflows import SagaWorkflow


def workflow_runner(sandbox: bool) -> WorkflowRunner:
    """The SDK's sandbox, through which the sagas pass unchanged, or no sandbox."""
    if not sandbox:
        return UnsandboxedWorkflowRunner()
    passed_through = ("bakeoff", "bakeoff_temporal.catalogue")
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*passed_through)
    )


def interceptors(settings: SettingsInForce) -> list[Interceptor]:
    """What stands between the SDK and our activities: nothing as shipped."""
    beating: list[Interceptor] = [KeepInTouch()] if settings["heartbeat_timeout_s"] else []
    if not settings["release_overrun_slots"]:
        return beating
    ours = settings.applies("timer_shift_ms")
    late_ms = settings["timer_shift_ms"] if ours else TIMER_SHIFT_MS_AS_SHIPPED
    # The first one is the outermost: an attempt whose slot is free goes on without heartbeats.
    return [*beating, GiveSlotsBack(timedelta(milliseconds=late_ms))]


def patience(settings: SettingsInForce) -> catalogue.Patience:
    """What workflows say about their activities."""
    seconds = settings["heartbeat_timeout_s"]
    return catalogue.Patience(
        factor=settings["start_to_close_factor"], heartbeat=timedelta(seconds=seconds) if seconds else None
    )


def threads(deployment: Deployment) -> int:
    """One per slot, and spare ones where attempts may run on without a slot."""
    return deployment.slots + (SPARE_THREADS if deployment.settings["release_overrun_slots"] else 0)


def pollers(number: int) -> PollerBehavior:
    """So many long polls; 0: as many as the server's feedback asks for."""
    return PollerBehaviorSimpleMaximum(number) if number else PollerBehaviorAutoscaling()


def build_worker(
    client: Client, deployment: Deployment, participant: Participant, executor: ThreadPoolExecutor
) -> Worker:
    """A worker with every setting in force; it does not poll yet."""
    settings = deployment.settings
    catalogue.publish(participant.sagas, patience(settings))
    return Worker(
        client,
        task_queue=task_queue(deployment),
        workflows=[SagaWorkflow],
        # An attempt whose slot is free may run on and meet its key; else the SDK has to get it back.
        activities=activities_of(
            participant, deployment.prefix, client, interrupt=not settings["release_overrun_slots"]
        ),
        activity_executor=executor,
        max_concurrent_activities=deployment.slots,
        workflow_runner=workflow_runner(settings["sandbox"]),
        interceptors=[*interceptors(settings), *_windows(deployment, participant)],
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=settings["sticky_timeout_s"]),
        graceful_shutdown_timeout=timedelta(seconds=settings["graceful_shutdown_s"]),
        **_unlike_shipped(deployment),
    )


def _unlike_shipped(deployment: Deployment) -> dict[str, Any]:
    """Arguments that are left to the SDK unless a setting asks for something else."""
    settings = deployment.settings
    asked: dict[str, Any] = {
        f"{kind}_task_poller_behavior": pollers(settings[f"{kind}_pollers"])
        for kind in ("workflow", "activity")
        if settings[f"{kind}_pollers"] != POLLERS_AS_SHIPPED
    }
    if settings["local_activities"]:
        asked["max_concurrent_local_activities"] = deployment.slots
    return asked


def _windows(deployment: Deployment, participant: Participant) -> list[Interceptor]:
    """What lets workflows be caught; nothing unless the world has faults."""
    return [StopInWindows(participant, deployment.prefix)] if participant.services.faults else []


async def serve(deployment: Deployment) -> None:
    """Take work until SIGTERM or SIGINT, then let running steps finish within their patience."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    participant = Participant.of(deployment)
    client = await connect(deployment)
    executor = ThreadPoolExecutor(threads(deployment), thread_name_prefix="step")
    async with build_worker(client, deployment, participant, executor):
        participant.world.announce_worker()
        await stop.wait()
    executor.shutdown(wait=False, cancel_futures=True)
    participant.close()
    await asyncio.sleep(DRAIN_S)


def main() -> int:
    """Serve the deployment of this process; 2 for a user's mistake, told in one line."""
    try:
        asyncio.run(serve(Deployment.of_this_process()))
    except BakeoffError as error:
        print(f"bakeoff worker: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
