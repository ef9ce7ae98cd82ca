"""The actors of one saga: one per step and one per compensation, named as in the saga.

An actor runs one attempt and hands the state to whoever is next in its pipeline. It retries by raising
``Retry`` with the pause of the step's own policy, because Dramatiq's own backoff is always doubled and
jittered. A decline is in ``throws`` and names its callback itself, so that ``on_failure`` does not fire for
faults; faults end in ``on_retry_exhausted``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

import dramatiq
from dramatiq import Broker
from dramatiq.errors import Retry
from dramatiq.middleware import CurrentMessage, TimeLimitExceeded

from bakeoff.errors import BusinessError, UnserialisableError
from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import JSON, Direction, Parallel, RetryPolicy, Saga, Step, Wait
from bakeoff.world import Participant
from bakeoff_dramatiq.compensation import backward, steps_before
from bakeoff_dramatiq.groups import declare_group
from bakeoff_dramatiq.pipeline import milliseconds
from bakeoff_dramatiq.rows import Rows
from bakeoff_dramatiq.state import (
    CauseData,
    State,
    cause_of,
    compensate_actor,
    finish_actor,
    step_actor,
    undo_actor,
    with_result,
)
from bakeoff_dramatiq.valkey_broker import redelivered
from bakeoff_dramatiq.waits import declare_wait
