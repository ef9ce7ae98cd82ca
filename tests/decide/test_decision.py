"""The method: laws that hold for any facts, and each constraint by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff_bench.crash.declared import gap_of
from bakeoff_bench.decide.decision import Requirements, decide
from bakeoff_bench.decide.facts import Facts, Kills, Load, Measure, Promise
from bakeoff_bench.decide.musts import Answer, Can, Carries, Keeps, Must, Recovers, Servers, Survives
from bakeoff_bench.decide.sensitivity import sensitivity
from bakeoff_bench.decide.show import work_to_do
from bakeoff_bench.decide.stored import merged
from bakeoff_bench.decide.wishes import Wish, beats


def _kills(
    judged: int, harmed: int = 0, recovered_s: Sequence[float] = (1.0,), unrecovered: int = 0
) -> Kills:
    upper = 1.0 if not judged else (harmed + 3) / (judged + 3)
    return Kills(
        judged=judged,
        harmed=harmed,
        upper=upper,
        recovered_s=recovered_s,
        unrecovered=unrecovered,
        evidence="runs/crash",
    )


def _load(offered_per_s: float, p95_s: float | None, kept_up: bool = True) -> Load:
    return Load(offered_per_s=offered_per_s, p95_s=p95_s, kept_up=kept_up, evidence="runs/load")


def _promise(support: str = "native", passed: int = 3, failed: int = 0) -> Promise:
    return Promise(support=support, passed=passed, failed=failed, reason="why", evidence="contract.json")


_MUSTS: list[Must] = [
    Survives(says="a worker's death", fault="worker-kill"),
    Recovers(says="recovers", within_s=5.0),
    Carries(says="carries", rate_per_s=20.0, p95_s=2.0),
    Can(says="people", capability="signals"),
    Keeps(says="undoes", promise="test_compensation"),
    Servers(says="Redis only", allowed=("valkey",)),
]
_kills_of_any_kind = st.builds(
    _kills,
    st.integers(0, 40),
    st.integers(0, 1),
    st.lists(st.floats(0, 10), max_size=3),
    st.integers(0, 1),
)
_facts = st.builds(
    Facts,
    label=st.just("x"),
    kills=st.dictionaries(st.just("worker-kill"), _kills_of_any_kind),
    loads=st.lists(
        st.builds(_load, st.floats(1, 50), st.none() | st.floats(0.1, 4), st.booleans()), max_size=3
    ),
    capabilities=st.dictionaries(
        st.just("signals"), st.builds(_promise, st.sampled_from(["native", "absent"]), st.integers(0, 2))
    ),
    promises=st.dictionaries(
        st.just("test_compensation"), st.builds(_promise, st.just(""), st.integers(0, 2), st.integers(0, 1))
    ),
    servers=st.none() | st.lists(st.sampled_from(["valkey", "rabbitmq"]), max_size=2, unique=True),
    measures=st.dictionaries(
        st.sampled_from([Measure.CPU, Measure.RECOVERY, Measure.RATE]),
        st.tuples(st.floats(0.5, 8), st.just("runs")),
    ),
    stand_in=st.sampled_from(["", "a stand-in"]),
)
_everyone = st.lists(_facts, max_size=5).map(
    lambda found: [replace(one, label=f"engine-{number}") for number, one in enumerate(found)]
)
_wishes = st.lists(
    st.builds(Wish, says=st.text("abc", max_size=2), of=st.sampled_from(Measure), weight=st.floats(0.5, 5)),
    max_size=3,
)
_asked = st.builds(
    Requirements,
    title=st.just("any"),
    musts=st.lists(st.sampled_from(_MUSTS), max_size=4, unique_by=lambda one: one.says),
    wishes=_wishes,
)


@settings(max_examples=300, deadline=None)
@given(_asked, _everyone)
def test_only_those_win_that_meet_everything_and_whom_nobody_beats(
    asked: Requirements, everyone: list[Facts]
) -> None:
    found = decide(asked, everyone)
    by_label = {one.label: one for one in everyone}

    for label in found.recommended:
        assert {one.answer for one in found.findings[label]} <= {Answer.MET}
        assert not any(beats(asked.wishes, by_label[other], by_label[label]) for other in found.granted)
    assert bool(found.recommended) == bool(found.granted)


@settings(max_examples=300, deadline=None)
@given(_asked, _everyone)
def test_a_constraint_less_loses_no_candidate(asked: Requirements, everyone: list[Facts]) -> None:
    now = decide(asked, everyone)

    for must in asked.musts:
        then = decide(asked.without(must), everyone)
        assert set(now.granted) <= set(then.granted)
        assert {*now.granted, *now.open} <= {*then.granted, *then.open}


@settings(max_examples=200, deadline=None)
@given(_asked, _everyone, st.randoms())
def test_the_order_of_contestants_does_not_matter(
    asked: Requirements, everyone: list[Facts], random: object
) -> None:
    shuffled = list(everyone)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert decide(asked, shuffled) == decide(asked, everyone)


@settings(max_examples=200, deadline=None)
@given(_asked, _everyone)
def test_an_unknown_is_neither_met_nor_failed(asked: Requirements, everyone: list[Facts]) -> None:
    found = decide(asked, everyone)

    for label, own in found.findings.items():
        answers = {one.answer for one in own}
        assert (label in found.open) == (Answer.UNKNOWN in answers and Answer.NOT_MET not in answers)
        assert all(one.why for one in own)
        assert all(one.work for one in own if one.answer is Answer.UNKNOWN and not one.evidence)
    assert not set(found.open) & set(found.granted)


@pytest.mark.parametrize(
    ("must", "facts", "answer"),
    [
        (_MUSTS[0], {}, Answer.UNKNOWN),
        (_MUSTS[0], {"kills": {"worker-kill": _kills(19)}}, Answer.UNKNOWN),
        (_MUSTS[0], {"kills": {"worker-kill": _kills(20)}}, Answer.MET),
        (_MUSTS[0], {"kills": {"worker-kill": _kills(3, 1)}}, Answer.NOT_MET),
        (_MUSTS[0], {"kills": {"server-kill": _kills(50)}}, Answer.UNKNOWN),
        (Survives(says="", fault="x", kills=1, at_most=0.05), {"kills": {"x": _kills(20)}}, Answer.UNKNOWN),
        (Survives(says="", fault="x", kills=1, at_most=0.05), {"kills": {"x": _kills(80)}}, Answer.MET),
        (
            _MUSTS[0],
            {"kills": {"worker-kill": replace(_kills(50), gap="it declares less")}},
            Answer.NOT_MET,
        ),
        (_MUSTS[1], {"kills": {"worker-kill": _kills(2, 0, [1.0, 5.0])}}, Answer.MET),
        (_MUSTS[1], {"kills": {"worker-kill": _kills(2, 0, [1.0, 5.1])}}, Answer.NOT_MET),
        (_MUSTS[1], {"kills": {"worker-kill": _kills(2, 0, [1.0], 1)}}, Answer.UNKNOWN),
        (_MUSTS[2], {}, Answer.UNKNOWN),
        (_MUSTS[2], {"loads": [_load(19, 1.9)]}, Answer.MET),
        (_MUSTS[2], {"loads": [_load(10, 0.5)]}, Answer.UNKNOWN),
        (_MUSTS[2], {"loads": [_load(20, 2.1)]}, Answer.NOT_MET),
        (_MUSTS[2], {"loads": [_load(10, 1.0, kept_up=False)]}, Answer.NOT_MET),
        (_MUSTS[2], {"loads": [_load(40, 9.0)]}, Answer.UNKNOWN),
        (_MUSTS[2], {"loads": [_load(20, 1.0), _load(20, 2.5)]}, Answer.UNKNOWN),
        (_MUSTS[2], {"loads": [_load(20, None)]}, Answer.UNKNOWN),
        (_MUSTS[2], {"loads": [_load(20, 2.1)], "stand_in": "a dev server"}, Answer.UNKNOWN),
        (_MUSTS[2], {"loads": [_load(20, 1.1)], "stand_in": "a dev server"}, Answer.MET),
        (_MUSTS[3], {}, Answer.UNKNOWN),
        (_MUSTS[3], {"capabilities": {"signals": _promise()}}, Answer.MET),
        (_MUSTS[3], {"capabilities": {"signals": _promise("pattern")}}, Answer.MET),
        (_MUSTS[3], {"capabilities": {"signals": _promise("native", 3, 1)}}, Answer.NOT_MET),
        (_MUSTS[3], {"capabilities": {"signals": _promise("absent", 0)}}, Answer.NOT_MET),
        (_MUSTS[3], {"capabilities": {"signals": _promise("native", 0)}}, Answer.UNKNOWN),
        (
            Can(says="", capability="signals", native=True),
            {"capabilities": {"signals": _promise("pattern")}},
            Answer.NOT_MET,
        ),
        (_MUSTS[4], {"promises": {"test_compensation": _promise("")}}, Answer.MET),
        (_MUSTS[4], {"promises": {"test_compensation": _promise("", 3, 1)}}, Answer.NOT_MET),
        (_MUSTS[5], {}, Answer.UNKNOWN),
        (_MUSTS[5], {"servers": []}, Answer.MET),
        (_MUSTS[5], {"servers": ["valkey"]}, Answer.MET),
        (_MUSTS[5], {"servers": ["rabbitmq", "valkey"]}, Answer.NOT_MET),
    ],
)
def test_each_constraint_by_its_evidence(must: Must, facts: dict[str, object], answer: Answer) -> None:
    assert must.judge(Facts(label="x", **facts)).answer is answer  # type: ignore[arg-type]


def _measured(label: str, **values: float) -> Facts:
    return Facts(label=label, measures={Measure(name): (value, "runs") for name, value in values.items()})


def test_what_is_alike_is_told_apart_by_no_wish() -> None:
    asked = Requirements(title="", musts=[], wishes=[Wish(says="little CPU", of=Measure.CPU)])

    found = decide(asked, [_measured("a", cpu=10.0), _measured("b", cpu=12.0), _measured("c", cpu=20.0)])

    assert found.recommended == ["a", "b"]


def test_an_unknown_value_could_still_win() -> None:
    asked = Requirements(title="", musts=[], wishes=[Wish(says="rate", of=Measure.RATE, weight=2.0)])

    found = decide(asked, [_measured("a", rate=10.0), _measured("b")])

    assert found.recommended == ["a"]
    assert found.rivals == ["b"]
    assert list(work_to_do(asked, found)) == [("b", "rate: unknown", "bakeoff load --out DIR")]


def test_what_a_stand_in_costs_is_unknown_and_no_failing() -> None:
    asked = Requirements(title="", musts=[], wishes=[Wish(says="little CPU", of=Measure.CPU)])
    dev = replace(_measured("temporal", cpu=100.0), stand_in="its dev server stands in")

    found = decide(asked, [_measured("celery", cpu=10.0), dev])

    assert found.recommended == ["celery"]
    assert found.rivals == ["temporal"]
    assert found.granted["temporal"].told == ["100, best 10, but its dev server stands in"]
    [(label, why, work)] = work_to_do(asked, found)
    assert (label, why) == ("temporal", "little CPU: 100, best 10, but its dev server stands in")
    assert "the server that production would have" in work
    assert decide(asked, [_measured("celery", cpu=90.0), dev]).recommended == ["celery", "temporal"]


def test_how_many_servers_production_would_have_no_dev_server_tells() -> None:
    asked = Requirements(title="", musts=[], wishes=[Wish(says="few", of=Measure.SERVERS)])
    known = replace(_measured("celery"), servers=["valkey"])
    dev = replace(_measured("temporal"), servers=["temporal"], stand_in="its dev server stands in")

    found = decide(asked, [known, dev])

    [(label, why, work)] = work_to_do(asked, found)
    assert (label, why) == ("temporal", "few: unknown: its dev server stands in")
    assert "the server that production would have" in work


def test_what_would_change_the_answer_is_told_with_the_other_answer() -> None:
    """ "Celery wins unless you need signals"."""
    celery = replace(
        _measured("celery", cpu=10.0), capabilities={"signals": _promise("absent")}, servers=["valkey"]
    )
    temporal = replace(
        _measured("temporal", cpu=30.0), capabilities={"signals": _promise()}, servers=["temporal dev server"]
    )
    wish = Wish(says="little CPU", of=Measure.CPU)
    asked = Requirements(title="", musts=[_MUSTS[5]], wishes=[wish])
    everyone = [celery, temporal]
    now = decide(asked, everyone)

    assert now.recommended == ["celery"]
    assert list(sensitivity(asked, everyone, now)) == ["if you need signals: none"]
    free = replace(asked, musts=[])
    assert "if you need signals: temporal" in list(sensitivity(free, everyone, decide(free, everyone)))
    assert "without the wish “little CPU”: celery or temporal" in list(
        sensitivity(free, everyone, decide(free, everyone))
    )


@pytest.mark.parametrize(
    ("survives", "fault", "gap"),
    [
        (["worker_kill"], "worker-kill", False),
        (["step_kill"], "worker-kill", True),
        ([], "server-kill", True),
        (["worker_kill", "broker_kill"], "server-kill", False),
        ([], "net-reset", False),
    ],
)
def test_an_engines_own_word_counts_against_it(survives: list[str], fault: str, gap: bool) -> None:
    """Celery on Valkey loses what it has popped and not noted; no kill at a named point meets that."""
    assert bool(gap_of({"survives": survives, "note": "it pops first"}, fault)) is gap


def test_what_nobody_wrote_down_is_no_promise() -> None:
    """A run that is older than the question."""
    assert gap_of({"note": ""}, "worker-kill") is None
    unknown = Facts(label="x", kills={"worker-kill": replace(_kills(50), gap=None)})

    assert _MUSTS[0].judge(unknown).answer is Answer.UNKNOWN


def test_a_recovery_with_short_leases_is_not_that_of_the_class() -> None:
    short = Facts(label="x", kills={"worker-kill": replace(_kills(50), short_leases=True)})

    assert _MUSTS[1].judge(short).answer is Answer.UNKNOWN


def test_an_unknown_value_that_would_take_the_leaders_points_is_said() -> None:
    """Two wishes: the leader has both now, and would have one if the other's unknown value were better."""
    wishes = [Wish(says="little CPU", of=Measure.CPU), Wish(says="soon back", of=Measure.RECOVERY)]
    dev = replace(_measured("temporal", cpu=100.0, recovery=5.0), stand_in="its dev server stands in")

    found = decide(
        Requirements(title="", musts=[], wishes=wishes), [_measured("dramatiq", cpu=10.0, recovery=1.0), dev]
    )

    assert found.recommended == ["dramatiq"]
    assert found.rivals == ["temporal"]


