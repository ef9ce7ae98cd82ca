"""How long the loads of a round may last, so that the rounds that are due fit into the time that is left.

What differs between rounds is what an interval must cover: ten short rounds tell more than three long ones.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field

from bakeoff_bench.load.plan import AROUND_S, LoadPlan

#: A load of a round lasts at least so many seconds behind its warm-up, however little time there is.
LEAST_S = 5.0
#: Seconds per contestant of what comes behind the rounds: its generator alone, its event histories.
_AFTER_S = 15.0
#: Of the time that is left, this share is planned with: no round is quite as long as the one before.
_PLANNED = 0.95


@dataclass(slots=True, kw_only=True)
class Pace:
    """What loads took so far, and what follows from that.

    Attributes:
        plan: The run's.
        around_s: ``{contestant: seconds that its loads took beyond those in which sagas arrived}``.
    """

    plan: LoadPlan
    around_s: dict[str, list[float]] = field(default_factory=dict)

    def saw(self, label: str, took_s: float, seconds: float) -> None:
        """A load of ``seconds`` took ``took_s``, with its generator's start and all that was written down."""
        self.around_s.setdefault(label, []).append(took_s - seconds)

    def rounds_left(self, gone_s: float) -> float:
        """For how many rounds of full length there is time, ``gone_s`` seconds after the run began."""
        return self._left_s(gone_s) / self._round_s(self.plan.seconds)

    def has_time_for_a_pilot(self, gone_s: float) -> bool:
        """Whether more rounds than are due would fit behind it: a pilot can only ask for more."""
        cost = self.plan.pilot / len(self.plan.blocks)
        return self.rounds_left(gone_s) - cost > self.plan.rounds

    def seconds_of_rounds(self, gone_s: float) -> float:
        """Of each load of a round: the plan's, or as many as let the rounds that are due fit.

        Where a shorter load would be another one there are fewer rounds instead.
        """
        plan = self.plan
        if self.rounds_left(gone_s) >= plan.rounds or not plan.may_be_shorter:
            return plan.seconds
        loads = plan.rounds * len(plan.contestants) * len(plan.blocks)
        fitting = math.floor(self._left_s(gone_s) / loads - self._around_s())
        return min(plan.seconds, max(plan.warm_up_s + LEAST_S, fitting))

    def _left_s(self, gone_s: float) -> float:
        if self.plan.within_s is None:
            return math.inf
        return _PLANNED * (self.plan.within_s - gone_s - _AFTER_S * len(self.plan.contestants))

    def _round_s(self, seconds: float) -> float:
        return len(self.plan.contestants) * len(self.plan.blocks) * (seconds + self._around_s())

    def _around_s(self) -> float:
        """The mean of all contestants; of each the median, since an overload takes long to drain."""
        if not self.around_s:
            return AROUND_S
        return statistics.fmean(statistics.median(one) for one in self.around_s.values())
