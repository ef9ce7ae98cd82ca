"""Hard constraints: met, not met or unknown, each with its reason and where the evidence stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bakeoff_bench.decide.facts import Facts, Kills, Promise

#: Kills without harm that it takes before "no harm" is believed, unless a requirement says otherwise.
ENOUGH_KILLS = 20
#: A load that offered so much of the rate that is asked for is at that rate: arrivals are drawn.
_AT_RATE = 0.9


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
        evidence: Folder or file, where there is some.
        work: For an unknown: the command that would tell.
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
        work = f"bakeoff crash --fault {self.fault} --kills {self.kills} --out DIR"
        found = facts.kills.get(self.fault)
        if found is None or not found.judged:
            return Finding(answer=Answer.UNKNOWN, why=f"no {self.fault} was judged", work=work)
        if found.harmed:
            why = f"{found.harmed} of {found.judged} kills did harm"
            return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
        if found.gap:
            why = f"0 of {found.judged} kills did harm, but {found.gap}"
            return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
        if found.gap is None:
            why = f"0 of {found.judged} kills did harm, and no run tells what the engine declares"
            return Finding(answer=Answer.UNKNOWN, why=why, evidence=found.evidence, work=work)
        upper = found.upper if found.upper is not None else 1.0
        why = f"0 of {found.judged} kills did harm (95 %: at most {100 * upper:.0f} %)"
        if found.judged < self.kills or upper > self.at_most:
            wanted = f"; asked for: {self.kills} kills, at most {100 * self.at_most:.0f} %"
            return Finding(answer=Answer.UNKNOWN, why=why + wanted, evidence=found.evidence, work=work)
        return Finding(answer=Answer.MET, why=why, evidence=found.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovers:
    """After ``fault`` everything in flight is over within ``within_s`` seconds, in every kill."""

    says: str
    within_s: float
    fault: str = "worker-kill"

    def judge(self, facts: Facts) -> Finding:
        """The slowest counts."""
        found = facts.kills.get(self.fault)
        work = f"bakeoff crash --fault {self.fault} --out DIR"
        if found is None or not (found.recovered_s or found.unrecovered):
            return Finding(answer=Answer.UNKNOWN, why=f"no {self.fault} landed", work=work)
        if found.short_leases:
            why = "its leases were shorter than those of its class"
            return Finding(
                answer=Answer.UNKNOWN, why=why, evidence=found.evidence, work=f"{work} --own-leases"
            )
        slowest = max(found.recovered_s, default=0.0)
        if slowest > self.within_s:
            why = f"the slowest of {_all(found)} took {slowest:.1f} s"
            return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
        if found.unrecovered:
            why = f"{found.unrecovered} of {_all(found)} had not recovered when nobody looked any more"
            longer = f"{work} --deadline {max(60.0, 2 * self.within_s):g}"
            return Finding(answer=Answer.UNKNOWN, why=why, evidence=found.evidence, work=longer)
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
        """Carrying more is enough; failing at less is failing, but not where a server stands in."""
        work = f"bakeoff load --rate {self.rate_per_s:g} --out DIR"
        good = [
            one for one in facts.loads if one.kept_up and one.p95_s is not None and one.p95_s <= self.p95_s
        ]
        enough = [one for one in good if one.offered_per_s >= _AT_RATE * self.rate_per_s]
        bad = [
            one
            for one in facts.loads
            if one.offered_per_s <= self.rate_per_s / _AT_RATE
            and (not one.kept_up or (one.p95_s is not None and one.p95_s > self.p95_s))
        ]
        if enough and not bad:
            best = min(enough, key=lambda one: one.offered_per_s)
            why = f"p95 {best.p95_s:.2f} s at {best.offered_per_s:.1f}/s"
            return Finding(answer=Answer.MET, why=why, evidence=best.evidence)
        if bad:
            worst = min(bad, key=lambda one: one.offered_per_s)
            what = f"p95 {worst.p95_s:.2f} s" if worst.kept_up else "the backlog grew"
            why = f"{what} at {worst.offered_per_s:.1f}/s"
            if facts.stand_in:
                why = f"{why}, but {facts.stand_in}"
                return Finding(answer=Answer.UNKNOWN, why=why, evidence=worst.evidence, work=work)
            if enough:
                why = f"{why}, though another load at this rate was carried"
                return Finding(answer=Answer.UNKNOWN, why=why, evidence=worst.evidence, work=work)
            return Finding(answer=Answer.NOT_MET, why=why, evidence=worst.evidence)
        most = max((one.offered_per_s for one in good), default=None)
        why = "no open load was measured" if most is None else f"nothing above {most:.1f}/s was offered"
        return Finding(answer=Answer.UNKNOWN, why=why, work=work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Can:
    """A capability, by declaration and by the tests that ask for it; with ``native``, the engine's own."""

    says: str
    capability: str
    native: bool = False

    def judge(self, facts: Facts) -> Finding:
        """What is declared and fails is not met."""
        finding = _kept(facts.capabilities.get(self.capability), f"the capability {self.capability}")
        found = facts.capabilities.get(self.capability)
        if finding.answer is Answer.MET and self.native and found is not None and found.support != "native":
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
        work = "pytest --engine=all --contract-json contract.json"
        return Finding(answer=Answer.UNKNOWN, why=f"no contract results tell of {what}", work=work)
    if found.support == "absent" or found.failed:
        why = f"absent: {found.reason}" if not found.failed else f"{found.failed} tests fail: {found.reason}"
        return Finding(answer=Answer.NOT_MET, why=why, evidence=found.evidence)
    if not found.passed:
        return Finding(
            answer=Answer.UNKNOWN, why=f"no test of {what} passed or failed", evidence=found.evidence
        )
    declared = f"{found.support}, " if found.support else ""
    why = f"{declared}{found.passed} tests passed"
    return Finding(answer=Answer.MET, why=why, evidence=found.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """No server has to be operated but those named."""

    says: str
    allowed: tuple[str, ...]

    def judge(self, facts: Facts) -> Finding:
        """By what was started for it."""
        if facts.servers is None:
            work = "bakeoff run --out DIR"
            return Finding(answer=Answer.UNKNOWN, why="no run tells which servers it needs", work=work)
        others = [kind for kind in facts.servers if kind not in self.allowed]
        needs = ", ".join(facts.servers) or "no server"
        answer = Answer.NOT_MET if others else Answer.MET
        return Finding(answer=answer, why=f"it needs {needs}")