def test_points_that_only_arithmetic_tells_apart_are_equal() -> None:
    wishes = [
        *(
            Wish(says=name, of=Measure(name), weight=weight)
            for name, weight in (("cpu", 0.1), ("recovery", 0.2))
        ),
        Wish(says="rate", of=Measure.RATE, weight=0.3),
    ]
    a, b = _measured("a", cpu=1.0, recovery=1.0, rate=1.0), _measured("b", cpu=9.0, recovery=9.0, rate=9.0)

    assert decide(Requirements(title="", musts=[], wishes=wishes), [a, b]).recommended == ["a", "b"]


def test_kills_of_several_runs_add_up_and_loads_of_another_server_do_not() -> None:
    old = replace(
        Facts(label="temporal", kills={"worker-kill": _kills(100, 1)}, stand_in="a dev server"),
        loads=[_load(11, 9.0, kept_up=False)],
    )
    new = Facts(label="temporal", kills={"worker-kill": _kills(20)}, loads=[_load(50, 0.1)])

    for order in ([old, new], [new, old]):
        (both,) = merged(order)
        assert (both.kills["worker-kill"].judged, both.kills["worker-kill"].harmed) == (120, 1)
    (both,) = merged([old, new])
    assert both.stand_in == ""
    assert [one.offered_per_s for one in both.loads] == [50]
