"""The evidence that requirements are written for: runs that there are, or the whole run that is to come."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff.cli.options import choose_saga
from bakeoff_bench.crash.points import points_of
from bakeoff_bench.decide import work
from bakeoff_bench.decide.decision import Requirements
from bakeoff_bench.decide.evidence import read_evidence
from bakeoff_bench.decide.facts import Facts, Kills
from bakeoff_bench.decide.measures import Measure, Value
from bakeoff_bench.decide.musts import Answer, upper_end
from bakeoff_bench.decide.wishes import value_of

_PLACE = "runs/first"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """What Enter may ask for, because it is answered.

    Attributes:
        everyone: What is known, of one contestant or more.
        places: As they were given; empty: nothing has run yet.
    """

    everyone: Sequence[Facts]
    places: Sequence[str] = ()

    def kills(self, fault: str) -> int:
        """So many were followed to an end, of whoever has fewest of those that have some; 0: of nobody."""
        found = [one.kills[fault].judged for one in self.everyone if fault in one.kills]
        return min(filter(None, found), default=0)

    def tells(self, measure: Measure) -> bool:
        """Whether it compares anybody by it."""
        return any(value_of(one, measure) is not None for one in self.everyone)

    def beyond(self, asked: Requirements) -> list[str]:
        """Commands for what nobody is known to meet yet, and for what compares nobody, each once."""
        judged = [[must.judge(one) for one in self.everyone] for must in asked.musts]
        unmet = [own for own in judged if all(finding.answer is not Answer.MET for finding in own)]
        commands = [next((one.work for one in own if one.answer is Answer.UNKNOWN), "") for own in unmet]
        commands += [work.measure(wish.of) for wish in asked.wishes if not self.tells(wish.of)]
        return list(dict.fromkeys(filter(None, commands)))

    def advice(self, file: Path, asked: Requirements) -> Iterator[str]:
        """What to do next: the run, what it does not answer, the decision."""
        if not self.places:
            yield (
                f"evidence: bakeoff run --out {_PLACE} "
                f"(kills a worker once at each of {self.kills('worker-kill')} points)"
            )
        more = self.beyond(asked)
        for command in more:
            yield f"what it asks for beyond that: {command}"
        words = [str(file), *(self.places or [_PLACE])]
        yield f"then: bakeoff decide {shlex.join(words)}{' RUN...' if more else ''}"


def at_hand(places: Sequence[Path]) -> AtHand:
    """Of these runs; of none what a whole `bakeoff run` tells of an engine that comes to no harm.

    Raises:
        UsageError: If one of them cannot be read.
    """
    if not places:
        return AtHand(everyone=[_of_a_whole_run()])
    everyone, _ = read_evidence(places)
    return AtHand(everyone=everyone or [Facts(label="any")], places=[str(one) for one in places])


def _of_a_whole_run() -> Facts:
    """It kills workers, with short leases, and no server; its load tells what engines cost."""
    saga, _ = choose_saga("order")
    points = len(points_of(saga))
    kills = Kills(
        judged=points,
        harmed=0,
        upper=upper_end(points),
        recovered_s=[0.0] * points,
        unrecovered=0,
        evidence=_PLACE,
        short_leases=True,
    )
    costs = (Measure.CPU, Measure.MEMORY, Measure.PROCESSES)
    return Facts(
        label="any",
        kills={"worker-kill": kills},
        servers=[],
        servers_evidence=_PLACE,
        measures={measure: Value(value=1.0, evidence=_PLACE) for measure in costs},
    )
