"""A real engine's worker process with one cheat: ``python -m tests.saboteurs.worker CHEAT MODULE ARG...``."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bakeoff.deployment import Deployment
from bakeoff.errors import BusinessError, StepFault
from bakeoff.saga import JSON
from bakeoff.world import Participant

_honest = Participant.perform
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


def _acknowledges_early(cls: type[Deployment], path: Any) -> Deployment:
    deployment: Deployment = _load(cls, path)
    early = {"task_acks_late": False, "task_reject_on_worker_lost": False}
    settings = replace(deployment.settings, values={**deployment.settings.values, **early})
    return replace(deployment, settings=settings)


_CHEATS: dict[str, Callable[[], None]] = {
    "skips_a_compensation": lambda: setattr(Participant, "perform", _skips_a_compensation),
    "acts_twice": lambda: setattr(Participant, "perform", _acts_twice),
    "retries_declines": lambda: setattr(Participant, "perform", _retries_declines),
    "loses_the_cause": lambda: setattr(Participant, "perform", _loses_the_cause),
    "acknowledges_early": lambda: setattr(Deployment, "load", classmethod(_acknowledges_early)),
}


def main() -> None:
    """Cheat, then be the honest module that was asked for."""
    cheat, module = sys.argv[1:3]
    _CHEATS[cheat]()
    sys.argv[:3] = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
