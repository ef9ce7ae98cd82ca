"""Running engines that the modules of this folder share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bakeoff.contract.lab import Lab
from bakeoff.contract.stack_thread import StackThread
from bakeoff.stack import Stack
from tests.engines.celery_stack import celery_lab
from tests.engines.dramatiq_stack import dramatiq_lab
from tests.engines.temporal_stack import temporal_lab


class Shared:
    """Engines that stay up from one module to the next, so that a module need not wait for its own.

    For tests that neither kill a server nor need settings of their own. Only one engine is up at a time.
    """

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self._new_folder = new_folder
        self._engine = ""
        self._up: dict[tuple[tuple[str, str], ...], tuple[Stack, StackThread]] = {}
        self._cleanup = ExitStack()

    def celery(self, hint: str, *, broker: str) -> Lab:
        """Celery of class ``ci`` that is quick to kill; ``hint`` begins the workflow ids of the module."""
        return self._lab(
            "celery",
            hint,
            {"broker": broker},
            lambda folder: celery_lab(folder, broker=broker, hard_limit_margin="0.5"),
        )

    def dramatiq(self, hint: str, *, broker: str) -> Lab:
        """Dramatiq of class ``ci``."""
        overrides = {"broker": broker}
        return self._lab(
            "dramatiq", hint, overrides, lambda folder: dramatiq_lab(folder, hint, overrides=overrides)
        )

    def temporal(self, hint: str) -> Lab:
        """Temporal of class ``ci``."""
        return self._lab("temporal", hint, {}, lambda folder: temporal_lab(folder, hint))

    def _lab(
        self,
        engine: str,
        hint: str,
        overrides: dict[str, str],
        bring_up: Callable[[Path], AbstractContextManager[Lab]],
    ) -> Lab:
        if self._engine != engine:
            self.close()
            self._engine = engine
        key = tuple(sorted(overrides.items()))
        if key not in self._up:
            lab = self._cleanup.enter_context(bring_up(self._new_folder(engine)))
            self._up[key] = lab.stack, lab.thread
        return Lab(*self._up[key], hint)

    def close(self) -> None:
        """Take down what is up."""
        self._up.clear()
        self._cleanup.close()
