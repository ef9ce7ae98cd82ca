"""Numbers that are asked for, moved to where the answer changes: by hand, and as laws for any facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff_bench.decide import reading
from bakeoff_bench.decide.decision import Requirements, decide
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.musts import Carries, Must, Recovers, Survives
from bakeoff_bench.decide.sensitivity import sensitivity
from bakeoff_bench.decide.wishes import Wish
from tests.decide import facts as any_
from tests.decide.facts import kills, load

_MOVED = re.compile(r"with (\w+) = (\S+) instead of (\S+) in “(\w+)”: (.*?)(?: yet; .*)? \(.*\)$")


def _changes(must: Must, *everyone: Facts) -> list[str]:
    """What is said of the numbers of one constraint."""
    asked = Requirements(title="", musts=[must])
    found = sensitivity(asked, everyone, decide(asked, everyone))
    return [one for one in found if one.startswith("with ")]


def _killed(label: str, *recovered_s: float, judged: int = 20, unrecovered: int = 0) -> Facts:
    found = kills(judged, recovered_s=recovered_s, unrecovered=unrecovered)
    return Facts(label=label, kills={"worker-kill": found})


def test_the_time_within_which_somebody_else_is_back() -> None:
    """The least that takes somebody in; the slowest kill counts, rounded up."""
    must = Recovers(says="soon", within_s=30.0)

    assert _changes(
        must, _killed("celery", 3.0, 8.0), _killed("dramatiq", 61.73, 2.0), _killed("x", 99.0)
    ) == [
        "with recovers_within_s = 61.8 instead of 30 in “soon”: celery or dramatiq "
        "(dramatiq: the slowest of 2 kills took 61.7 s, runs/crash)"
    ]


def test_who_was_not_seen_to_recover_stays_unknown() -> None:
    assert _changes(Recovers(says="soon", within_s=30.0), _killed("celery", 61.0, unrecovered=1)) == []
    short = replace(kills(20, recovered_s=[61.0]), short_leases=True)
    assert (
        _changes(Recovers(says="soon", within_s=30.0), Facts(label="x", kills={"worker-kill": short})) == []
    )


def test_as_many_kills_as_somebody_has() -> None:
    must = Survives(says="lives", fault="worker-kill")

    assert _changes(must, _killed("a", judged=8), _killed("b", judged=2), Facts(label="c")) == [
        "with kills = 8 instead of 20 in “lives”: a (0 of 8 kills did harm (95 %: at most 27 %), runs/crash)"
    ]


def test_the_share_that_so_many_kills_can_show() -> None:
    must = Survives(says="lives", fault="worker-kill", kills=1, at_most=0.1)

    assert _changes(must, _killed("a", judged=20)) == [
        "with at_most = 0.131 instead of 0.1 in “lives”: a "
        "(0 of 20 kills did harm (95 %: at most 13 %), runs/crash)"
    ]


@pytest.mark.parametrize(
    "found", [kills(20, 1), kills(8, unseen=1), kills(8, gap="it declares less"), kills(8, gap=None)]
)
def test_harm_and_what_nobody_knows_no_number_explains_away(found: object) -> None:
    must = Survives(says="lives", fault="worker-kill", at_most=0.1)

    assert _changes(must, Facts(label="a", kills={"worker-kill": found})) == []  # type: ignore[dict-item]


def test_the_rate_that_was_carried_and_the_latency_that_it_had() -> None:
    must = Carries(says="fast", rate_per_s=20.0, p95_s=2.0)

    assert _changes(must, Facts(label="a", loads=[load(10.0, 0.5)])) == [
        "with rate_per_s = 11.1 instead of 20 in “fast”: a (p95 0.50 s at 10.0/s, runs/load)"
    ]
    assert _changes(must, Facts(label="a", loads=[load(20.0, 2.345)])) == [
        "with p95_s = 2.35 instead of 2 in “fast”: a (p95 2.35 s at 20.0/s, runs/load)"
    ]
    # It failed at 20 a second, so the rate has to be one that this does not tell against.
    assert _changes(must, Facts(label="a", loads=[load(16.2, 0.5), load(20.0, 1.0, kept_up=False)])) == [
        "with rate_per_s = 17.9 instead of 20 in “fast”: a (p95 0.50 s at 16.2/s, runs/load)"
    ]
    dev = Facts(label="a", loads=[load(10.0, 0.5)], stand_in="a dev server")
    assert _changes(must, dev) == []


def test_a_constraint_that_is_met_by_everybody_has_no_such_number() -> None:
    assert _changes(Recovers(says="soon", within_s=30.0), _killed("a", 3.0), _killed("b", 4.0)) == []


def _file(asked: Requirements) -> Iterator[str]:
    """These requirements as a file has them."""
    yield "format = 1"
    for must in asked.musts:
        yield f"[[must]]\nsays = '{must.says}'"
        match must:
            case Survives():
                yield f"survives = '{must.fault}'\nkills = {must.kills}\nat_most = {must.at_most!r}"
            case Recovers():
                yield f"recovers_within_s = {must.within_s!r}\nafter = '{must.fault}'"
            case Carries():
                yield f"rate_per_s = {must.rate_per_s!r}\np95_s = {must.p95_s!r}"
            case _:
                raise AssertionError(must)
    for wish in asked.wishes:
        yield f"[[wish]]\nsays = 'wish'\nof = '{wish.of}'\nweight = {wish.weight!r}\nalike = {wish.alike!r}"


def _read(folder: Path, text: str) -> Requirements:
    file = folder / "r.toml"
    file.write_text(text)
    return reading.read_requirements(file)


def _put(text: str, says: str, key: str, value: str) -> str:
    """The file with this number in the table of that constraint."""
    before, mark, after = text.partition(f"says = '{says}'\n")
    changed, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", after, count=1)
    assert mark
    assert count == 1
    return before + mark + changed


def _nearer(value: str, old: str) -> Decimal:
    """The next number of three digits on the way back."""
    new = Decimal(value)
    if new > Decimal(old):
        return Context(prec=3, rounding=ROUND_FLOOR).next_minus(new)
    return Context(prec=3, rounding=ROUND_CEILING).next_plus(new)


_musts = st.lists(
    st.one_of(
        st.builds(
            Survives,
            says=st.just("survives"),
            fault=st.just("worker-kill"),
            kills=st.integers(1, 40),
            at_most=st.sampled_from([0.05, 0.15, 0.5, 1.0]),
        ),
        st.builds(Recovers, says=st.just("recovers"), within_s=st.floats(0.1, 10)),
        st.builds(Carries, says=st.just("carries"), rate_per_s=st.floats(1, 50), p95_s=st.floats(0.1, 4)),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda one: one.says,
)
_wishes = st.lists(st.builds(Wish, says=st.just("wish"), of=st.sampled_from([Measure.CPU, Measure.RATE])))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asked")


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults are looked up once: every file asks for them."""
    monkeypatch.setattr(reading, "_faults", cache(reading._faults))


@settings(max_examples=300, deadline=None)
@given(_musts, _wishes, any_.everyone | any_.nearly)
def test_a_number_that_is_named_gives_that_answer_and_none_that_is_nearer_gives_another(
    folder: Path, musts: list[Must], wishes: list[Wish], everyone: list[Facts]
) -> None:
    """Put into the file as it is printed."""
    text = "\n".join(_file(Requirements(title="", musts=musts, wishes=wishes)))
    asked = _read(folder, text)
    now = decide(asked, everyone)
    told = [one for one in sensitivity(asked, everyone, now) if one.startswith("with ")]

    for sentence in told:
        found = _MOVED.match(sentence)
        assert found is not None, sentence
        key, value, old, says, answer = found.groups()
        then = decide(_read(folder, _put(text, says, key, value)), everyone)
        assert (" or ".join(then.recommended) or "none") == answer
        assert then.recommended != now.recommended

        nearer = Decimal(int(value) + 1) if key == "kills" else _nearer(value, old)
        if (nearer > Decimal(old)) == (Decimal(value) > Decimal(old)) and nearer != Decimal(old):
            almost = decide(_read(folder, _put(text, says, key, str(nearer))), everyone)
            assert almost.recommended == now.recommended
