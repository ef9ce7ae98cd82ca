"""What can be asked of Locust's command line, and what cannot be meant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.options import choose_saga
from bakeoff.errors import UnknownNameError, UsageError
from bakeoff_bench.load.wanted import Wanted

_STRIKES = "worker-kill:charge_payment.after_effect"


def _wanted(**asked: Any) -> Wanted:
    nothing: dict[str, Any] = {
        **{"folder": "there", "scenario": "order-steady", "engine": "inline", "broker": ""},
        **{"config_class": "recommended", "sets": [], "ledger": "sqlite", "bridge": "in-process"},
        **{"rate": None, "duration": None},
        **{"warm_up": None, "arrivals": "poisson", "closed": 0, "shape": "", "fault": "", "arm_after": None},
        **{"workers": 1, "slots": 4, "seed": 1, "out": ""},
    }
    return Wanted(**{**nothing, **asked})


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"rate": 0.0}, "--rate 0: a positive number"),
        ({"duration": -1.0}, "--duration -1: a positive number"),
        ({"duration": 5.0, "warm_up": 5.0}, "--warm-up 5: from 0 to less than the 5 s"),
        ({"rate": 5.0, "closed": 3}, "--rate and --closed: say only one"),
        ({"closed": -1}, "--closed -1: from 0 to 10000"),
        ({"workers": 0}, "--workers 0: from 1 to 256"),
        ({"arm_after": 3.0}, "--arm-after: there is no fault to arm"),
        ({"fault": _STRIKES, "duration": 5.0, "arm_after": 9.0}, "--arm-after 9: within the 5 s"),
        ({"fault": _STRIKES, "closed": 2}, "a fault strikes an open loop"),
        ({"scenario": "order-server-crash", "closed": 2}, "a fault strikes an open loop"),
        ({"shape": "nonsense"}, "--shape nonsense: say package.module:Class"),
        ({"shape": "tests.load.test_locust_wanted:Nothing", "duration": 3.0}, "leave --duration out"),
        ({"scenario": "order-stedy"}, "Did you mean 'order-steady'?"),
    ],
)
def test_what_cannot_be_meant(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        _wanted(**asked).check()


def test_a_bridge_makes_another_contestant() -> None:
    assert _wanted().contestant().label == "inline"
    assert _wanted(bridge="nats").contestant().label == "inline over nats"
    assert _wanted(bridge="nats://127.0.0.1:4222").between.url == "nats://127.0.0.1:4222"
    with pytest.raises(UnknownNameError, match="--bridge pigeon: there is no such bridge"):
        _wanted(bridge="pigeon").contestant()


def test_a_folder_is_not_written_twice(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is there already"):
        _wanted(out=str(tmp_path)).check()


def test_what_nobody_says_is_as_everywhere() -> None:
    wanted = _wanted()
    wanted.check()
    order = wanted.order(2)

    assert (order.rate, order.seconds, order.users) == (10.0, 15.0, 0)
    assert wanted.warm_up_s == 3.0
    assert _wanted(duration=4.0).warm_up_s == 1.0
    assert (order.label, order.folder, order.arrival_seed) == ("locust-2", "there/load-2", 3)


def test_a_crash_scenario_strikes_by_itself() -> None:
    """Where and when it says, unless somebody says otherwise."""
    saga, _ = choose_saga("order")
    its_own = _wanted(scenario="order-worker-crash").strike(saga)
    asked = _wanted(fault="server-kill:charge_payment.after_effect", arm_after=7.0).strike(saga)

    assert its_own is not None
    assert asked is not None
    assert (its_own.name, its_own.after_s) == (_STRIKES, 24.0)
    assert (asked.name, asked.after_s) == ("server-kill:charge_payment.after_effect", 7.0)
    assert _wanted().strike(saga) is None


def test_patience_lasts_longer_than_a_lease() -> None:
    assert _wanted().order(1, lease_s=50.0).patience_s > 50
    assert _wanted().order(1).patience_s == 60.0
