"""From requirements and facts to a recommendation, or to the honest word that there is none.

A contestant that fails a hard constraint is out. One that fails none, and of which some are unknown, may yet
be the answer: it is listed with the work that would tell, and does not win. Among those that meet everything,
wishes give their weight to whoever is as good as the best, and the most points win; but nobody wins whom
another one equals in every wish and surely beats in one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.musts import Answer, Finding, Must
from bakeoff_bench.decide.wishes import Granted, Wish, beats, grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a team asks for.

    Attributes:
        title: What it is about.
        musts: Hard constraints.
        wishes: Weighted.
        only: Contestants that are considered; empty: all.
    """

    title: str
    musts: Sequence[Must]
    wishes: Sequence[Wish] = ()
    only: Sequence[str] = ()

    def without(self, must: Must) -> Requirements:
        """The same with one constraint less."""
        return replace(self, musts=[one for one in self.musts if one is not must])

    def instead(self, must: Must, other: Must) -> Requirements:
        """The same with another constraint in the place of one."""
        return replace(self, musts=[other if one is must else one for one in self.musts])

    def with_(self, must: Must) -> Requirements:
        """The same with one constraint more."""
        return replace(self, musts=[*self.musts, must])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows.

    Attributes:
        findings: ``{contestant: [finding of every constraint, in their order]}``.
        granted: Of those that meet all of them, what the wishes give.
        recommended: None: nothing meets everything. One: the answer. Several: nothing tells them apart.
        open: Contestants that fail nothing, of which something is unknown.
        rivals: Of these wishes' unknown values: contestants that could still overtake.
    """

    findings: Mapping[str, Sequence[Finding]]
    granted: Mapping[str, Granted]
    recommended: Sequence[str]
    open: Sequence[str]
    rivals: Sequence[str]


def decide(requirements: Requirements, everyone: Sequence[Facts]) -> Decision:
    """Apply the method; the order of contestants changes nothing but that of the lists."""
    considered = sorted(
        (one for one in everyone if not requirements.only or one.label in requirements.only),
        key=lambda one: one.label,
    )
    findings = {one.label: [must.judge(one) for must in requirements.musts] for one in considered}
    answers = {label: {finding.answer for finding in own} for label, own in findings.items()}
    fit = [one for one in considered if not answers[one.label] - {Answer.MET}]
    open_ = [
        label for label, found in answers.items() if Answer.UNKNOWN in found and Answer.NOT_MET not in found
    ]
    granted = grant(requirements.wishes, fit)
    most = max((one.points for one in granted.values()), default=0.0)
    leading = [one for one in fit if math.isclose(granted[one.label].points, most)]
    unbeaten = [one for one in leading if not any(beats(requirements.wishes, other, one) for other in fit)]
    recommended = [one.label for one in unbeaten]
    rivals = [label for label in granted if label not in recommended and _could_win(label, granted)]
    return Decision(findings=findings, granted=granted, recommended=recommended, open=open_, rivals=rivals)


def _could_win(label: str, granted: Mapping[str, Granted]) -> bool:
    """Whether it would be among the best if what is unknown of it were better than everybody else's."""
    own = granted[label]
    most = max((other.left_by(own) for name, other in granted.items() if name != label), default=0.0)
    possible = own.could_have()
    return any(own.open) and (possible > most or math.isclose(possible, most))
