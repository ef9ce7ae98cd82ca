"""How long ``bakeoff bench speed`` takes on an engine, roughly, for its announcement."""

from __future__ import annotations

from bakeoff.contract.duration import suite_seconds
from bakeoff.engine import EngineInfo

#: Rough seconds on two cores, by ``in_process``: everything comes up three times, and the orders.
_UP_S = {True: 10.0, False: 20.0}
#: Of a pair of adapter and native: the native comes up; and a saga of either, the mean over engines that
#: docs/results/overhead.json tells for the same loop.
_PAIR_S, _SAGA_S = 3.0, 0.016


def speed_seconds(info: EngineInfo, rounds: int, sagas: int, *, contract: bool) -> float:
    """Seconds of one engine; ``sagas`` of each side and round. An engine without a native needs less."""
    pairs = 0.0 if info.in_process else rounds * (_PAIR_S + 2 * sagas * _SAGA_S)
    return _UP_S[info.in_process] + pairs + (suite_seconds(info) if contract else 0.0)
