"""The sagas of the contract suite; workers load them as ``bakeoff.contract.sagas``.

What a call suffers is written down by the tests per workflow id, so one saga serves many tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bakeoff.contract import actions
from bakeoff.saga import JSON, Condition, Parallel, RetryPolicy, Saga, Sleep, Step, Wait

#: Longer than the longest lease of any configuration class ``ci``.
LONG_NAP = timedelta(seconds=14)
NAP = timedelta(seconds=1)
#: Longer than what is done meanwhile takes on a busy machine, and shorter than any lease of class ``ci`` that
#: bounds a pause.
REST = timedelta(seconds=8)
WAIT = timedelta(seconds=0.6)


def _ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


#: Three attempts, hardly a pause: most tests are about something else than patience.
QUICK = RetryPolicy(initial_interval=_ms(20), maximum_attempts=3)


def _trip_step(name: str, *, undo: bool = True, retry: RetryPolicy = QUICK, **more: object) -> Step:
    return Step(
        name=name,
        action=actions.ACTIONS[name],
        compensation=actions.UNDOS[name] if undo else None,
        retry=retry,
        compensation_retry=QUICK,
        **more,  # type: ignore[arg-type]
    )


TRIP = Saga(
    "trip",
    (
        _trip_step("book_flight"),
        _trip_step("book_hotel"),
        _trip_step("book_car"),
        _trip_step("send_itinerary", undo=False),
    ),
)

#: Some steps in the middle have nothing to undo.
MIXED = Saga(
    "mixed",
    (
        _trip_step("look_around", undo=False),
        _trip_step("book_flight"),
        _trip_step("send_itinerary", undo=False),
        _trip_step("book_hotel"),
        _trip_step("book_car"),
    ),
)

#: As long as a process may stand at a point, on a busy machine too; an engine that waits for the timeout of
#: an attempt whose worker is dead goes on after it.
_AT_A_POINT = timedelta(seconds=10)


def journey_step(name: str, *, undo: bool = True, retry: RetryPolicy = QUICK) -> Step:
    """A step during which a process may stand at a point."""
    return _trip_step(name, undo=undo, retry=retry, timeout=_AT_A_POINT, compensation_timeout=_AT_A_POINT)


#: The shape of the order saga, for crashes: three steps with an undo, and a last one without.
JOURNEY = Saga(
    "journey",
    (
        journey_step("book_flight"),
        journey_step("book_hotel"),
        journey_step("book_car"),
        journey_step("send_itinerary", undo=False),
    ),
)

#: Its second step is patient: long enough between two attempts for a server to end and to come back.
PATIENT_JOURNEY = Saga(
    "patient-journey",
    (
        journey_step("book_flight"),
        journey_step(
            "patient", retry=RetryPolicy(initial_interval=REST, backoff_coefficient=1, maximum_attempts=3)
        ),
        journey_step("book_car"),
    ),
)

#: Steps that may take longer than the longest lease of any configuration class ``ci``: whoever was paused for
#: as long finds that the time is not over, and acts.
LONG_STEPS = Saga(
    "long-steps",
    tuple(
        _trip_step(name, undo=undo, timeout=_ms(18_000), compensation_timeout=_ms(18_000))
        for name, undo in (("book_flight", True), ("book_hotel", True), ("send_itinerary", False))
    ),
)

_TWICE = RetryPolicy(initial_interval=_ms(20), maximum_attempts=2)

PIVOT = Saga(
    "trip-pivot",
    (
        _trip_step("book_flight"),
        _trip_step("book_hotel"),
        _trip_step("pay", retry=_TWICE, pivot=True),
        _trip_step("issue_ticket", undo=False, retry=_TWICE),
        _trip_step("send_itinerary", undo=False, retry=_TWICE),
    ),
)

#: Longer than a busy machine needs for an attempt, its start included.
HASTY = timedelta(seconds=2)
#: Two steps that share neither policy nor timeout.
POLICIES = Saga(
    "policies",
    (
        _trip_step("hasty", retry=_TWICE, timeout=HASTY),
        _trip_step(
            "patient",
            retry=RetryPolicy(initial_interval=_ms(50), backoff_coefficient=1, maximum_attempts=5),
            timeout=4 * HASTY,
        ),
    ),
)

BACKOFF = Saga(
    "backoff",
    (
        _trip_step(
            "steady", retry=RetryPolicy(initial_interval=_ms(100), backoff_coefficient=1, maximum_attempts=4)
        ),
        _trip_step(
            "growing", retry=RetryPolicy(initial_interval=_ms(100), backoff_coefficient=3, maximum_attempts=4)
        ),
        _trip_step(
            "capped",
            retry=RetryPolicy(
                initial_interval=_ms(50),
                backoff_coefficient=20,
                maximum_interval=_ms(200),
                maximum_attempts=4,
            ),
        ),
    ),
)

#: Its second pause is longer than a request takes on a busy machine.
LONG_PAUSE = Saga(
    "long-pause",
    (
        _trip_step("steady"),
        _trip_step(
            "growing",
            retry=RetryPolicy(
                initial_interval=_ms(500),
                backoff_coefficient=16,
                maximum_interval=timedelta(seconds=8),
                maximum_attempts=3,
            ),
        ),
    ),
)

#: One attempt and no more; its undo has another patience than its action.
SINGLE = Saga(
    "single",
    (
        _trip_step("book_flight", retry=RetryPolicy(maximum_attempts=1)),
        _trip_step("book_hotel", retry=RetryPolicy(maximum_attempts=1)),
    ),
)

SLOW_UNDO = Saga(
    "slow-undo",
    (
        Step(
            name="book_flight",
            action=actions.ACTIONS["book_flight"],
            compensation=actions.UNDOS["book_flight"],
            retry=QUICK,
            compensation_retry=QUICK,
            compensation_timeout=HASTY,
        ),
        _trip_step("book_hotel"),
    ),
)

#: Steps that write down what they were given.
WITNESS = Saga(
    "witness",
    tuple(
        Step(
            name=name,
            action=actions.witness,
            compensation=actions.witness_undo,
            retry=QUICK,
            compensation_retry=QUICK,
        )
        for name in ("first", "second", "third")
    ),
)

BIG = Saga(
    "big",
    (
        Step(name="produce", action=actions.produce, retry=QUICK),
        Step(name="weigh", action=actions.weigh, retry=QUICK),
    ),
)

HUNDRED = Saga(
    "hundred",
    tuple(
        Step(
            name=f"step_{number:03}",
            action=actions.count,
            compensation=actions.uncount,
            retry=QUICK,
            compensation_retry=QUICK,
        )
        for number in range(1, 101)
    ),
)

PARALLEL = Saga(
    "parallel",
    (
        _trip_step("book_flight"),
        Parallel(name="stay", steps=(_trip_step("left"), _trip_step("middle"), _trip_step("right"))),
        Step(name="after", action=actions.witness, compensation=actions.witness_undo, retry=QUICK),
    ),
)

APPROVAL = Saga(
    "approval",
    (
        _trip_step("book_flight"),
        Wait(name="approved"),
        Step(name="after", action=actions.witness, compensation=actions.witness_undo, retry=QUICK),
    ),
)

TWO_WAITS = Saga(
    "two-waits",
    (
        _trip_step("book_flight"),
        Wait(name="approved"),
        _trip_step("book_hotel"),
        Wait(name="countersigned"),
        Step(name="after", action=actions.witness, retry=QUICK),
    ),
)

WAIT_OR_FAIL = Saga(
    "wait-or-fail",
    (
        _trip_step("book_flight"),
        Wait(name="approved", timeout=WAIT),
        Step(name="after", action=actions.witness, retry=QUICK),
    ),
)

#: Longer than a signal takes on a busy machine.
LONG_WAIT = timedelta(seconds=5)
LONG_WAIT_OR_FAIL = Saga(
    "long-wait-or-fail",
    (
        _trip_step("book_flight"),
        Wait(name="approved", timeout=LONG_WAIT),
        Step(name="after", action=actions.witness, retry=QUICK),
    ),
)

WAIT_OR_GO_ON = Saga(
    "wait-or-go-on",
    (
        _trip_step("book_flight"),
        Wait(name="approved", timeout=WAIT, on_timeout="continue"),
        Step(name="after", action=actions.witness, retry=QUICK),
    ),
)


def _is_wanted(step: str) -> Condition:
    """Whether the input lists this step; an input that lists nothing raises."""
    return lambda input, results: step in input["wanted"]


#: Every kind of element that may have a condition; the input ``{"wanted": [names]}`` says which are due.
CONDITIONAL = Saga(
    "conditional",
    (
        _trip_step("book_flight", when=_is_wanted("book_flight")),
        _trip_step("book_hotel", when=_is_wanted("book_hotel")),
        Parallel(
            name="stay",
            steps=(
                _trip_step("left", when=_is_wanted("left")),
                _trip_step("right", when=_is_wanted("right")),
            ),
        ),
        Wait(name="approved", when=_is_wanted("approved")),
        _trip_step("book_car"),
        Step(name="after", action=actions.witness, retry=QUICK, when=_is_wanted("after")),
    ),
)


def _nobody_answered(input: JSON, results: Mapping[str, JSON]) -> bool:
    """The condition of a reminder and of the second wait: the first one brought nothing."""
    return results.get("asked") is None


#: A reminder: two waits for one signal.
REMINDED = Saga(
    "reminded",
    (
        _trip_step("book_flight"),
        Wait(name="asked", timeout=WAIT, on_timeout="continue", signal="answer"),
        _trip_step("book_hotel", undo=False, when=_nobody_answered),
        Wait(name="asked_again", signal="answer", when=_nobody_answered),
        Step(name="after", action=actions.witness, retry=QUICK),
    ),
)


def _has_rested(input: JSON, results: Mapping[str, JSON]) -> bool:
    """Whether the timer has elapsed, which brings nothing."""
    return "nap" in results


#: A condition on a timer.
RESTED = Saga(
    "rested",
    (
        _trip_step("book_flight"),
        Sleep(name="nap", duration=_ms(200)),
        _trip_step("book_hotel", when=_has_rested),
        Step(name="after", action=actions.witness, retry=QUICK),
    ),
)

#: A step with an escalation in the middle; behind the ordinary way an escalation of two steps.
ESCALATING = Saga(
    "escalating",
    (
        _trip_step("book_flight"),
        _trip_step("hasty", retry=_TWICE, on_exhausted="patient"),
        _trip_step("book_hotel"),
        _trip_step("send_itinerary", undo=False),
        _trip_step("patient"),
        Step(name="after", action=actions.witness, compensation=actions.witness_undo, retry=QUICK),
    ),
)

#: The escalation asks, too; who answers answers the one question that is still open.
ASKING = Saga(
    "asking",
    (
        _trip_step("hasty", retry=_TWICE, on_exhausted="patient"),
        Wait(name="asked", signal="answer"),
        _trip_step("book_hotel"),
        _trip_step("patient"),
        Wait(name="asked_again", signal="answer"),
        Step(name="after", action=actions.witness, retry=QUICK),
    ),
)


def _nap(name: str, duration: timedelta) -> Saga:
    nap = Sleep(name="nap", duration=duration)
    return Saga(name, (_trip_step("book_flight"), nap, _trip_step("book_hotel")))


NAPPING = _nap("nap", NAP)
RESTING = _nap("rest", REST)
LONG_NAPPING = _nap("long-nap", LONG_NAP)
THIRTY_DAYS = _nap("thirty-days", timedelta(days=30))
