"""Small running engines to be measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bakeoff.contract.lab import Lab
from bakeoff.contract.stack_thread import StackThread
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan


@contextmanager
def lab_of(
    name: str,
    folder: Path,
    *,
    slots: int = 2,
    cpus: frozenset[int] | None = None,
    ledger: str = "sqlite",
    prefix: str = "bakeoff-",
    **overrides: str,
) -> Iterator[Lab]:
    """One engine of class ``ci`` with one worker, on these CPUs."""
    engine = Plugins().engine(name)
    plan = StackPlan(
        engine=engine,
        settings=resolve(name, engine.info().settings, ConfigClass.CI, overrides),
        folder=folder,
        sagas=("bakeoff.contract.sagas",),
        slots=slots,
        cpus=cpus,
        ledger=ledger,
        prefix=prefix,
    )
    thread = StackThread(plan)
    stack = thread.start()
    try:
        yield Lab(stack=stack, thread=thread, hint="metered")
    finally:
        if not stack.deployment.external:
            stack.launcher.hurry()  # nobody comes back to these servers
        thread.stop()
