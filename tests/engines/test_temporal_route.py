"""A workflow keeps the route with which it was started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bakeoff.saga import Step
from bakeoff_temporal.route import escalations_of, on_route, route_of
from tests.engines.replay_sagas import ESCALATION, STEPS


def test_a_step_that_was_inserted_later_is_no_part_of_the_route() -> None:
    new = replace(STEPS.elements[1], name="new")
    changed = replace(STEPS, elements=(*STEPS.elements[:2], new, *STEPS.elements[2:]), version=2)

    assert on_route(changed, route_of(STEPS)).elements == STEPS.elements
    assert on_route(changed, route_of(changed)) is changed


def test_without_a_route_the_definition_counts() -> None:
    """Histories of earlier versions, and workflows that people start in the UI, have none."""
    assert on_route(STEPS, None) is STEPS


def test_a_step_that_no_worker_knows_any_more_is_no_step_to_pass_over() -> None:
    with pytest.raises(KeyError):
        on_route(replace(STEPS, elements=STEPS.elements[1:]), route_of(STEPS))


def test_an_escalation_that_came_later_is_no_part_of_the_route() -> None:
    """The step that would hand over to it compensates, as it would have done when the saga began."""
    one, two, *_ = on_route(ESCALATION, ["one", "two", "word"]).elements
    assert isinstance(two, Step)

    assert (one.name, two.name, two.on_exhausted) == ("one", "two", None)
    assert on_route(ESCALATION, route_of(ESCALATION)) is ESCALATION


def test_a_saga_keeps_the_escalations_with_which_it_began() -> None:
    """Whether a later version has taken one away, has added it or leads elsewhere."""
    one, two, word, rescue, last = ESCALATION.elements
    assert isinstance(one, Step)
    assert isinstance(two, Step)
    assert isinstance(last, Step)
    names, began = route_of(ESCALATION), escalations_of(ESCALATION)
    gone = replace(ESCALATION, elements=(one, replace(two, on_exhausted=None), word, rescue, last))
    elsewhere = replace(ESCALATION, elements=(one, replace(two, on_exhausted="last"), word, rescue, last))
    more = replace(ESCALATION, elements=(replace(one, on_exhausted="last"), two, word, rescue, last))

    assert began == {"two": "rescue"}
    for changed in (gone, elsewhere, more):
        assert on_route(changed, names, began) == ESCALATION
    assert on_route(ESCALATION, names, began) is ESCALATION
    assert on_route(ESCALATION, names, {}) == gone


def test_without_the_escalations_those_on_the_route_count() -> None:
    """Histories of the version that did not hand them over."""
    assert on_route(ESCALATION, route_of(ESCALATION), None) is ESCALATION
