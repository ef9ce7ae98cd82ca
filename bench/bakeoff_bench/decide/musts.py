"""Hard constraints: met, not met or unknown, each with its reason and where the evidence stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bakeoff_bench.decide import work
from bakeoff_bench.decide.facts import Facts, Kills, Promise

#: Kills without harm that it takes before "no harm" is believed, unless a requirement says otherwise.
ENOUGH_KILLS = 20
#: A load that offered so much of the rate that is asked for is at that rate: arrivals are drawn.
AT_RATE = 0.9
#: The square of the quantile of a 95 % interval.
_Z2, _ROUNDING = 1.959963984540054**2, 1e-9
#: Who was not seen to the end is looked at for so long the next time: leases, and seconds beside them; the
#: least, where a lease is unknown or short.
_LEASES, _SPARE_S, _LEAST_S = 1.2, 10.0, 120.0


def upper_end(unharmed: int) -> float:
    """Of Wilson's 95 % interval, where so many kills did no harm: the share of them that may do some."""
    return _Z2 / (unharmed + _Z2)


class Answer(StrEnum):
    """Unknown counts neither as met nor as failed."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one requirement comes to on one contestant.

    Attributes:
        why: One sentence.
        evidence: Folder or file; of what is met or not met there is some.
        work: For an unknown: the command that would tell, for every contestant of that class.
    """

    answer: Answer
    why: str
    evidence: str = ""
    work: str = ""


