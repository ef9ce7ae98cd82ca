"""What an ordeal is: a small experiment on one engine, with integers, times and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge
from bakeoff.cli.options import ChosenEngine
from bakeoff.engine import EngineInfo

#: The verdict of an engine that lacks what the ordeal needs.
NOT_SUPPORTED = "not supported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One engine that is to go through one ordeal.

    Attributes:
        chosen: The engine with its settings.
        size: How many sagas; ``Ordeal.size_means`` says of which kind.
        deadline_s: Seconds after which what has not settled is stuck.
        folder: Data, logs, ledger and history go here.
        tell: Takes a line of progress.
        bridge: Between steps and services.
    """

    chosen: ChosenEngine
    size: int
    deadline_s: float
    folder: Path
    tell: Callable[[str], None]
    bridge: ChosenBridge = NO_BRIDGE

    @property
    def info(self) -> EngineInfo:
        """What the engine says of itself with these settings."""
        return self.chosen.engine.info(self.chosen.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdealResult:
    """What came out.

    Attributes:
        verdict: ``valid``, ``invalid``, ``unknown`` or ``not supported``.
        reasons: Why it is not valid: findings of the checkers, floors that were not reached.
        counts: ``{fate: sagas}`` as the ledger shows them.
        integers: Everything else that was counted, by name.
        times_s: ``{what: seconds}``; ``None`` where it did not happen by the deadline (censored).
        rates_per_s: ``{what: sagas per second}``.
        ratios: ``{what: how many times as long}``.
        memory_mb: ``{what: megabytes}``, the proportional share of every process added up.
        notes: Sentences that belong beside the numbers.
    """

    verdict: str
    reasons: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    integers: Mapping[str, int] = field(default_factory=dict)
    times_s: Mapping[str, float | None] = field(default_factory=dict)
    rates_per_s: Mapping[str, float | None] = field(default_factory=dict)
    ratios: Mapping[str, float | None] = field(default_factory=dict)
    memory_mb: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


class Ordeal(Protocol):
    """A kind of ordeal; ``bakeoff_bench.ordeals.catalogue`` lists them."""

    @property
    def name(self) -> str:
        """For the command line."""

    @property
    def description(self) -> str:
        """One line."""

    @property
    def size(self) -> int:
        """How many sagas, unless ``--size`` says otherwise."""

    @property
    def size_means(self) -> str:
        """What is counted by the size, e.g. ``"sagas that are parked"``."""

    def lacks(self, info: EngineInfo) -> str:
        """Why this engine cannot be put to it; empty if it can."""

    def expected_s(self, size: int) -> float:
        """Rough seconds on two cores; what really counts is the engine's speed, and its lease."""

    def deadline_s(self, size: int) -> float:
        """Seconds for each thing that has to end, unless ``--deadline`` says otherwise."""

    async def run(self, setup: Setup) -> OrdealResult:
        """Go through it.

        Raises:
            UsageError, ServerStartError: If the stack does not come up; nothing is left behind.
        """
