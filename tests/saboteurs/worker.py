"""A real engine's worker process with one cheat: ``python -m tests.saboteurs.worker CHEAT MODULE ARG...``."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bakeoff.deployment import Deployment
from bakeoff.errors import BusinessError, StepFault
from bakeoff.processes import is_gone
from bakeoff.saga import JSON, Saga
from bakeoff.settings import Value
from bakeoff.world import Participant, Services, World

_honest = Participant.perform
_services = World.services
_load = Deployment.load.__func__  # type: ignore[attr-defined]


def _skips_a_compensation(self: Participant, saga: str, step: str, direction: Any, **more: Any) -> JSON:
    if direction == "compensation" and step == "book_flight":
        return None
    return _honest(self, saga, step, direction, **more)


def _acts_twice(self: Participant, saga: str, step: str, direction: Any, **more: Any) -> JSON:
    _honest(self, saga, step, direction, **more)
    return _honest(self, saga, step, direction, **more)


def _retries_declines(self: Participant, saga: str, step: str, direction: Any, **more: Any) -> JSON:
    try:
        return _honest(self, saga, step, direction, **more)
    except BusinessError as error:
        raise StepFault(str(error)) from error


def _loses_the_cause(self: Participant, saga: str, step: str, direction: Any, **more: Any) -> JSON:
    try:
        return _honest(self, saga, step, direction, **more)
    except StepFault:
        raise RuntimeError("something went wrong") from None


def _with(changed: Mapping[str, Value]) -> None:
    """Let the worker read other settings than those in its deployment."""

    def load(cls: type[Deployment], path: Any) -> Deployment:
        deployment: Deployment = _load(cls, path)
        settings = replace(deployment.settings, values={**deployment.settings.values, **changed})
        return replace(deployment, settings=settings)

    setattr(Deployment, "load", classmethod(load))  # noqa: B010 - a method is assigned


def _acts_without_keys(self: World) -> Services:
    return replace(_services(self), naive=True)


def _forgets_undos_that_died(self: Participant, saga: str, step: str, direction: Any, **more: Any) -> JSON:
    if direction == "compensation":
        before = self.world.ledger(workflow_id=more["workflow_id"])
        if any(r.call == (step, direction) and is_gone(r.pid) for r in before):
            return None
    return _honest(self, saga, step, direction, **more)


def _refuses_earlier_versions(self: Participant, saga: str, step: str, direction: Any, **more: Any) -> JSON:
    if any(is_gone(record.pid) for record in self.world.ledger(workflow_id=more["workflow_id"])):
        raise StepFault("the worker that began with this saga was not of my version")
    return _honest(self, saga, step, direction, **more)


def _runs_old_code(cls: type[Deployment], path: Any) -> Deployment:
    deployment: Deployment = _load(cls, path)
    sagas = tuple(name.replace("deployed_2", "deployed_1") for name in deployment.sagas)
    return replace(deployment, sagas=sagas)


def _forgets_attempts_that_died() -> None:
    from bakeoff_dramatiq.context import Context, attempt_of, current_message

    def maybe_happened(self: Context, step: Any, state: Any) -> bool:
        return attempt_of(current_message()) > 1

    setattr(Context, "maybe_happened", maybe_happened)  # noqa: B010 - a method is assigned


def _forgets_the_route() -> None:
    import bakeoff_temporal.route

    def on_route(saga: Saga, route: Any, escalations: Any = None) -> Saga:
        return saga

    bakeoff_temporal.route.on_route = on_route


def _starts_periods_again() -> None:
    from bakeoff_celery import rows, starting
    from bakeoff_celery.backend import redis_of

    honest = starting.create

    def create(app: Any, deployment: Deployment, row: Any, saga: Saga, state: Any) -> bool:
        redis_of(app).delete(rows.start_key(deployment, state["id"]))
        return honest(app, deployment, row, saga, state)

    starting.create = create


_CHEATS: dict[str, Callable[[], None]] = {
    "skips_a_compensation": lambda: setattr(Participant, "perform", _skips_a_compensation),
    "acts_twice": lambda: setattr(Participant, "perform", _acts_twice),
    "retries_declines": lambda: setattr(Participant, "perform", _retries_declines),
    "loses_the_cause": lambda: setattr(Participant, "perform", _loses_the_cause),
    "acts_without_keys": lambda: setattr(World, "services", _acts_without_keys),
    "forgets_undos_that_died": lambda: setattr(Participant, "perform", _forgets_undos_that_died),
    "refuses_earlier_versions": lambda: setattr(Participant, "perform", _refuses_earlier_versions),
    "runs_old_code": lambda: setattr(Deployment, "load", classmethod(_runs_old_code)),
    "forgets_the_route": _forgets_the_route,
    "forgets_attempts_that_died": _forgets_attempts_that_died,
    "starts_periods_again": _starts_periods_again,
    "acknowledges_early": lambda: _with({"task_acks_late": False, "task_reject_on_worker_lost": False}),
    "tries_no_connection_again": lambda: _with({"connection_retries": 0}),
}


def main() -> None:
    """Cheat, then be the honest module that was asked for."""
    cheat, module = sys.argv[1:3]
    _CHEATS[cheat]()
    sys.argv[:3] = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
