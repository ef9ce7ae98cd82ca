"""A running Celery for the tests of its adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from bakeoff.contract.lab import Lab
from bakeoff.contract.stack_thread import StackThread
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan

SAGAS = ("bakeoff.contract.sagas", "tests.engines.celery_sagas")


@contextmanager
def celery_lab(
    folder: Path,
    *,
    config: ConfigClass = ConfigClass.CI,
    prefix: str = "bakeoff-",
    faults: bool = False,
    **overrides: str,
) -> Iterator[Lab]:
    """Bring Celery up with ``overrides`` of its settings; ``faults``: points of its sagas may be armed."""
    engine = Plugins().engine("celery")
    settings = resolve("celery", engine.info().settings, config, overrides)
    plan = StackPlan(
        engine=engine,
        settings=settings,
        folder=folder,
        sagas=SAGAS,
        workers=1,
        slots=4,
        prefix=prefix,
        faults=faults,
    )
    thread = StackThread(plan)
    stack = thread.start()
    try:
        yield Lab(stack=stack, thread=thread, hint="c")
    finally:
        if not stack.deployment.external:
            stack.launcher.hurry()  # nobody comes back to these servers
        thread.stop()


@contextmanager
def results_of(lab: Lab) -> Iterator[redis.Redis]:
    """A connection of our own to where rows and results are."""
    addresses = lab.stack.deployment.addresses
    client: redis.Redis = redis.Redis.from_url(addresses.get("results", addresses["broker"]))
    try:
        yield client
    finally:
        client.close()
