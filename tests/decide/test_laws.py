"""The method: laws that hold for any facts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bakeoff_bench.decide.decision import Requirements, decide
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.musts import Answer, Can, Carries, Must, Recovers, Servers, Survives
from bakeoff_bench.decide.sensitivity import sensitivity
from bakeoff_bench.decide.sentences import recommendation, work_to_do
from bakeoff_bench.decide.wishes import Wish
from tests.decide import facts as any_

_OF_A_SERVER = {
    Measure.CPU,
    Measure.MEMORY,
    Measure.PROCESSES,
    Measure.SERVERS,
    Measure.P95,
    Measure.RATE,
}


def _known(facts: Facts, wish: Wish) -> tuple[float, float, float] | None:
    """``(value, low, high)`` as the page has it, so that less is better; ``None``: nobody knows."""
    if facts.stand_in and wish.of in _OF_A_SERVER:
        return None
    if wish.of is Measure.SERVERS:
        count = None if facts.servers is None else float(len(facts.servers))
        return None if count is None else (count, count, count)
    found = facts.measures.get(wish.of)
    if found is None:
        return None
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    return (-found.value, -high, -low) if wish.of is Measure.RATE else (found.value, low, high)


def _dominates(wishes: list[Wish], one: Facts, other: Facts) -> bool:
    """By the page's words: in every wish as good or better, value and both ends, and in one surely better."""
    pairs = [(wish, _known(one, wish), _known(other, wish)) for wish in wishes]
    if any(mine is None or theirs is None for _, mine, theirs in pairs):
        return False
    known = [(wish, mine, theirs) for wish, mine, theirs in pairs if mine and theirs]
    if any(mine[n] > theirs[n] for _, mine, theirs in known for n in range(3)):
        return False
    surely = False
    for wish, (mine, _, my_high), (theirs, their_low, _) in known:
        small, great = sorted((abs(mine), abs(theirs)))
        surely = surely or (mine < theirs and great > small * wish.alike and my_high < their_low)
    return surely


def _wishing(**weights: float) -> Requirements:
    wishes = [Wish(says=name, of=Measure(name), weight=weight) for name, weight in weights.items()]
    return Requirements(title="", musts=[], wishes=wishes)


@settings(max_examples=400, deadline=None)
@given(any_.wished, any_.everyone | any_.weighed)
@example(  # b has as many points as a, who is better where c is better still
    _wishing(recovery=2, cpu=1),
    [
        any_.measured("a", recovery=1.0, cpu=3.0),
        any_.measured("b", recovery=1.0, cpu=9.0),
        any_.measured("c", recovery=9.0, cpu=1.0),
    ],
)
@example(  # c is surely better than a in CPU, and not than b, whose CPU nobody knows well
    _wishing(cpu=5, memory=1, recovery=1),
    [
        any_.measured("a", cpu=(3.0, 2.9, 3.1), memory=1.0, recovery=1.0),
        any_.measured("b", cpu=(3.2, 1.0, 9.0), memory=1.0, recovery=9.0),
        any_.measured("c", cpu=(2.0, 1.9, 2.1), memory=9.0, recovery=9.0),
    ],
)
def test_nobody_wins_who_is_dominated_and_somebody_wins(asked: Requirements, everyone: list[Facts]) -> None:
    found = decide(asked, everyone)
    by_label = {one.label: one for one in everyone}

    for label in found.recommended:
        assert not any(_dominates(list(asked.wishes), other, by_label[label]) for other in everyone)
    assert bool(found.recommended) == bool(everyone)


@settings(max_examples=300, deadline=None)
@given(any_.asked, any_.everyone)
def test_only_those_win_that_meet_everything(asked: Requirements, everyone: list[Facts]) -> None:
    found = decide(asked, everyone)

    fit = {label for label, own in found.findings.items() if {one.answer for one in own} <= {Answer.MET}}
    assert set(found.granted) == fit
    assert set(found.recommended) <= fit
    assert bool(found.recommended) == bool(fit)


@settings(max_examples=300, deadline=None)
@given(any_.asked, any_.everyone)
def test_a_constraint_less_loses_no_candidate(asked: Requirements, everyone: list[Facts]) -> None:
    now = decide(asked, everyone)

    for must in asked.musts:
        then = decide(asked.without(must), everyone)
        assert set(now.granted) <= set(then.granted)
        assert {*now.granted, *now.open} <= {*then.granted, *then.open}


