"""Each constraint by itself, wishes, and what follows in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bakeoff_bench.crash.declared import gap_of
from bakeoff_bench.decide.decision import Requirements, decide
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.merging import merged
from bakeoff_bench.decide.musts import Answer, Can, Must, Survives
from bakeoff_bench.decide.sensitivity import sensitivity
from bakeoff_bench.decide.sentences import recommendation, work_to_do
from bakeoff_bench.decide.wishes import Wish
from tests.decide.facts import MUSTS, kills, load, measured, promise

_CPU = Wish(says="little CPU", of=Measure.CPU)


@pytest.mark.parametrize(
    ("must", "facts", "answer"),
    [
        (MUSTS[0], {}, Answer.UNKNOWN),
        (MUSTS[0], {"kills": {"worker-kill": kills(19)}}, Answer.UNKNOWN),
        (MUSTS[0], {"kills": {"worker-kill": kills(20)}}, Answer.MET),
        (MUSTS[0], {"kills": {"worker-kill": kills(20, unseen=1)}}, Answer.UNKNOWN),
        (MUSTS[0], {"kills": {"worker-kill": kills(0, unseen=9)}}, Answer.UNKNOWN),
        (MUSTS[0], {"kills": {"worker-kill": kills(3, 1, unseen=9)}}, Answer.NOT_MET),
        (MUSTS[0], {"kills": {"worker-kill": kills(3, 1)}}, Answer.NOT_MET),
        (MUSTS[0], {"kills": {"server-kill": kills(50)}}, Answer.UNKNOWN),
        (Survives(says="", fault="x", kills=1, at_most=0.05), {"kills": {"x": kills(20)}}, Answer.UNKNOWN),
        (Survives(says="", fault="x", kills=1, at_most=0.05), {"kills": {"x": kills(80)}}, Answer.MET),
        (MUSTS[0], {"kills": {"worker-kill": kills(50, gap="it declares less")}}, Answer.NOT_MET),
        (MUSTS[1], {"kills": {"worker-kill": kills(2, 0, [1.0, 5.0])}}, Answer.MET),
        (MUSTS[1], {"kills": {"worker-kill": kills(2, 0, [1.0, 5.1])}}, Answer.NOT_MET),
        (MUSTS[1], {"kills": {"worker-kill": kills(2, 0, [1.0], 1)}}, Answer.UNKNOWN),
        (MUSTS[2], {}, Answer.UNKNOWN),
        (MUSTS[2], {"loads": [load(19, 1.9)]}, Answer.MET),
        (MUSTS[2], {"loads": [load(10, 0.5)]}, Answer.UNKNOWN),
        (MUSTS[2], {"loads": [load(20, 2.1)]}, Answer.NOT_MET),
        (MUSTS[2], {"loads": [load(10, 1.0, kept_up=False)]}, Answer.NOT_MET),
        (MUSTS[2], {"loads": [load(40, 9.0)]}, Answer.UNKNOWN),
        (MUSTS[2], {"loads": [load(20, 1.0), load(20, 2.5)]}, Answer.UNKNOWN),
        (MUSTS[2], {"loads": [load(20, None)]}, Answer.UNKNOWN),
        (MUSTS[2], {"loads": [load(20, 2.1)], "stand_in": "a dev server"}, Answer.UNKNOWN),
        (MUSTS[2], {"loads": [load(20, 1.1)], "stand_in": "a dev server"}, Answer.UNKNOWN),
        (MUSTS[3], {}, Answer.UNKNOWN),
        (MUSTS[3], {"capabilities": {"signals": promise()}}, Answer.MET),
        (MUSTS[3], {"capabilities": {"signals": promise("pattern")}}, Answer.MET),
        (MUSTS[3], {"capabilities": {"signals": promise("native", 3, 1)}}, Answer.NOT_MET),
        (MUSTS[3], {"capabilities": {"signals": promise("native", 1, 0, 9)}}, Answer.UNKNOWN),
        (MUSTS[3], {"capabilities": {"signals": promise("native", 1, 1, 9)}}, Answer.NOT_MET),
        (MUSTS[3], {"capabilities": {"signals": promise("absent", 0, 0, 9)}}, Answer.NOT_MET),
        (MUSTS[3], {"capabilities": {"signals": promise("absent", 0)}}, Answer.NOT_MET),
        (MUSTS[3], {"capabilities": {"signals": promise("native", 0)}}, Answer.UNKNOWN),
        (
            Can(says="", capability="signals", native=True),
            {"capabilities": {"signals": promise("pattern", 3, 0, 1)}},
            Answer.NOT_MET,
        ),
        (MUSTS[4], {"promises": {"test_compensation": promise("")}}, Answer.MET),
        (MUSTS[4], {"promises": {"test_compensation": promise("", 3, 1)}}, Answer.NOT_MET),
        (MUSTS[4], {"promises": {"test_compensation": promise("", 3, 0, 1)}}, Answer.UNKNOWN),
        (MUSTS[5], {}, Answer.UNKNOWN),
        (MUSTS[5], {"servers": [], "servers_evidence": "runs"}, Answer.MET),
        (MUSTS[5], {"servers": ["valkey"], "servers_evidence": "runs"}, Answer.MET),
        (MUSTS[5], {"servers": ["rabbitmq", "valkey"], "servers_evidence": "runs"}, Answer.NOT_MET),
    ],
)
def test_each_constraint_by_its_evidence(must: Must, facts: dict[str, object], answer: Answer) -> None:
    finding = must.judge(Facts(label="x", **facts))  # type: ignore[arg-type]

    assert finding.answer is answer
    assert bool(finding.work) == (answer is Answer.UNKNOWN)
    assert finding.evidence or answer is Answer.UNKNOWN


def test_a_test_that_nobody_could_judge_is_named() -> None:
    finding = MUSTS[3].judge(Facts(label="x", capabilities={"signals": promise("native", 2, 0, 1)}))

    assert finding.why == "native, 2 tests passed, 1 unknown: test_x: nobody knows"


def test_what_is_alike_is_told_apart_by_no_wish() -> None:
    asked = Requirements(title="", musts=[], wishes=[_CPU])

    found = decide(asked, [measured("a", cpu=10.0), measured("b", cpu=12.0), measured("c", cpu=20.0)])

    assert found.recommended == ["a", "b"]
    assert next(recommendation(asked, found)) == (
        "Nothing that was asked for tells a and b apart: by every wish they are alike, or it is unknown."
    )


def test_that_nothing_differs_significantly_only_intervals_say() -> None:
    asked = Requirements(title="", musts=[], wishes=[_CPU])
    noisy = [measured("a", cpu=(10.0, 6.0, 15.0)), measured("b", cpu=(14.0, 9.0, 21.0))]
    sure = [measured("a", cpu=(10.0, 9.9, 10.1)), measured("b", cpu=(12.0, 11.9, 12.1))]

    found = decide(asked, noisy)
    assert found.recommended == ["a", "b"]
    assert next(recommendation(asked, found)).startswith("No significant difference between a and b: ")
    alike = decide(asked, sure)
    assert alike.recommended == ["a", "b"]
    assert next(recommendation(asked, alike)).startswith("Nothing that was asked for tells a and b apart: ")
    once = decide(asked, [noisy[0], measured("b", cpu=11.0)])
    assert next(recommendation(asked, once)).startswith("Nothing that was asked for tells a and b apart: ")
    without = replace(asked, wishes=[])
    assert next(recommendation(without, decide(without, noisy))) == (
        "Nothing that was asked for tells a and b apart: there is no wish."
    )


def test_intervals_that_are_apart_and_far_tell_apart() -> None:
    asked = Requirements(title="", musts=[], wishes=[_CPU])

    found = decide(asked, [measured("a", cpu=(10.0, 9.0, 11.0)), measured("b", cpu=(14.0, 12.0, 16.0))])

    assert found.recommended == ["a"]
    assert found.granted["b"].told == ["14 (12 to 16), best 10 (9 to 11)"]


def test_equal_points_for_different_wishes_are_no_likeness() -> None:
    wishes = [_CPU, Wish(says="a quick recovery", of=Measure.RECOVERY)]
    asked = Requirements(title="", musts=[], wishes=wishes)

    found = decide(asked, [measured("a", cpu=1.0, recovery=9.0), measured("b", cpu=9.0, recovery=1.0)])

    first, *reasons = recommendation(asked, found)
    assert first == "Equal in points, but not alike: a and b."
    assert "a has of what was wished for: little CPU (1, as good as the best, runs/load)." in reasons
    assert "a has not, or nobody knows: a quick recovery (9, best 1, runs/load)." in reasons


def test_an_unknown_value_could_still_win() -> None:
    asked = Requirements(title="", musts=[], wishes=[Wish(says="rate", of=Measure.RATE, weight=2.0)])

    found = decide(asked, [measured("a", rate=10.0), measured("b")])

    assert found.recommended == ["a"]
    assert found.rivals == ["b"]
    assert list(work_to_do(asked, found)) == [
        ("b", "rate: unknown", "bakeoff load --profile publishable --out DIR")
    ]


def test_what_a_stand_in_costs_is_unknown_be_it_much_or_little() -> None:
    asked = Requirements(title="", musts=[], wishes=[_CPU])
    dev = replace(measured("temporal", cpu=100.0), stand_in="its dev server stands in")

    for cpu in (10.0, 90.0, 1000.0):
        found = decide(asked, [measured("celery", cpu=cpu), dev])

        assert found.recommended == ["celery"]
        assert found.rivals == ["temporal"]
        assert found.granted["celery"].told == [f"{cpu:.3g}, as good as the best"]
        assert found.granted["temporal"].told == ["100, but its dev server stands in"]
    [(label, why, command)] = work_to_do(asked, found)
    assert (label, why) == ("temporal", "little CPU: 100, but its dev server stands in")
    assert "the server that production would have" in command


def test_how_many_servers_production_would_have_no_dev_server_tells() -> None:
    asked = Requirements(title="", musts=[], wishes=[Wish(says="few", of=Measure.SERVERS)])
    known = replace(measured("celery"), servers=["valkey"])
    dev = replace(measured("temporal"), servers=["temporal"], stand_in="its dev server stands in")

    found = decide(asked, [known, dev])

    [(label, why, command)] = work_to_do(asked, found)
    assert (label, why) == ("temporal", "few: 1, but its dev server stands in")
    assert "the server that production would have" in command


def test_what_would_change_the_answer_is_told_with_the_finding_that_does() -> None:
    """ "Celery wins unless you need signals"."""
    celery = replace(
        measured("celery", cpu=10.0),
        capabilities={"signals": promise("absent")},
        servers=["valkey"],
        servers_evidence="runs/first",
    )
    temporal = replace(
        measured("temporal", cpu=30.0),
        capabilities={"signals": promise()},
        servers=["temporal dev server"],
        servers_evidence="runs/first",
    )
    everyone = [celery, temporal]
    free = Requirements(title="", musts=[], wishes=[_CPU])
    asked = replace(free, musts=[MUSTS[5]])
    now, free_now = decide(asked, everyone), decide(free, everyone)

    assert now.recommended == ["celery"]
    assert list(sensitivity(asked, everyone, now)) == [
        "if you need signals: none (celery: absent: why, contract.json)"
    ]
    assert list(sensitivity(free, everyone, free_now)) == [
        "without the wish “little CPU”: celery or temporal (temporal: little CPU 30, best 10, runs/load)",
        "if you need signals: temporal (celery: absent: why, contract.json; "
        "temporal: native, 3 tests passed, contract.json)",
    ]


def test_who_would_be_the_answer_without_a_constraint_is_told_with_what_it_fails() -> None:
    everyone = [
        replace(measured("celery", cpu=10.0), kills={"worker-kill": kills(20, 2)}),
        replace(measured("temporal", cpu=30.0), kills={"worker-kill": kills(20)}),
    ]
    asked = Requirements(title="", musts=[MUSTS[0]], wishes=[_CPU])

    assert list(sensitivity(asked, everyone, decide(asked, everyone))) == [
        "without “a worker's death”: celery (2 of 20 kills did harm, runs/crash)"
    ]


def test_a_recommendation_says_why_and_who_is_ruled_out_by_what() -> None:
    everyone = [
        replace(measured("celery", cpu=10.0), kills={"worker-kill": kills(20, 2)}),
        replace(measured("dramatiq", cpu=40.0), kills={"worker-kill": kills(20)}),
        replace(measured("temporal", cpu=30.0), kills={"worker-kill": kills(20)}),
        measured("other", cpu=1.0),
    ]
    asked = Requirements(title="", musts=[MUSTS[0]], wishes=[_CPU])

    assert list(recommendation(asked, decide(asked, everyone))) == [
        "Recommendation: temporal.",
        "temporal meets: a worker's death (0 of 20 kills did harm (95 %: at most 13 %), runs/crash).",
        "temporal has of what was wished for: little CPU (30, as good as the best, runs/load).",
        "Fewer points, by the table above: dramatiq.",
        "Not ruled out: other (1), of which a constraint is unknown.",
        "Ruled out, by the constraints above: celery (1).",
    ]


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
    unknown = Facts(label="x", kills={"worker-kill": kills(50, gap=None)})

    assert MUSTS[0].judge(unknown).answer is Answer.UNKNOWN


def test_a_recovery_with_short_leases_is_not_that_of_the_class() -> None:
    short = Facts(label="x", kills={"worker-kill": replace(kills(50), short_leases=True)})

    assert MUSTS[1].judge(short).answer is Answer.UNKNOWN


def test_an_unknown_value_that_would_take_the_leaders_points_is_said() -> None:
    """Two wishes: the leader has both now, and would have one if the other's unknown value were better."""
    wishes = [_CPU, Wish(says="soon back", of=Measure.RECOVERY)]
    dev = replace(measured("temporal", cpu=100.0, recovery=5.0), stand_in="its dev server stands in")

    found = decide(
        Requirements(title="", musts=[], wishes=wishes), [measured("dramatiq", cpu=10.0, recovery=1.0), dev]
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
    a, b = measured("a", cpu=1.0, recovery=1.0, rate=1.0), measured("b", cpu=9.0, recovery=9.0, rate=9.0)

    assert decide(Requirements(title="", musts=[], wishes=wishes), [a, b]).recommended == ["a", "b"]


def test_kills_of_several_runs_add_up_and_loads_of_another_server_do_not() -> None:
    old = replace(
        Facts(label="temporal", kills={"worker-kill": kills(100, 1, unseen=2)}, stand_in="a dev server"),
        loads=[load(11, 9.0, kept_up=False)],
    )
    new = Facts(label="temporal", kills={"worker-kill": kills(20)}, loads=[load(50, 0.1)])

    for order in ([old, new], [new, old]):
        (both,) = merged(order)
        together = both.kills["worker-kill"]
        assert (together.judged, together.harmed, together.unseen) == (120, 1, 2)
        assert together.evidence == "runs/crash"
    (both,) = merged([old, new])
    assert both.stand_in == ""
    assert [one.offered_per_s for one in both.loads] == [50]


def test_own_leases_tell_how_soon_whatever_was_done_with_short_ones() -> None:
    """`bakeoff run` kills with short leases; who then kills with their own must get an answer."""
    short = Facts(label="x", kills={"worker-kill": replace(kills(29, 0, [0.5]), short_leases=True)})
    own = Facts(label="x", kills={"worker-kill": kills(2, 0, [4.0, 4.5])})

    for order in ([short, own], [own, short]):
        (both,) = merged(order)
        assert MUSTS[1].judge(both).answer is Answer.MET
        assert both.measures[Measure.RECOVERY].value == 4.25
        assert both.kills["worker-kill"].judged == 31


def test_values_at_another_load_compare_with_nobodys() -> None:
    half = [
        Facts(
            label=label,
            measures={Measure.CPU: replace(measured(label, cpu=9.0).measures[Measure.CPU], load="50%")},
        )
        for label in ("a", "b")
    ]
    found = merged([*half, measured("c", cpu=1.0)])

    assert [bool(one.measures) for one in found] == [True, True, False]
