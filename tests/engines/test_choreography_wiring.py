"""``choreography`` on paper: what participants say and do, whatever is delivered twice and whoever dies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import nats.errors
import pytest

from bakeoff.contract import sagas
from bakeoff.contract.generator import INPUT, KINDS, Kind, generate
from bakeoff.errors import ConditionError
from bakeoff.expectation import Facts, expect
from bakeoff.outcome import Status
from bakeoff.saga import JSON, Element, Parallel, Saga, Step
from bakeoff.world import Fate
from bakeoff_choreography.cancelling import cancelled, is_between
from bakeoff_choreography.events import Act, Event, How, Story, Subjects, token_of
from bakeoff_choreography.wiring import Do, Duty, behind, ending, heard, passed_by
from tests.engines.choreography_paper import Paper

#: Random sagas of each kind.
SEEDS = range(20)


@pytest.mark.parametrize("kind", KINDS)
def test_doubled_deliveries_change_nothing(kind: Kind) -> None:
    """Status, cause, every attempt and the order of effects are what the independent model says."""
    for seed in SEEDS:
        choose = random.Random(f"{kind} {seed}").choice
        saga, fates = generate(choose, "random", kind)
        paper = Paper(saga, fates, choose, trouble=("doubled",), input=INPUT)
        outcome = asyncio.run(paper.run())
        model = expect(saga, fates, Facts(input=INPUT))

        assert outcome.status is model.status, (seed, outcome)
        cause = (outcome.cause.type, outcome.cause.step) if outcome.cause else None
        assert cause in model.causes or (cause is None and not model.causes), (seed, outcome)
        assert paper.attempts == dict(model.attempts), (seed, paper.events())
        assert frozenset(outcome.failed_compensations) == model.failed_compensations, (seed, outcome)
        effects = iter(paper.effects)
        groups = [frozenset(next(effects) for _ in group) for group in model.effects]
        assert (groups, list(effects)) == (list(model.effects), []), (seed, paper.events())


@pytest.mark.parametrize("kind", KINDS)
def test_workers_that_die_leave_all_or_nothing(kind: Kind) -> None:
    """A lost attempt is a fault: it costs attempts, and at the worst the saga, but never half of it."""
    deaths = 0
    for seed in SEEDS:
        choose = random.Random(f"deaths {kind} {seed}").choice
        saga, fates = generate(choose, "random", kind)
        paper = Paper(saga, fates, choose, trouble=("doubled", "died"), input=INPUT)
        outcome = asyncio.run(paper.run())
        deaths += paper.deaths

        acted = [step for step, direction, what in paper.effects if (direction, what) == ("action", "effect")]
        assert len(acted) == len(set(acted)), (seed, paper.effects)
        if outcome.status is Status.COMPLETED:
            assert set(acted) - set(_undone(paper)) in _whole_ways(saga, outcome.results), (seed, outcome)
        else:
            owed = {step for step in acted if saga.step(step).compensation}
            assert owed - set(_undone(paper)) <= set(outcome.failed_compensations), (seed, outcome)
    assert deaths > 0


def _whole_ways(saga: Saga, results: Mapping[str, JSON]) -> list[set[str]]:
    """Steps that stand when a saga is completed: of the ordinary way, or of one with an escalation."""
    ways = [saga.stretch(0)]
    for step in saga.steps():
        if step.on_exhausted is not None:
            ways.append((*saga.way_to(step.name), *saga.stretch(saga.index_of(step.on_exhausted))))
    return [{one.name for one in _steps(way) if _was_due(saga, one, results)} for way in ways]


def _steps(way: Sequence[Element]) -> Iterator[Step]:
    for element in way:
        if isinstance(element, Step):
            yield element
        elif isinstance(element, Parallel):
            yield from element.steps


def _was_due(saga: Saga, step: Step, results: Mapping[str, JSON]) -> bool:
    try:
        return saga.is_due(step, INPUT, results)
    except ConditionError:  # so nobody completes this way
        return True


def _undone(paper: Paper) -> list[str]:
    return [step for step, direction, _ in paper.effects if direction == "compensation"]


def _event(element: str, act: Act, how: How, **story: object) -> Event:
    return Event(element, act, how, Story(saga="trip", workflow_id="w", **story))  # type: ignore[arg-type]


def test_every_participant_hears_who_was_before_it() -> None:
    started = Event("", Act.START, "", Story(saga="trip", workflow_id="w"))
    flown = _event("book_flight", Act.ACTION, How.DONE)

    assert heard(sagas.TRIP, started) == Duty("book_flight", Do.ACT)
    assert heard(sagas.TRIP, flown) == Duty("book_hotel", Do.ACT)
    assert ending(sagas.TRIP, flown) is None
    assert ending(sagas.TRIP, _event("send_itinerary", Act.ACTION, How.DONE)) is Status.COMPLETED


def test_who_did_not_act_is_passed_over_on_the_way_back() -> None:
    cause = {"type": "BusinessError", "message": "no", "step": "book_car"}
    declined = _event("book_car", Act.ACTION, How.FAILED, results={"book_flight": 1}, cause=cause)

    assert [step.name for step in behind(sagas.TRIP, declined)] == ["book_flight"]
    assert heard(sagas.TRIP, declined) == Duty("book_flight", Do.UNDO)
    undone = replace(declined, element="book_flight", act=Act.COMPENSATION)
    assert ending(sagas.TRIP, undone) is Status.COMPENSATED


def test_nobody_waits_on_a_way_that_is_not_taken() -> None:
    exhausted, done = (_event("hasty", Act.ACTION, how) for how in (How.EXHAUSTED, How.DONE))

    assert [wait.name for wait in passed_by(sagas.ASKING, exhausted)] == ["asked"]
    assert [wait.name for wait in passed_by(sagas.ASKING, done)] == ["asked_again"]
    assert passed_by(sagas.ASKING, _event("book_hotel", Act.ACTION, How.DONE)) == ()
    assert passed_by(sagas.ASKING, replace(exhausted, act=Act.COMPENSATION)) == ()


def test_a_step_that_a_version_removed_is_nobodys() -> None:
    with pytest.raises(KeyError):
        heard(sagas.TRIP, _event("pay", Act.ACTION, How.DONE))


_HASTY_FAILS: dict[str, Fate] = {"hasty:action": {"then": "fault"}}


@pytest.mark.parametrize("moment", range(1, 12))
@pytest.mark.parametrize(
    ("saga", "fates"),
    [(sagas.TRIP, {}), (sagas.PARALLEL, {}), (sagas.NAPPING, {}), (sagas.ESCALATING, _HASTY_FAILS)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_cancel_at_any_moment_is_all_or_nothing(saga: Saga, fates: dict[str, Fate], moment: int) -> None:
    """Said after so many events: what acted is undone, or it came too late and nothing is."""
    paper = Paper(saga, fates, random.Random(f"{saga.name} {moment}").choice, trouble=("doubled",))
    original, said = paper.append, False

    async def append(event: Event) -> bool:
        nonlocal said
        taken = await original(event)
        events = paper.events()
        if taken and not said and len(events) >= moment and not event.over and not is_between(saga, events):
            cancel = cancelled(saga, events)
            said = cancel is not None and await original(replace(cancel, over=ending(saga, cancel)))
            assert not said or cancelled(saga, paper.events()) is None
        return taken

    paper.append = append  # type: ignore[method-assign]
    outcome = asyncio.run(paper.run())

    acted = [step for step, direction, what in paper.effects if (direction, what) == ("action", "effect")]
    undone = [step for step, direction, what in paper.effects if (direction, what) != ("action", "effect")]
    assert outcome.status is (Status.COMPENSATED if said else Status.COMPLETED)
    if said:
        assert outcome.cause is not None
        assert outcome.cause.type == "Cancelled"
        assert set(undone) - {"hasty"} == {step for step in acted if saga.step(step).compensation}
    assert len(set(undone)) == len(undone)


@pytest.mark.parametrize("step", ["first", "second"])
def test_a_result_that_fits_into_no_message_is_undone(step: str) -> None:
    """The step had its effect, so it is undone itself, before the others."""
    paper = Paper(sagas.WITNESS, {}, random.Random(step).choice)
    original = paper.append

    async def append(event: Event) -> bool:
        if step in event.story.results:
            raise nats.errors.MaxPayloadError
        return await original(event)

    paper.append = append  # type: ignore[method-assign]
    outcome = asyncio.run(paper.run())

    assert outcome.status is Status.COMPENSATED
    assert outcome.cause is not None
    assert (outcome.cause.type, outcome.cause.step) == ("UnserialisableError", step)
    assert _undone(paper) == (["first"] if step == "first" else ["second", "first"])


def test_a_cancel_comes_too_late_at_the_pivot_and_on_the_way_back() -> None:
    done = [_event(name, Act.ACTION, How.DONE) for name in ("book_flight", "book_hotel")]
    failed = _event("book_car", Act.ACTION, How.FAILED, cause="why", results={"book_flight": 1})

    assert cancelled(sagas.PIVOT, done) is None
    assert cancelled(sagas.PIVOT, done[:1]) is not None
    assert cancelled(sagas.TRIP, [failed]) is None


@pytest.mark.parametrize("id", ["order-1", "a.b", "*", ">", "ü ö", "%", "x" * 300, "", "line\nbreak"])
def test_any_workflow_id_is_one_token(id: str) -> None:
    token = token_of(id)

    assert token
    assert not set(token) & set(".*> \n\t")
    assert token.isascii()
    assert len(token) <= 200


def test_workflow_ids_have_tokens_of_their_own() -> None:
    ids = ["a.b", "a%2Eb", "a b", "a+b", "", "%", "x" * 300, "x" * 301]

    assert len({token_of(id) for id in ids}) == len(ids)


def test_events_are_read_as_they_were_written() -> None:
    names = Subjects("bakeoff.it-")
    story = Story(saga="trip", workflow_id="a.b", input={"x": [1, None]}, results={"r": "ü"}, owed=("r",))
    for event in (
        Event("", Act.START, "", story),
        Event("pay", Act.ACTION, How.DONE, story),
        Event("pay", Act.COMPENSATION, "over", story, Status.COMPENSATED),
    ):
        assert names.event(names.of(event), story.written()) == event
    assert names.of(Event("pay", Act.ACTION, How.DONE, story)).startswith("bakeoff%2Eit-saga.a%2Eb.pay.")


def test_a_trace_context_travels_in_the_story() -> None:
    """Nobody else keeps it; and without one an event is not a byte longer."""
    plain = Story(saga="trip", workflow_id="w")
    traced = replace(
        plain, headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    )

    assert Story.read(traced.written()) == traced
    assert Story.read(plain.written()) == plain
    assert b"headers" not in plain.written()
