"""What a load run is to do, decided before anything starts."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge
from bakeoff.processes import Split
from bakeoff.saga import Saga
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.load.order import PATIENCE_S
from bakeoff_bench.load.strike import Strike
from bakeoff_scenarios import LoadScenario, Process

#: Seconds to start a generator, to let the last sagas end, and to sum up.
AROUND_S = 3.0
#: Seconds to bring a stack up.
_START_S = 4.0
#: Loads that the search for the sustainable rate makes, more or less; and those that confirm what it found.
_PROBES, _CONFIRMING = 7, 4
#: Arrivals of which a hundred are surely completed sagas, as a 95th percentile needs; of a load that confirms
#: a rate; and the longest time for both.
_FOR_A_P95, _TO_CONFIRM, _LONGEST_S = 140.0, 300.0, 120.0
#: Seconds, behind the warm-up, of each closed loop of an indicative run, in which thousands of sagas settle.
_CLOSED_S = 9.0
#: A load that confirms a rate is so many times as long as the others.
_LONGER = 2.0
#: Sagas in flight of the closed loop of every round, and of the one that finds out how fast a contestant is.
USERS = 16
#: The phase in which each adapter shows that it works, and its seconds.
CHECK, _CHECK_S = "check", 2.0
#: However little time there is: of one round alone nothing can be compared.
LEAST_ROUNDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One load of every round.

    Attributes:
        name: In tables.
        rate: Arrivals per second; 0 if it follows from ``share`` or ``users``.
        share: Of the contestant's own sustainable rate (or of its throughput, where none was searched).
        users: Closed loop with so many sagas in flight.
    """

    name: str
    rate: float = 0.0
    share: float = 0.0
    users: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """The whole run.

    Attributes:
        contestants: In the order of their first turn.
        load, saga, references: What arrives, and what workers load for it.
        blocks: Of every round.
        rounds: Turns of each contestant; at least, if there is a pilot.
        pilot: Rounds of the closed loop beforehand, which tell how many it takes and then do not count.
        within_s: A round that would end later than so long after the begin is not begun; two are made anyway.
        seconds, warm_up_s: Of every load; arrivals of the second are left out of the first's numbers.
        process: How arrivals are spaced.
        search: Whether the sustainable rate is searched for, with ``slo_s`` as the most that the 95th
            percentile may take.
        fault: What strikes in the middle of each open-loop load.
        shape: ``module:Class`` of the user's own ``LoadTestShape``.
        seed, workers, slots, ledger, bridge, prefix, otlp: As everywhere.
        cpus: Of deployments and of generators; ``None``: all share all of them.
        quality: ``indicative``, ``publishable`` or ``as asked``.
        world_alone: Whether services and ledger are measured without an engine, beside every throughput.
    """

    contestants: Sequence[Contestant]
    load: LoadScenario
    saga: Saga
    references: tuple[str, ...]
    blocks: Sequence[Block]
    rounds: int
    seconds: float
    warm_up_s: float
    pilot: int = 0
    within_s: float | None = None
    process: Process = "poisson"
    search: bool = False
    slo_s: float = 2.0
    fault: Strike | None = None
    shape: str = ""
    seed: int = 1
    workers: int = 1
    slots: int = 4
    ledger: str = "sqlite"
    bridge: ChosenBridge = NO_BRIDGE
    otlp: str | None = None
    prefix: str = field(default_factory=lambda: f"bakeoff-{secrets.token_hex(3)}-")
    cpus: Split | None = None
    quality: str = "as asked"
    world_alone: bool = True

    @property
    def patience_s(self) -> float:
        """Seconds after the last arrival for which sagas are waited for."""
        return max(PATIENCE_S, self.load.parked_s + PATIENCE_S)

    @property
    def takes_shares(self) -> bool:
        """Whether a contestant's own speed must be known before its blocks can be played."""
        return self.search or any(block.share for block in self.blocks)

    @property
    def measures_throughput(self) -> bool:
        """Whether how much a contestant can do is measured, and not only how long it takes at a rate."""
        return self.takes_shares or any(block.users for block in self.blocks)

    @property
    def may_be_shorter(self) -> bool:
        """Whether a load would be the same in less time: not if it changes, or something strikes in it."""
        from bakeoff_bench.load.parts import (
            edges_of,
        )  # its histograms are an extra, and every command imports this

        return self.fault is None and not edges_of(self.load.shape(1.0, self.seconds))

    def turns(self, number: int) -> Sequence[Contestant]:
        """The contestants in the order of a round: each begins with another one."""
        first = number % len(self.contestants)
        return [*self.contestants[first:], *self.contestants[:first]]

    def fits(self, made: int, gone_s: float, longest_s: float) -> bool:
        """Whether one more round can be over in time.

        Args:
            made: Rounds so far.
            gone_s: Seconds since the run began.
            longest_s: Of a round so far.
        """
        return made < LEAST_ROUNDS or self.within_s is None or gone_s + longest_s <= self.within_s

    def seconds_of(self, phase: str, rate: float, round_s: float | None = None) -> float:
        """Of a load; where its own 95th percentile must be known, it is longer if few sagas come.

        Args:
            phase: Which it belongs to.
            rate: Arrivals per second; 0 in a closed loop.
            round_s: Of the loads of rounds, where there is no time for longer ones.
        """
        if phase == CHECK:
            return _CHECK_S
        if phase == "round" and not rate and self.quality == "indicative":
            return min(self.seconds, self.warm_up_s + _CLOSED_S)
        if phase == "round" and round_s is not None:
            return round_s
        if phase == "search":
            return max(self.seconds, min(_LONGEST_S, self.warm_up_s + _FOR_A_P95 / rate))
        if phase == "confirm":
            return max(_LONGER * self.seconds, min(_LONGEST_S, self.warm_up_s + _TO_CONFIRM / rate))
        return self.seconds

    def expected_s(self) -> float:
        """Seconds in all, roughly."""
        one = self.seconds + AROUND_S
        search = 1 + _PROBES + _LONGER * _CONFIRMING + 1 if self.search else 0.0
        before = search + self.pilot
        loads = before + self.rounds * len(self.blocks)
        check = _CHECK_S + 2 * AROUND_S
        expected = len(self.contestants) * (_START_S + check + loads * one)
        return expected if self.within_s is None else min(expected, self.within_s)

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "scenario": self.load.name,
            "saga": self.saga.name,
            "blocks": [asdict(block) for block in self.blocks],
            "rounds": self.rounds,
            "pilot": self.pilot,
            "seconds": self.seconds,
            "warm_up_s": self.warm_up_s,
            "process": self.process,
            "search": self.search,
            "slo_s": self.slo_s,
            "fault": None if self.fault is None else self.fault.name,
            "shape": self.shape or None,
            "seed": self.seed,
            "workers": self.workers,
            "slots": self.slots,
            "ledger": self.ledger if "://" not in self.ledger else "external",
            "bridge": str(self.bridge),
            "otlp": self.otlp,
            "patience_s": self.patience_s,
            "cpus": None if self.cpus is None else [sorted(part) for part in self.cpus],
            "quality": self.quality,
        }
