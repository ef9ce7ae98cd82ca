"""Named experiments: a saga, a workload, faults, and what must come out."""

from bakeoff_scenarios.catalogue import SCENARIOS, find_scenario
from bakeoff_scenarios.needs import lacking, needs_of
from bakeoff_scenarios.workload import Assignment, Request, Scenario, Workload

__all__ = [
    "SCENARIOS",
    "Assignment",
    "Request",
    "Scenario",
    "Workload",
    "find_scenario",
    "lacking",
    "needs_of",
]
