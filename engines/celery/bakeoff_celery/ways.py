"""Which way a saga took from a step with an escalation: the step succeeded, or it handed over.

A message can be delivered twice, and one copy may succeed where the other one was the last to fail. A row
lets only one of the two be followed by anything. Steps without an escalation do not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celery import Celery

from bakeoff.deployment import Deployment
from bakeoff.saga import Step
from bakeoff_celery.backend import redis_of

_PASSED, _HANDED_OVER = "passed", "handed over"


def ways_key(deployment: Deployment, workflow_id: str) -> str:
    """Key of the row: the way of each such step."""
    return f"{deployment.prefix}bakeoff:ways:{workflow_id}"


def may_pass(app: Celery, deployment: Deployment, step: Step, workflow_id: str) -> bool:
    """Let a step that has succeeded be followed by the next one, unless a copy of it has handed over."""
    return step.on_exhausted is None or _take(app, deployment, step, workflow_id, _PASSED)


def may_hand_over(app: Celery, deployment: Deployment, step: Step, workflow_id: str) -> bool:
    """Let a step that is exhausted hand over, unless a copy of it has succeeded."""
    return _take(app, deployment, step, workflow_id, _HANDED_OVER)


def handed_over(app: Celery, deployment: Deployment, workflow_id: str) -> str | None:
    """Name of the step that has handed over to its escalation, if one has."""
    ways: Mapping[bytes, bytes] = redis_of(app).hgetall(ways_key(deployment, workflow_id))
    return next((step.decode() for step, way in ways.items() if way.decode() == _HANDED_OVER), None)


def _take(app: Celery, deployment: Deployment, step: Step, workflow_id: str, way: str) -> bool:
    key = ways_key(deployment, workflow_id)
    client: Any = redis_of(app)
    with client.pipeline(transaction=True) as pipe:
        pipe.hsetnx(key, step.name, way)
        pipe.expire(key, int(deployment.settings["result_expires"]))
        pipe.hget(key, step.name)
        return bool(pipe.execute()[-1].decode() == way)
