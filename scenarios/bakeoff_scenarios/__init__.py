"""Named experiments: a saga, a workload, faults, and what must come out."""

from bakeoff_scenarios.arrivals import Leg, Process, duration_s, moments
from bakeoff_scenarios.catalogue import SCENARIOS, find_scenario
from bakeoff_scenarios.load_plan import Arrival, arrange, counts_of, profile_of, shelves
from bakeoff_scenarios.loads import LOADS, LoadScenario, find_load
from bakeoff_scenarios.needs import lacking, needs_of
from bakeoff_scenarios.workload import Assignment, Request, Scenario, Workload

__all__ = [
    "LOADS",
    "SCENARIOS",
    "Arrival",
    "Assignment",
    "Leg",
    "LoadScenario",
    "Process",
    "Request",
    "Scenario",
    "Workload",
    "arrange",
    "counts_of",
    "duration_s",
    "find_load",
    "find_scenario",
    "lacking",
    "moments",
    "needs_of",
    "profile_of",
    "shelves",
]
