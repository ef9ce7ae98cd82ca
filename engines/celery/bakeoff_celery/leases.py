"""What a saga may not ask of a broker with leases."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bakeoff.errors import NotSupportedError
from bakeoff.saga import RetryPolicy, Saga, Sleep, Wait
from bakeoff.servers import RabbitmqServer
from bakeoff.settings import SettingsInForce
from bakeoff_celery.settings import lease_s

#: Celery's own ``broker_heartbeat`` in seconds; 0 means none.
_HEARTBEAT_S = 120.0


def check_leases(saga: Saga, settings: SettingsInForce) -> None:
    """Refuse what would keep a message unacknowledged beyond its lease.

    A delayed message lies unacknowledged in a worker until its time has come. Beyond the lease the broker
    delivers it once more, to act twice (Valkey), or closes the worker's channel (RabbitMQ).

    Raises:
        NotSupportedError: Naming what is too long and the setting.
    """
    limit_s = lease_s(settings)
    setting = "visibility_timeout" if settings["broker"] == "valkey" else "consumer_timeout"
    for what, seconds in _delays(saga):
        if seconds >= limit_s:
            raise NotSupportedError(
                f"saga {saga.name!r}: {what} of {seconds:g} s is not shorter than "
                f"celery.{setting}={limit_s:g}; Celery would act on it more than once"
            )


def silence_s(settings: SettingsInForce) -> float:
    """Seconds until a message of a worker that has fallen silent is delivered to another one, at the most.

    Valkey: the lease, the lock of a worker that died while it looked for leases that ended, and the pause
    until somebody looks again. RabbitMQ closes a connection
    whose heartbeats stay away; without heartbeats only ``consumer_timeout`` is left. A message that was
    acknowledged before its task ran is delivered to nobody again.
    """
    if not settings["task_acks_late"]:
        return math.inf
    if settings["broker"] == "valkey":
        looks_s = settings["unacked_restore_interval"] * settings["unacked_restore_throttle"]
        return lease_s(settings) + float(settings["unacked_mutex_expire"]) + float(looks_s)
    told = settings.raw.get("broker_heartbeat")
    heartbeat_s = told if isinstance(told, int | float) else _HEARTBEAT_S
    if not heartbeat_s:
        return lease_s(settings)
    return min(lease_s(settings), RabbitmqServer.silence_s(heartbeat_s))


def _delays(saga: Saga) -> Iterator[tuple[str, float]]:
    for element in saga.elements:
        if isinstance(element, Sleep):
            yield f"Sleep {element.name!r}", element.duration.total_seconds()
        elif isinstance(element, Wait) and element.timeout is not None:
            yield f"the timeout of Wait {element.name!r}", element.timeout.total_seconds()
    for step in saga.steps():
        yield f"the retry pause of {step.name!r}", _longest_pause_s(saga.retry_of(step))
        if step.compensation:
            yield f"the retry pause of {step.compensation_name!r}", _longest_pause_s(step.compensation_retry)


def _longest_pause_s(policy: RetryPolicy) -> float:
    if policy.maximum_attempts is None:
        return policy.maximum_interval.total_seconds()
    if policy.maximum_attempts == 1:
        return 0.0
    return policy.delay_after(policy.maximum_attempts - 1).total_seconds()
