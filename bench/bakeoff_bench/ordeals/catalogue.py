"""The ordeals by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from bakeoff.errors import UnknownNameError
from bakeoff_bench.ordeals import deployed_2_behind
from bakeoff_bench.ordeals.backlog import Backlog
from bakeoff_bench.ordeals.code_change import CodeChange
from bakeoff_bench.ordeals.neighbour import NoisyNeighbour
from bakeoff_bench.ordeals.ordeal import Ordeal
from bakeoff_bench.ordeals.parked import Parked
from bakeoff_bench.ordeals.poison import Poison
from bakeoff_bench.ordeals.under_load import UnderLoad

_ALL: Sequence[Ordeal] = (
    Backlog(),
    CodeChange(),
    CodeChange(
        name="code-change-behind",
        description="the same, but the new step lies where the waiting sagas have gone past",
        new=deployed_2_behind.ORDER_SCREENED_EARLY,
        deployed=deployed_2_behind.__name__,
    ),
    NoisyNeighbour(),
    Parked(),
    Poison(),
    Poison(
        name="poison-worker",
        description="the same, but the whole worker dies with it, as a container out of memory does",
        whole=True,
    ),
    UnderLoad(),
)

ORDEALS: Mapping[str, Ordeal] = {ordeal.name: ordeal for ordeal in _ALL}


def find_ordeals(names: Sequence[str]) -> list[Ordeal]:
    """Those ordeals, each once; ``all`` means every one.

    Raises:
        UnknownNameError: If there is none of that name.
    """
    if "all" in names:
        return list(_ALL)
    for name in names:
        if name not in ORDEALS:
            close = difflib.get_close_matches(name, ORDEALS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UnknownNameError(f"ordeal {name!r} is not known; known: {', '.join(ORDEALS)}.{hint}")
    return [ORDEALS[name] for name in dict.fromkeys(names)]
