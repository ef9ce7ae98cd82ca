"""What a difference between contestants is worth: intervals, power, correction, and a word for it."""

from bakeoff_bench.significance.family import Comparison, Finding, compare_all, holm, judge
from bakeoff_bench.significance.interval import Interval
from bakeoff_bench.significance.paired import Paired, log_ratios, paired
from bakeoff_bench.significance.power import power_of, resolvable
from bakeoff_bench.significance.proportion import proportion
from bakeoff_bench.significance.rounds import RoundPlan, rounds_for, rounds_needed

__all__ = [
    "Comparison",
    "Finding",
    "Interval",
    "Paired",
    "RoundPlan",
    "compare_all",
    "holm",
    "judge",
    "log_ratios",
    "paired",
    "power_of",
    "proportion",
    "resolvable",
    "rounds_for",
    "rounds_needed",
]
