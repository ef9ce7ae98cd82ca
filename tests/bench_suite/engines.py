"""Engines for the benchmarks: one that can less than others, one that does not come up."""

from __future__ import annotations

from bakeoff.engine import Capability, OrchestrationEngine
from bakeoff.hookspecs import hookimpl
from tests.run.test_capabilities import Poorer


class Mute(Poorer):
    """Declares signals and parallel groups absent."""

    def __init__(self) -> None:
        super().__init__(Capability.SIGNALS, Capability.PARALLEL)

    @hookimpl
    def bakeoff_engine(self) -> OrchestrationEngine:
        return self


mute = Mute()