class Must(Protocol):
    """A hard constraint."""

    @property
    def says(self) -> str:
        """In the team's words."""

    def judge(self, facts: Facts) -> Finding:
        """Hold it against what is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survives:
    """No saga comes to harm when ``fault`` strikes; with ``at_most``, surely no larger share than that."""

    says: str
    fault: str
    kills: int = ENOUGH_KILLS
    at_most: float = 1.0

    def judge(self, facts: Facts) -> Finding:
        """One harmed saga is an answer, and so is an engine's word that there may be one."""
        found = facts.kills.get(self.fault)
        if found is None or not (found.judged or found.unseen):
            more = work.kills(facts.label, self.fault, self.wanted)
            return Finding(answer=Answer.UNKNOWN, why=f"no {self.fault} was judged", work=more)
        unharmed = f"0 of {found.judged} kills did harm"
        if found.harmed:
            why = f"{found.harmed} of {found.judged} kills did harm"
            return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
        if found.gap and found.judged:
            why = f"{unharmed}, but {found.gap}"
            return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
        if found.unseen:
            why = f"{unharmed}, and {found.unseen} more were not seen to their end"
            why = why if found.judged else f"none of {found.unseen} kills was seen to its end"
            return Finding(
                answer=Answer.UNKNOWN, why=why, evidence=found.evidence, work=self._longer(facts, found)
            )
        missing = max(1, self.wanted - found.judged)
        more = work.beside(work.kills(facts.label, self.fault, missing), found.evidence)
        if found.gap is None:
            why = f"{unharmed}, and no run tells what the engine declares"
            return Finding(answer=Answer.UNKNOWN, why=why, evidence=found.evidence, work=more)
        upper = found.upper if found.upper is not None else 1.0
        why = f"{unharmed} (95 %: at most {100 * upper:.0f} %)"
        if found.judged < self.kills or upper > self.at_most:
            wanted = f"; asked for: {self.kills} kills, at most {100 * self.at_most:.0f} %"
            return Finding(answer=Answer.UNKNOWN, why=why + wanted, evidence=found.evidence, work=more)
        return Finding(answer=Answer.MET, why=why, evidence=found.evidence)

    @property
    def wanted(self) -> int:
        """Kills without harm that it takes, for the interval too: Wilson's ends at ``z2 / (n + z2)``."""
        return max(self.kills, math.ceil(_Z2 * (1 / self.at_most - 1) - _ROUNDING))

    def _longer(self, facts: Facts, found: Kills) -> str:
        """All of them again, with time for the lease to end: those that nobody saw stay unknown."""
        least_s = _LEAST_S if found.lease_s is None else _LEASES * found.lease_s + _SPARE_S
        again = work.kills(facts.label, self.fault, self.wanted, max(_LEAST_S, least_s))
        return work.in_place_of(again, found.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovers:
    """After ``fault`` everything in flight is over within ``within_s`` seconds, in every kill."""

    says: str
    within_s: float
    fault: str = "worker-kill"

    def judge(self, facts: Facts) -> Finding:
        """The slowest counts."""
        found = facts.kills.get(self.fault)
        more = work.recoveries(facts.label, self.fault, self.within_s)
        if found is None or not (found.recovered_s or found.unrecovered):
            return Finding(answer=Answer.UNKNOWN, why=f"no {self.fault} landed", work=more)
        if found.short_leases:
            why = "its leases were shorter than those of its class"
            return Finding(answer=Answer.UNKNOWN, why=why, evidence=found.evidence, work=more)
        slowest = max(found.recovered_s, default=0.0)
        if slowest > self.within_s:
            why = f"the slowest of {_all(found)} took {slowest:.1f} s"
            return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
        if found.unrecovered:
            why = f"{found.unrecovered} of {_all(found)} had not recovered when nobody looked any more"
            again = work.in_place_of(more, found.evidence)
            return Finding(answer=Answer.UNKNOWN, why=why, evidence=found.evidence, work=again)
        why = f"the slowest of {_all(found)} took {slowest:.1f} s"
        return Finding(answer=Answer.MET, why=why, evidence=found.evidence)


def _all(found: Kills) -> str:
    return f"{len(found.recovered_s) + found.unrecovered} kills"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carries:
    """At ``rate_per_s`` sagas per second the backlog does not grow and p95 is at most ``p95_s``."""

    says: str
    rate_per_s: float
    p95_s: float

    def judge(self, facts: Facts) -> Finding:
        """Carrying more is enough; failing at less is failing. Where a server stands in, neither tells."""
        more = work.load(facts.label, self.rate_per_s)
        good = [
            one for one in facts.loads if one.kept_up and one.p95_s is not None and one.p95_s <= self.p95_s
        ]
        enough = [one for one in good if one.offered_per_s >= AT_RATE * self.rate_per_s]
        bad = [
            one
            for one in facts.loads
            if one.offered_per_s <= self.rate_per_s / AT_RATE
            and (not one.kept_up or (one.p95_s is not None and one.p95_s > self.p95_s))
        ]
        if not (enough or bad):
            most = max((one.offered_per_s for one in good), default=None)
            why = "no open load was measured" if most is None else f"nothing above {most:.1f}/s was offered"
            places = ", ".join(dict.fromkeys(one.evidence for one in good))
            return Finding(answer=Answer.UNKNOWN, why=why, evidence=places, work=more)
        told = min(bad or enough, key=lambda one: one.offered_per_s)
        what = f"p95 {told.p95_s:.2f} s" if told.kept_up else "the backlog grew"
        why = f"{what} at {told.offered_per_s:.1f}/s"
        if facts.stand_in:
            why, more = f"{why}, but {facts.stand_in}", f"{more}, {work.STOOD_IN}"
            return Finding(answer=Answer.UNKNOWN, why=why, evidence=told.evidence, work=more)
        if bad and enough:
            why = f"{why}, though another load at this rate was carried"
            return Finding(answer=Answer.UNKNOWN, why=why, evidence=told.evidence, work=more)
        return Finding(answer=Answer.NOT_MET if bad else Answer.MET, why=why, evidence=told.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Can:
    """A capability, by declaration and by the tests that ask for it; with ``native``, the engine's own."""

    says: str
    capability: str
    native: bool = False

    def judge(self, facts: Facts) -> Finding:
        """What is declared and fails is not met."""
        found = facts.capabilities.get(self.capability)
        finding = _kept(found, f"the capability {self.capability}")
        foreign = found is not None and self.native and found.support != "native"
        if found is not None and foreign and finding.answer is not Answer.NOT_MET:
            why = f"{found.support}, not native: {found.reason}"
            return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
        return finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeps:
    """All tests of one module of the contract suite pass, such as ``test_compensation``."""

    says: str
    promise: str

    def judge(self, facts: Facts) -> Finding:
        """A test that the engine declares it cannot take is not kept."""
        return _kept(facts.promises.get(self.promise), self.promise)


def _kept(found: Promise | None, what: str) -> Finding:
    if found is None:
        why = f"no contract results tell of {what}"
        return Finding(answer=Answer.UNKNOWN, why=why, work=work.CONTRACT)
    if found.support == "absent" or found.failed:
        fail = "1 test fails" if found.failed == 1 else f"{found.failed} tests fail"
        why = f"{fail}: {found.reason}" if found.failed else f"absent: {found.reason}"
        return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
    declared = f"{found.support}, " if found.support else ""
    passed = f"{declared}{found.passed} test{'' if found.passed == 1 else 's'} passed"
    if found.unknown:
        why = f"{passed}, {found.unknown} unknown: {found.doubt}"
    elif not found.passed:
        why = f"no test of {what} passed or failed"
    else:
        why = passed
        return Finding(answer=Answer.MET, why=why, evidence=found.evidence)
    return Finding(answer=Answer.UNKNOWN, why=why, evidence=found.evidence, work=work.CONTRACT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """No server has to be operated but those named."""

    says: str
    allowed: tuple[str, ...]

    def judge(self, facts: Facts) -> Finding:
        """By what was started for it."""
        if facts.servers is None:
            why = "no run tells which servers it needs"
            return Finding(answer=Answer.UNKNOWN, why=why, work=work.RUN)
        others = [kind for kind in facts.servers if kind not in self.allowed]
        needs = ", ".join(facts.servers) or "no server"
        answer = Answer.NOT_MET if others else Answer.MET
        return Finding(answer=answer, why=f"it needs {needs}", evidence=facts.servers_evidence)
