"""Sagas whose steps do to their own process what users' steps do: die in it, or refuse to end."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

from billiard.exceptions import SoftTimeLimitExceeded

from bakeoff.errors import BusinessError
from bakeoff.saga import JSON, Call, Element, Parallel, RetryPolicy, Saga, Sleep, Step, Wait

_QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=3)
_ONCE = RetryPolicy(maximum_attempts=1)
_SECOND = timedelta(seconds=1)


def _is_first_time(call: Call) -> bool:
    """Tell whether this step of this saga runs for the first time; ``call.input`` is a folder."""
    try:
        (Path(call.input) / f"{call.workflow_id}-{call.step}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _stubborn(call: Call) -> JSON:
    """Go on in spite of the soft limit, the first time; only the kill of the process ends that."""
    deadline = time.monotonic() + 30
    while _is_first_time(call) or call.attempt == 1:
        try:
            while time.monotonic() < deadline:
                time.sleep(0.01)
        except SoftTimeLimitExceeded:
            continue
    return "yielded"


def _die_once(call: Call) -> JSON:
    if _is_first_time(call):
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def _die_once_then_decline(call: Call) -> JSON:
    _die_once(call)
    raise BusinessError("no, after all")


def plain(call: Call) -> JSON:
    """Return at once."""
    return call.step


def undo_plain(call: Call) -> JSON:
    """Return at once."""
    return call.own_result


def undo_other(call: Call) -> JSON:
    """Return at once."""
    return call.own_result


_FIRST = Step(name="first", action=plain, compensation=undo_plain, retry=_QUICK)


def _saga(name: str, *steps: Step) -> Saga:
    return Saga(name, (_FIRST, *steps))


STUBBORN = _saga(
    "stubborn",
    Step(name="odd", action=_stubborn, compensation=undo_other, retry=_QUICK, timeout=_SECOND),
    Step(name="last", action=plain, retry=_QUICK),
)
STUBBORN_ONCE = _saga(
    "stubborn-once",
    Step(name="odd", action=_stubborn, compensation=undo_other, retry=_ONCE, timeout=_SECOND),
)
STUBBORN_MEMBER = Saga(
    "stubborn-member",
    (
        _FIRST,
        Parallel(
            name="both",
            steps=(
                Step(name="odd", action=_stubborn, compensation=undo_other, retry=_ONCE, timeout=_SECOND),
                Step(name="even", action=plain, compensation=undo_plain, retry=_ONCE),
            ),
        ),
    ),
)
STUBBORN_LONE = Saga(
    "stubborn-lone",
    (
        _FIRST,
        Parallel(
            name="alone",
            steps=(
                Step(name="odd", action=_stubborn, compensation=undo_other, retry=_QUICK, timeout=_SECOND),
            ),
        ),
    ),
)
DYING = _saga("dying", Step(name="odd", action=_die_once, compensation=undo_other, retry=_QUICK))
DYING_THEN_DECLINED = _saga(
    "dying-then-declined",
    Step(name="odd", action=_die_once_then_decline, compensation=undo_other, retry=_QUICK),
)
LONG_SLEEP = Saga("long-sleep", (_FIRST, Sleep(name="nap", duration=timedelta(hours=2))))
PATIENT = _saga(
    "patient",
    Step(
        name="odd",
        action=plain,
        retry=RetryPolicy(initial_interval=_SECOND, maximum_interval=timedelta(hours=1), maximum_attempts=14),
    ),
)


def _step(name: str) -> Step:
    return Step(name=name, action=plain, compensation=undo_plain, retry=_QUICK)


def _shape(pattern: str) -> Saga:
    """Read a saga from letters: a step, a group of two (``p``) or of one (``o``), a sleep (``z``), a wait."""
    elements: list[Element] = []
    for number, letter in enumerate(pattern):
        name = f"{letter}{number}"
        if letter == "s":
            elements.append(_step(name))
        elif letter in "po":
            members = (_step(f"{name}a"), _step(f"{name}b"))[: 2 if letter == "p" else 1]
            elements.append(Parallel(name=name, steps=members))
        elif letter == "z":
            elements.append(Sleep(name=name, duration=timedelta(milliseconds=50)))
        else:
            elements.append(Wait(name=name))
    return Saga(f"shape-{pattern}", tuple(elements))


#: Celery rewrites canvases as they are composed; every neighbourhood has its own way to go wrong.
PATTERNS = [
    "s",
    "p",
    "o",
    "pp",
    "ppp",
    "spp",
    "psp",
    "op",
    "po",
    "zs",
    "sz",
    "pz",
    "zp",
    "ws",
    "sw",
    "pw",
    "wp",
    "pwzp",
    "wwos",
]
SHAPES = {pattern: _shape(pattern) for pattern in PATTERNS}
# Where workers look for sagas.
globals().update({f"SHAPE_{pattern}": saga for pattern, saga in SHAPES.items()})

NAP = Saga("short-nap", (_FIRST, Sleep(name="nap", duration=_SECOND)))
