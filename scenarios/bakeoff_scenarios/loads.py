"""The loads by name: what arrives when, what is done to the engine meanwhile, and what is looked at."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bakeoff.errors import UnknownNameError
from bakeoff_scenarios.arrivals import Leg

#: From a rate (arrivals per second) and a duration (seconds) to the rate over time.
Shape = Callable[[float, float], Sequence[Leg]]


def steady(rate: float, seconds: float) -> Sequence[Leg]:
    """Always the same rate."""
    return (Leg(seconds, rate, rate),)


def ramp(rate: float, seconds: float) -> Sequence[Leg]:
    """From a tenth of the rate up to the rate, evenly."""
    return (Leg(seconds, rate / 10, rate),)


def steps(rate: float, seconds: float) -> Sequence[Leg]:
    """25, 50, 75, 90 and 100 % of the rate, a fifth of the time each."""
    return tuple(Leg(seconds / 5, rate * share, rate * share) for share in (0.25, 0.5, 0.75, 0.9, 1.0))


def spike(rate: float, seconds: float) -> Sequence[Leg]:
    """A third of the rate, for a tenth of the time three times that of it, then a third again."""
    low, high = rate / 3, rate * 3
    return (Leg(0.4 * seconds, low, low), Leg(0.1 * seconds, high, high), Leg(0.5 * seconds, low, low))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadScenario:
    """A named load.

    Attributes:
        name: For ``--scenario``.
        description: One line.
        shape: The rate over time.
        duration_s: Seconds, if the user does not say.
        saga: Of every arrival.
        fault: ``FAULT:POINT`` that strikes once, or nothing.
        arm_at: Share of the duration after which the fault waits for the next saga at its point.
        declined: Share of the orders that are declined at their payment, and undone.
        slow: Share of the arrivals that are of a slow kind: their first step takes ``slow_s``.
        slow_s: Seconds.
        exhausted: Share of the sagas whose steps with an escalation fail for good.
        parked_s: Seconds from its start until an approval comes; latency counts from the approval.
    """

    name: str
    description: str
    shape: Shape = steady
    duration_s: float = 15.0
    saga: str = "order"
    fault: str = ""
    arm_at: float = 0.4
    declined: float = 0.05
    slow: float = 0.0
    slow_s: float = field(default=1.0)
    parked_s: float = 0.0
    exhausted: float = 0.0


_ALL = (
    LoadScenario(name="order-steady", description="orders at one rate; 5 % are declined and undone"),
    LoadScenario(
        name="order-ramp", description="from a tenth of the rate up to the rate", shape=ramp, duration_s=60.0
    ),
    LoadScenario(
        name="order-steps",
        description="25, 50, 75, 90 and 100 % of the rate, a fifth of the time each",
        shape=steps,
        duration_s=60.0,
    ),
    LoadScenario(
        name="order-spike",
        description="a third of the rate, for a tenth of the time three times the rate, and the recovery",
        shape=spike,
        duration_s=60.0,
    ),
    LoadScenario(
        name="order-soak",
        description="orders at one rate for half an hour: what grows that should not",
        duration_s=1800.0,
    ),
    LoadScenario(
        name="order-worker-crash",
        description="a worker is killed under load: the dip, the drain, what the tail pays",
        duration_s=60.0,
        fault="worker-kill:charge_payment.after_effect",
    ),
    LoadScenario(
        name="order-server-crash",
        description="the engine's server is killed and started again under load",
        duration_s=60.0,
        fault="server-kill:charge_payment.after_effect",
    ),
    LoadScenario(
        name="approval-parked",
        description="every order waits 10 s for a human; latency counts from the approval",
        saga="order-approval",
        duration_s=40.0,
        parked_s=10.0,
    ),
    LoadScenario(
        name="fulfilment",
        description="orders up to the confirmed delivery, which is signalled at once",
        saga="fulfilment",
    ),
    LoadScenario(
        name="onboarding",
        description="users who verify at once: a mail, a signal, an account",
        saga="onboarding-days",
    ),
    LoadScenario(
        name="billing",
        description="invoices; one in ten is never paid: it is charged five times, escalated, suspended",
        saga="billing",
        exhausted=0.1,
    ),
    LoadScenario(
        name="approval",
        description="requests that are approved at once",
        saga="approval-days",
    ),
    LoadScenario(
        name="noisy-neighbour",
        description="one arrival in ten is slow (1 s in its first step): what the others pay",
        slow=0.1,
    ),
)

LOADS: Mapping[str, LoadScenario] = {load.name: load for load in _ALL}


def find_load(name: str) -> LoadScenario:
    """Return the load called ``name``; ``UnknownNameError`` lists the known ones."""
    if name in LOADS:
        return LOADS[name]
    close = difflib.get_close_matches(name, LOADS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownNameError(f"--scenario {name!r}: there is no such load; known: {', '.join(LOADS)}.{hint}")
