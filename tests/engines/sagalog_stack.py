"""A running ``celery-sagalog``, or its log alone, for the tests of its adapter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.contract.stack_thread import StackThread
from bakeoff.deployment import Deployment
from bakeoff.plugins import Plugins
from bakeoff.registry import load_sagas
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from bakeoff_celery.sagalog.log import SagaLog
from bakeoff_celery.sagalog.place import create_tables, open_log
from bakeoff_celery.sagalog.timing import Timing

NAME = "celery-sagalog"
SAGAS = ("bakeoff.contract.sagas",)


@contextmanager
def sagalog_lab(folder: Path, *, slots: int = 4, workers: int = 1, **overrides: str) -> Iterator[Lab]:
    """Bring it up in class ``ci`` with ``overrides`` of its settings."""
    engine = Plugins().engine(NAME)
    settings = resolve(NAME, engine.info().settings, ConfigClass.CI, overrides)
    plan = StackPlan(
        engine=engine, settings=settings, folder=folder, sagas=SAGAS, workers=workers, slots=slots
    )
    thread = StackThread(plan)
    stack = thread.start()
    try:
        yield Lab(stack=stack, thread=thread, hint="log")
    finally:
        stack.launcher.hurry()  # nobody comes back to these servers
        thread.stop()


def sagalog_deployment(
    folder: Path | None, *, prefix: str = "", addresses: Mapping[str, str] | None = None, **overrides: str
) -> Deployment:
    """A deployment of which nothing runs."""
    declared = Plugins().engine(NAME).info().settings
    return Deployment(
        engine=NAME,
        settings=resolve(NAME, declared, ConfigClass.CI, overrides),
        addresses={"broker": "redis://127.0.0.1:1/0", **(addresses or {})},
        world_url="sqlite://",
        prefix=prefix,
        sagas=SAGAS,
        folder=str(folder or ""),
    )


@contextmanager
def bare_log(deployment: Deployment) -> Iterator[SagaLog]:
    """Its log, with tables."""
    create_tables(deployment)
    log = SagaLog(open_log(deployment), load_sagas(SAGAS), Timing.of(deployment.settings))
    try:
        yield log
    finally:
        log.engine.dispose()


def start_trip(log: SagaLog, workflow_id: str) -> None:
    """A saga whose first message nobody publishes."""
    assert log.start(sagas.TRIP, workflow_id, None)[0]
