"""How many rounds a comparison needs, from a pilot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bakeoff.errors import UsageError
from bakeoff_bench.significance.family import pairs_of
from bakeoff_bench.significance.paired import ALPHA, log_ratios, spread
from bakeoff_bench.significance.power import POWER, RESOLVE, resolvable
from bakeoff_bench.significance.student import upper_sd

#: So sure the plan is that the noise is no greater than it assumes.
_CONFIDENCE = 0.8

LEAST, MOST = 10, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan:
    """What a pilot says about the rounds to come.

    Attributes:
        rounds: To measure after the pilot, whose own are not part of the result.
        resolves: The difference that they find with the power that was asked for, as a share.
        enough: Whether that is as small as was asked for; if not, the most that is allowed is planned.
        log_sd: Standard deviation of the log-ratio in the pilot.
        planned_sd: The upper limit of it that the plan assumes.
    """

    rounds: int
    resolves: float
    enough: bool
    log_sd: float
    planned_sd: float


def rounds_needed(
    pilot: Sequence[float],
    *,
    comparisons: int = 1,
    resolve: float = RESOLVE,
    power: float = POWER,
    alpha: float = ALPHA,
    least: int = LEAST,
    most: int = MOST,
) -> RoundPlan:
    """Plan as many rounds as the paired t test needs to find a difference of ``resolve``.

    A pilot of a few rounds knows its own SD badly: that of five rounds is too small in six of ten cases, by
    more than a third in two. The plan therefore assumes the upper end of the SD's one-sided 80 % interval: at
    most one plan in five promises a power that it does not have. Do not add the pilot's rounds to the result:
    a quiet pilot ends a measurement early, and equal contestants would then differ in 6 % of cases, not 5.

    Args:
        pilot: Log-ratios of two or more rounds, the warm-up left out.
        comparisons: That will be corrected for together.
        resolve: The difference that matters, as a share: 0.1 is 110 against 100.
        power, alpha: Of the test.
        least, most: Rounds, whatever the pilot says.

    Raises:
        UsageError: With fewer than two rounds, or limits that make no plan.

    Source:
        R. H. Browne, "On the use of a pilot sample for sample size determination", Statistics in Medicine 14
        (1995).
    """
    if len(pilot) < 2:
        raise UsageError(f"a pilot of {len(pilot)} rounds knows nothing of their noise: measure at least two")
    if not (resolve > 0 and 2 <= least <= most):
        raise UsageError(
            f"no plan for a difference of {resolve:g} in {least} to {most} rounds:"
            " the difference must be above 0, rounds at least 2 and in order"
        )
    log_sd = spread(pilot)
    planned_sd = upper_sd(log_sd, len(pilot), _CONFIDENCE)
    level = alpha / comparisons
    seen = {n: resolvable(planned_sd, n, level, power) for n in range(least, most + 1)}
    rounds = next((n for n, difference in seen.items() if difference <= resolve), most)
    return RoundPlan(
        rounds=rounds,
        resolves=seen[rounds],
        enough=seen[rounds] <= resolve,
        log_sd=log_sd,
        planned_sd=planned_sd,
    )


def rounds_for(
    pilot: Mapping[str, Sequence[float]],
    *,
    baseline: str | None = None,
    loads: int = 1,
    resolve: float = RESOLVE,
    least: int = LEAST,
    most: int = MOST,
) -> RoundPlan:
    """The plan for the noisiest of all pairs, because rounds are run by all contestants together.

    Args:
        pilot: ``{contestant: measurements}``, one a round, of two or more contestants.
        baseline, resolve: As for ``compare_all``.
        loads: In each of which all pairs will be compared, and all of it corrected for together.
        least, most: As for ``rounds_needed``.

    Raises:
        UsageError: As ``rounds_needed`` and ``compare_all``, and if there is nobody to compare.
    """
    pairs = pairs_of(pilot, baseline)
    if not pairs:
        raise UsageError(
            f"{', '.join(pilot) or 'nobody'} alone cannot be compared: take at least two contestants"
        )
    plans = [
        rounds_needed(
            log_ratios(pilot[a], pilot[b]),
            comparisons=loads * len(pairs),
            resolve=resolve,
            least=least,
            most=most,
        )
        for a, b in pairs
    ]
    return max(plans, key=lambda plan: plan.planned_sd)
