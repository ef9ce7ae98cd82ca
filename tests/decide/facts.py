"""Facts for tests: built by hand, and any that there can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from bakeoff_bench.decide.decision import Requirements
from bakeoff_bench.decide.facts import Facts, Kills, Load, Promise
from bakeoff_bench.decide.measures import Measure, Value
from bakeoff_bench.decide.musts import Can, Carries, Keeps, Must, Recovers, Servers, Survives
from bakeoff_bench.decide.wishes import Wish


def kills(
    judged: int,
    harmed: int = 0,
    recovered_s: Sequence[float] = (1.0,),
    unrecovered: int = 0,
    unseen: int = 0,
    gap: str | None = "",
) -> Kills:
    """Kills with an interval that is roughly right."""
    return Kills(
        judged=judged,
        harmed=harmed,
        unseen=unseen,
        upper=1.0 if not judged else (harmed + 3) / (judged + 3),
        recovered_s=recovered_s,
        unrecovered=unrecovered,
        gap=gap,
        evidence="runs/crash",
    )


def load(offered_per_s: float, p95_s: float | None, kept_up: bool = True) -> Load:
    """One open load."""
    return Load(offered_per_s=offered_per_s, p95_s=p95_s, kept_up=kept_up, evidence="runs/load")


def promise(support: str = "native", passed: int = 3, failed: int = 0, unknown: int = 0) -> Promise:
    """What the contract suite says."""
    return Promise(
        support=support,
        passed=passed,
        failed=failed,
        unknown=unknown,
        reason="why",
        doubt="test_x: nobody knows",
        evidence="contract.json",
    )


def measured(label: str, **values: float | tuple[float, float, float]) -> Facts:
    """``cpu=10.0``, or ``cpu=(10.0, 9.0, 11.0)`` with its interval."""
    found = {}
    for name, one in values.items():
        if isinstance(one, tuple):
            value, low, high = one
            found[Measure(name)] = Value(value=value, low=low, high=high, evidence="runs/load")
        else:
            found[Measure(name)] = Value(value=one, evidence="runs/load")
    return Facts(label=label, measures=found)


MUSTS: list[Must] = [
    Survives(says="a worker's death", fault="worker-kill"),
    Recovers(says="recovers", within_s=5.0),
    Carries(says="carries", rate_per_s=20.0, p95_s=2.0),
    Can(says="people", capability="signals"),
    Keeps(says="undoes", promise="test_compensation"),
    Servers(says="Redis only", allowed=("valkey",)),
]

_kills = st.builds(
    kills,
    st.integers(0, 40),
    st.integers(0, 1),
    st.lists(st.floats(0, 10), max_size=3),
    st.integers(0, 1),
    st.integers(0, 1),
    st.sampled_from(["", "", "it declares less", None]),
)
#: Few values, so that some are equal, some alike, and intervals often meet.
_values = st.builds(
    lambda value, below, above: Value(
        value=value,
        low=None if below is None else value / below,
        high=None if below is None else value * above,
        evidence="runs/load",
    ),
    st.sampled_from([1.0, 1.1, 1.2, 1.3, 2.0, 5.0]),
    st.none() | st.sampled_from([1.0, 1.05, 3.0]),
    st.sampled_from([1.0, 1.05, 3.0]),
)
_facts = st.builds(
    Facts,
    label=st.just("x"),
    kills=st.dictionaries(st.just("worker-kill"), _kills),
    loads=st.lists(
        st.builds(load, st.floats(1, 50), st.none() | st.floats(0.1, 4), st.booleans()), max_size=3
    ),
    capabilities=st.dictionaries(
        st.just("signals"),
        st.builds(
            promise,
            st.sampled_from(["native", "pattern", "absent"]),
            st.integers(0, 2),
            st.integers(0, 1),
            st.integers(0, 1),
        ),
    ),
    promises=st.dictionaries(
        st.just("test_compensation"),
        st.builds(promise, st.just(""), st.integers(0, 2), st.integers(0, 1), st.integers(0, 1)),
    ),
    servers=st.none() | st.lists(st.sampled_from(["valkey", "rabbitmq"]), max_size=2, unique=True),
    servers_evidence=st.just("runs/first"),
    measures=st.dictionaries(st.sampled_from([Measure.CPU, Measure.RECOVERY, Measure.RATE]), _values),
    stand_in=st.sampled_from(["", "", "a stand-in"]),
)


def _numbered(found: list[Facts]) -> list[Facts]:
    return [replace(one, label=f"engine-{number}") for number, one in enumerate(found)]


everyone = st.lists(_facts, max_size=5).map(_numbered)
#: Who comes to no harm and carries something, so that a number decides.
nearly = st.lists(
    st.builds(
        Facts,
        label=st.just("x"),
        kills=st.fixed_dictionaries(
            {
                "worker-kill": st.builds(
                    kills,
                    st.integers(1, 40),
                    st.just(0),
                    st.lists(st.floats(0, 30), min_size=1, max_size=3),
                )
            }
        ),
        loads=st.lists(
            st.builds(load, st.floats(1, 50), st.floats(0.1, 4), st.booleans()), min_size=1, max_size=3
        ),
        measures=st.dictionaries(st.sampled_from([Measure.CPU, Measure.RATE]), _values),
    ),
    min_size=1,
    max_size=4,
).map(_numbered)
#: Of whom everything is known that these wishes are about, so that wishes decide.
weighed = st.lists(
    st.builds(
        Facts,
        label=st.just("x"),
        measures=st.fixed_dictionaries(dict.fromkeys([Measure.CPU, Measure.RECOVERY, Measure.RATE], _values)),
        servers=st.lists(st.sampled_from(["valkey", "rabbitmq"]), max_size=2, unique=True),
        servers_evidence=st.just("runs/first"),
    ),
    min_size=2,
    max_size=4,
).map(_numbered)
wishes = st.lists(
    st.builds(
        Wish,
        says=st.text("abc", max_size=2),
        of=st.sampled_from([Measure.CPU, Measure.RECOVERY, Measure.RATE, Measure.SERVERS]),
        weight=st.sampled_from([0.5, 1.0, 2.0]),
        alike=st.sampled_from([1.0, 1.25, 2.0]),
    ),
    max_size=3,
)
musts = st.lists(st.sampled_from(MUSTS), max_size=4, unique_by=lambda one: one.says)
asked = st.builds(Requirements, title=st.just("any"), musts=musts, wishes=wishes)
#: Without a constraint everybody is a candidate, and wishes alone decide.
wished = st.builds(Requirements, title=st.just("any"), musts=st.just([]), wishes=wishes)
