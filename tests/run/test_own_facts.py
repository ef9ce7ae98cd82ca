"""A user's own ``facts`` tells what bakeoff cannot know; what it says wrong is said back in one line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bakeoff.errors import UsageError
from bakeoff.orders import ORDER_APPROVAL_TIMEOUT
from bakeoff.saga import Call, Saga, Step, Wait
from bakeoff_scenarios.answers import depends_on_input, prompt_facts
from bakeoff_scenarios.outside import Outside


def act(call: Call) -> None:
    """Do nothing."""


ALONE = Saga("alone", (Step(name="act", action=act),))
OWN = Saga("own", (Step(name="act", action=act), Wait(name="word", timeout=timedelta(seconds=1))))

told: Callable[[Any], Any] = lambda input: {}  # noqa: E731 - tests put theirs here


def facts(input: str) -> Any:
    """Found beside ``OWN``."""
    return told(input)


def _of(monkeypatch: pytest.MonkeyPatch, function: Callable[[Any], Any]) -> tuple[Any, Any]:
    monkeypatch.setattr(f"{__name__}.told", function)
    return Outside(OWN, seed=1).of("own-1", "1")


def test_declines_and_signals_are_taken_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found, signals = _of(monkeypatch, lambda input: {"declines": ["act"], "signals": {"word": input}})

    assert found.declines == {"act"}
    assert signals == {"word": "1"}


def test_waits_that_it_does_not_mention_are_answered_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, signals = _of(monkeypatch, lambda input: {})

    assert signals == {"word": {"approved": True, "by": "bakeoff"}}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda input: {"declines": ["fly"]}, "declines of fly, which the saga does not have"),
        (lambda input: {"signals": {"shout": 1}}, "signals of shout, which the saga does not have"),
        (lambda input: ["act"], "must return a dict of declines and signals"),
        (lambda input: {"decline": ["act"]}, "must return a dict of declines and signals"),
        (lambda input: 1 // 0, "failed: ZeroDivisionError"),
    ],
)
def test_what_it_says_wrong_is_the_users_mistake(
    monkeypatch: pytest.MonkeyPatch, function: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        _of(monkeypatch, function)


def test_a_load_asks_it_of_every_saga_and_without_an_input_nobody_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{__name__}.told", lambda input: {"declines": ["act"] if input[-1] == "7" else []})

    assert depends_on_input(ALONE)
    assert prompt_facts(ALONE, "17").declines == {"act"}
    assert prompt_facts(ALONE, "18").declines == set()
    assert prompt_facts(ALONE).declines == set()
    # Whoever waits gets the prompt answer, not the one to which the decline belongs.
    assert prompt_facts(OWN, "17").declines == set()


def test_approvals_are_drawn_so_that_some_say_no_and_some_say_nothing() -> None:
    outside = Outside(ORDER_APPROVAL_TIMEOUT, seed=1)
    drawn = [outside.of(f"order-{number}", str(number)) for number in range(1000)]
    silent = sum(not signals for _, signals in drawn)
    rejected = sum("require_approval" in found.declines for found, _ in drawn)

    assert 60 < silent < 140
    assert 100 < rejected < 200
    assert drawn == [outside.of(f"order-{number}", str(number)) for number in range(1000)]
