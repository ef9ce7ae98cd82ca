"""The scenarios by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from bakeoff.errors import UnknownNameError
from bakeoff_scenarios.ordinary import ORDINARY
from bakeoff_scenarios.scarcity import SCARCITY
from bakeoff_scenarios.workload import Scenario

SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in (ORDINARY, SCARCITY)}


def find_scenario(name: str) -> Scenario:
    """Return the scenario called ``name``; ``UnknownNameError`` lists the known ones."""
    if name in SCENARIOS:
        return SCENARIOS[name]
    close = difflib.get_close_matches(name, SCENARIOS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownNameError(f"scenario {name!r} is not known; known: {', '.join(sorted(SCENARIOS))}.{hint}")