def _strict(rate: float, p95_s: float, kills: int, at_most: float, within_s: float) -> list[Must]:
    return [
        Carries(says="carries", rate_per_s=rate, p95_s=p95_s),
        Survives(says="survives", fault="worker-kill", kills=kills, at_most=at_most),
        Recovers(says="recovers", within_s=within_s),
        Servers(says="servers", allowed=()),
        Can(says="can", capability="signals", native=True),
    ]


_strict_musts = st.builds(
    _strict,
    st.floats(1, 50),
    st.floats(0.1, 4),
    st.integers(1, 40),
    st.sampled_from([0.05, 0.15, 0.5, 1.0]),
    st.floats(0.1, 10),
)


def _looser(must: Must, by: float) -> Must:
    """The same constraint, asking for less; ``by`` is 1 or more."""
    match must:
        case Carries():
            return replace(must, rate_per_s=must.rate_per_s / by, p95_s=must.p95_s * by)
        case Survives():
            return replace(must, kills=max(1, int(must.kills / by)), at_most=min(1.0, must.at_most * by))
        case Recovers():
            return replace(must, within_s=must.within_s * by)
        case Servers():
            return replace(must, allowed=(*must.allowed, "valkey"))
        case Can():
            return replace(must, native=False)
    raise AssertionError(must)


@settings(max_examples=400, deadline=None)
@given(_strict_musts, st.integers(0, 4), st.floats(1, 5), any_.everyone)
def test_a_constraint_that_asks_for_less_loses_no_candidate(
    strict: list[Must], number: int, by: float, everyone: list[Facts]
) -> None:
    """One alone, because with others the candidates would seldom be any."""
    must = strict[number]
    now = decide(Requirements(title="", musts=[must]), everyone)
    then = decide(Requirements(title="", musts=[_looser(must, by)]), everyone)

    assert set(now.granted) <= set(then.granted)
    assert {*now.granted, *now.open} <= {*then.granted, *then.open}


@settings(max_examples=200, deadline=None)
@given(any_.asked, any_.everyone, st.randoms())
def test_the_order_of_contestants_does_not_matter(
    asked: Requirements, everyone: list[Facts], random: object
) -> None:
    shuffled = list(everyone)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert decide(asked, shuffled) == decide(asked, everyone)


@settings(max_examples=300, deadline=None)
@given(any_.asked, any_.everyone)
def test_an_unknown_is_neither_met_nor_failed_and_is_work(asked: Requirements, everyone: list[Facts]) -> None:
    found = decide(asked, everyone)

    for label, own in found.findings.items():
        answers = {one.answer for one in own}
        assert (label in found.open) == (Answer.UNKNOWN in answers and Answer.NOT_MET not in answers)
        assert all(one.why for one in own)
        assert all(one.work for one in own if one.answer is Answer.UNKNOWN)
    assert not set(found.open) & set(found.granted)
    assert {label for labels, _, _ in work_to_do(asked, found) for label in labels.split(", ")} == {
        *found.open,
        *found.rivals,
    }


@settings(max_examples=300, deadline=None)
@given(any_.asked, any_.everyone)
def test_whatever_is_met_or_not_has_its_evidence(asked: Requirements, everyone: list[Facts]) -> None:
    """And the recommendation, and what would change it, name some."""
    found = decide(asked, everyone)

    for own in found.findings.values():
        assert all(one.evidence for one in own if one.answer is not Answer.UNKNOWN)
    sentences = list(recommendation(asked, found))
    for label in found.recommended:
        for finding in found.findings[label]:
            assert any(
                sentence.startswith(f"{label} meets: ") and finding.evidence in sentence
                for sentence in sentences
            )
    for change in sensitivity(asked, everyone, found):
        assert any(place in change for place in ("runs/", "contract.json", "unknown")), change


@settings(max_examples=300, deadline=None)
@given(any_.everyone)
def test_an_unknown_in_the_facts_is_never_met(everyone: list[Facts]) -> None:
    """Kills that nobody saw to the end, tests that nobody could judge, a server that stands in."""
    found = decide(Requirements(title="", musts=any_.MUSTS), everyone)

    for one in everyone:
        survives, _, carries, can, keeps, _ = (finding.answer for finding in found.findings[one.label])
        if any(each.unseen for each in one.kills.values()):
            assert survives is not Answer.MET
        if one.stand_in:
            assert carries is Answer.UNKNOWN
        if any(each.unknown for each in one.capabilities.values()):
            assert can is not Answer.MET
        if any(each.unknown for each in one.promises.values()):
            assert keeps is not Answer.MET
