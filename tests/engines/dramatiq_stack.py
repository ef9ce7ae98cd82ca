"""One running Dramatiq for the tests of its adapter, with the sagas of orders and contract."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.stack_thread import StackThread
from bakeoff.errors import EngineUnavailableError
from bakeoff.plugins import Plugins
from bakeoff.processes import is_gone
from bakeoff.servers import RunningServer
from bakeoff.servers.rabbitmq import rabbitmq_programs
from bakeoff.settings import ConfigClass, SettingsInForce, resolve
from bakeoff.stack import StackPlan
from bakeoff_dramatiq.actors import declare_saga
from bakeoff_dramatiq.broker import make_broker, queue_name
from bakeoff_dramatiq.context import Context
from bakeoff_dramatiq.rows import Rows

SAGAS = ("bakeoff.contract.sagas", "bakeoff.orders")
BROKERS = ("valkey", "rabbitmq")


def settings_of(
    overrides: Mapping[str, str] | None = None, config_class: ConfigClass = ConfigClass.CI
) -> SettingsInForce:
    """What is in force with these ``--set`` values."""
    return resolve("dramatiq", Plugins().engine("dramatiq").info().settings, config_class, overrides)


@contextmanager
def dramatiq_lab(
    folder: Path,
    hint: str,
    *,
    overrides: Mapping[str, str] | None = None,
    workers: int = 1,
    slots: int = 4,
    prefix: str = "bakeoff-",
) -> Iterator[Lab]:
    """Bring Dramatiq up for the length of the context; ``hint`` begins every workflow id."""
    plan = StackPlan(
        engine=Plugins().engine("dramatiq"),
        settings=settings_of(overrides),
        folder=folder,
        sagas=SAGAS,
        workers=workers,
        slots=slots,
        prefix=prefix,
    )
    thread = StackThread(plan)
    stack = thread.start()
    try:
        yield Lab(stack, thread, hint)
    finally:
        if not stack.deployment.external:
            stack.launcher.hurry()  # nobody comes back to these servers
        thread.stop()


@contextmanager
def rows_of(lab: Lab) -> Iterator[Rows]:
    """The rows of the lab's deployment, as another client sees them."""
    rows = Rows(lab.stack.deployment)
    try:
        yield rows
    finally:
        rows.close()


@contextmanager
def context_of(lab: Lab, saga: str) -> Iterator[Context]:
    """A second client's actors of one saga."""
    deployment = lab.stack.deployment
    with rows_of(lab) as rows:
        context = Context(make_broker(deployment), rows, lab.stack.sagas[saga], queue_name(deployment))
        declare_saga(context)
        try:
            yield context
        finally:
            context.broker.close()


def children_of(lab: Lab) -> list[psutil.Process]:
    """The processes that run steps: the children of Dramatiq's masters."""
    return [psutil.Process(seen.pid) for seen in lab.stack.world.workers() if not is_gone(seen.pid)]


def server(lab: Lab, role: str) -> RunningServer:
    """One of the lab's servers."""
    return next(running for running in lab.stack.servers if running.server.role == role)


def restart(lab: Lab, running: RunningServer) -> None:
    """SIGKILL a server of ours and start it again on its data and ports."""
    assert running.child is not None
    assert running.folder is not None
    lab.stack.launcher.stop(running.child, 0)
    launch = running.server.launch(running.folder, running.ports)
    running.child = lab.stack.launcher.start(running.server.role, launch)


def require(broker: str) -> None:
    """Leave a test out where RabbitMQ is not installed, but fail where it must be."""
    if broker != "rabbitmq":
        return
    try:
        rabbitmq_programs()
    except EngineUnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
