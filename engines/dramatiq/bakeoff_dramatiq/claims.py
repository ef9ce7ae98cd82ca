"""What Dramatiq can do, by itself or by the best-known pattern, and what it cannot."""

from __future__ import annotations

from collections.abc import Mapping

from bakeoff.engine import Capability, Claim, Support

_NATIVE, _PATTERN, _ABSENT = Support.NATIVE, Support.PATTERN, Support.ABSENT

_COMMON = {
    Capability.ORDER: Claim(_NATIVE, "a pipeline; the results so far travel in the message"),
    Capability.RETRY: Claim(
        _NATIVE,
        "Retry with a delay; Dramatiq's own backoff is always doubled and jittered, so it is not used",
    ),
    Capability.TIMEOUT: Claim(
        _NATIVE,
        "time_limit per actor, raised into the thread: it cannot interrupt a system call or C code, and one "
        "that strikes just as the actor ends can cost the message and the thread",
    ),
    Capability.COMPENSATION: Claim(
        _NATIVE, "on_failure of a decline and on_retry_exhausted of a fault publish a pipeline of undos"
    ),
    Capability.OWN_UNDO: Claim(
        _PATTERN, "the message counts its retries; workers count in the start's row how often they began"
    ),
    Capability.PIVOT: Claim(_NATIVE, "no limit of retries from the pivot on"),
    Capability.CONDITIONS: Claim(
        _NATIVE, "each actor asks its condition of what its message carries and passes that on"
    ),
    Capability.ESCALATION: Claim(
        _NATIVE, "on_retry_exhausted publishes the step's undo and an actor that begins another pipeline"
    ),
    Capability.OUTCOME: Claim(
        _PATTERN, "the last actor of either pipeline writes it into the row of the start"
    ),
    Capability.IDEMPOTENT_START: Claim(
        _PATTERN,
        "one unique row with the input's digest; the repeated start publishes what a crashed one did not",
    ),
    Capability.PARALLEL: Claim(
        _PATTERN,
        "a group whose members return their failure, because one that fails blocks the group for ever",
    ),
    Capability.SIGNALS: Claim(
        _PATTERN, "two pipelines; the signal's unique row makes one sender publish the second"
    ),
    Capability.WAIT_TIMEOUT: Claim(
        _PATTERN, "a delayed message and the signal decide the same unique row; the first one wins"
    ),
    Capability.CANCEL: Claim(
        _ABSENT,
        "a message cannot be recalled; a flag that each step would have to read is a saga log of our own",
    ),
    Capability.LIST: Claim(_PATTERN, "a scan over the rows of the starts"),
    Capability.EVENT_HISTORY: Claim(_ABSENT, "Dramatiq keeps no record of what it did"),
    Capability.SCHEDULES: Claim(
        _ABSENT, "Dramatiq has no scheduler; APScheduler or periodiq, beside it, are other libraries"
    ),
    Capability.CATCH_UP: Claim(_ABSENT, "Dramatiq has no scheduler"),
}

_VALKEY = {
    Capability.TIMERS: Claim(_NATIVE, "the delay of a message"),
    Capability.LONG_TIMERS: Claim(
        _NATIVE,
        "the lease belongs to the worker process (heartbeat), not to the message: delays may be longer",
    ),
    Capability.DESCRIBE: Claim(
        _PATTERN, "reads the queue as Dramatiq stores it in Valkey; costs a scan of the backlog"
    ),
}

_RABBITMQ = {
    Capability.TIMERS: Claim(_NATIVE, "the delay of a message, held unacknowledged by a worker"),
    Capability.LONG_TIMERS: Claim(
        _NATIVE,
        "past consumer_timeout (30 min) RabbitMQ closes the channel; the worker takes the message anew",
    ),
    Capability.DESCRIBE: Claim(
        _PATTERN,
        "status, and the signal that is awaited; RabbitMQ does not show messages without delivering them",
    ),
}


def claims(broker: str) -> Mapping[Capability, Claim]:
    """One claim for every capability on ``valkey`` or ``rabbitmq``."""
    return {**_COMMON, **(_RABBITMQ if broker == "rabbitmq" else _VALKEY)}
