"""A fixed pool of generated sagas; workers load it as ``bakeoff.contract.generated``."""

from __future__ import annotations

import random

from bakeoff.contract.generator import KINDS, Kind, generate
from bakeoff.saga import Saga
from bakeoff.world import Fate

#: Sagas of each kind.
_COUNT = 12


def _pool(kind: Kind) -> list[tuple[Saga, dict[str, Fate]]]:
    """Seeded by text: the same sagas in every process."""
    return [
        generate(random.Random(f"{kind} {number}").choice, f"generated-{kind}-{number}", kind)
        for number in range(_COUNT)
    ]


#: ``{kind: [(saga, fates)]}``.
POOL: dict[Kind, list[tuple[Saga, dict[str, Fate]]]] = {kind: _pool(kind) for kind in KINDS}

globals().update({saga.name: saga for pool in POOL.values() for saga, _ in pool})
