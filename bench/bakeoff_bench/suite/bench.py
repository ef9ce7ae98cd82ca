"""The fixture of the benchmarks: rounds with fresh sagas, each proved, and the facts that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeVar

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bakeoff.contract.contestants import Contestant
from bakeoff.engine import Capability
from bakeoff.saga import Saga
from bakeoff_bench.suite.contest import Asked
from bakeoff_bench.suite.facts import about, of_sagas, spread
from bakeoff_bench.suite.proof import Proof, prove
from bakeoff_bench.suite.site import Sent, Site
from bakeoff_scenarios import lacking

T = TypeVar("T")


@dataclass(slots=True)
class Repeated:
    """Times one thing again and again; what comes before and after it does not count.

    Attributes:
        benchmark: pytest-benchmark's fixture.
        asked: Rounds, if the command line says how many.
    """

    benchmark: BenchmarkFixture
    asked: Asked

    def time(
        self,
        group: str,
        prepare: Callable[[], T],
        act: Callable[[T], object],
        check: Callable[[T], object],
        *,
        rounds: int,
        warm_up: int,
        as_asked: bool = True,
    ) -> list[T]:
        """Time ``act`` on what ``prepare`` returns anew in every round.

        Args:
            group: Of benchmarks that are compared.
            prepare, act, check: Before, while and after the clock runs.
            rounds, warm_up: How many.
            as_asked: Whether the command line may say other numbers.

        Returns:
            What the measured rounds worked on, without the warm-up.
        """
        if as_asked:
            rounds = rounds if self.asked.rounds is None else self.asked.rounds
            warm_up = warm_up if self.asked.warm_up is None else self.asked.warm_up
        made: list[T] = []

        def set_up() -> tuple[tuple[T], dict[str, Any]]:
            made.append(prepare())
            return (made[-1],), {}

        self.benchmark.group = group
        self.benchmark.pedantic(act, setup=set_up, teardown=check, rounds=rounds, warmup_rounds=warm_up)
        if self.benchmark.disabled:  # pytest-benchmark then makes one round without its end
            check(made[-1])
            return made
        self.tell(bakeoff=version("bakeoff"), warm_up_rounds=warm_up, latency_s=spread(self.seconds))
        return made[warm_up : warm_up + rounds]

    @property
    def seconds(self) -> Sequence[float]:
        """Of the measured rounds; none where benchmarks are disabled."""
        found: Any = self.benchmark.stats
        return list(found.stats.data) if found is not None else []

    def tell(self, **facts: Any) -> None:
        """Put something beside the times."""
        self.benchmark.extra_info.update(facts)


@dataclass(slots=True)
class Bench(Repeated):
    """The same on one engine, which comes up when it is first needed."""

    contestant: Contestant
    bring_up: Callable[[], Site]
    _proofs: list[Proof] = field(default_factory=list)

    @property
    def site(self) -> Site:
        """The running engine."""
        return self.bring_up()

    def needs(self, saga: Saga) -> None:
        """Skip what the engine declares absent, with its own reason."""
        for capability, reason in lacking(saga, self.contestant.info, [Capability.OUTCOME]).items():
            pytest.skip(f"not supported: {self.contestant.name}: {capability}: {reason}")

    def sagas(
        self,
        group: str,
        prepare: Callable[[], Sent],
        act: Callable[[Sent], object],
        *,
        finish: Callable[[Sent], object] | None = None,
        rounds: int = 30,
        warm_up: int = 5,
    ) -> list[Proof]:
        """Time ``act`` on one saga after the other, wait with ``finish`` for what it left undone; prove each.

        Returns:
            The proofs of the measured rounds.
        """
        proofs: list[Proof] = []

        def check(one: Sent) -> None:
            if finish is not None:
                finish(one)
            proofs.extend(prove(self.site, [one]))

        self.tell(**about(self.site), load="one saga at a time, nothing else in flight")
        measured = self.time(group, prepare, act, check, rounds=rounds, warm_up=warm_up)
        counted = [proof for proof in proofs if any(proof.sent is one for one in measured)]
        self.tell(**of_sagas(counted))
        return counted
