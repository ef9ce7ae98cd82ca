"""What would tell: commands that ask for what is missing, and are taken as they stand."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.settings import ConfigClass
from bakeoff_bench.decide import work
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.musts import Answer, Carries, Survives
from bakeoff_bench.significance import proportion
from tests.decide.facts import kills, load

_POINTS = "--point charge_payment.after_effect --point refund_payment.before_effect"


@pytest.mark.parametrize(
    ("count", "options"),
    [
        (20, f"{_POINTS} --kills 10"),
        (3, f"{_POINTS} --kills 2"),
        (1, "--point charge_payment.after_effect --kills 1"),
    ],
)
def test_kills_are_asked_for_per_point(count: int, options: str) -> None:
    command = work.kills("celery[valkey]", "server-kill", count)

    assert command == f"bakeoff crash --config recommended --fault server-kill {options} --out DIR"


def test_only_what_is_missing_is_asked_for_and_where_it_is_to_be_added() -> None:
    facts = Facts(label="celery[valkey, as shipped]", kills={"worker-kill": kills(8)})

    finding = Survives(says="", fault="worker-kill", kills=20).judge(facts)

    assert finding.answer is Answer.UNKNOWN
    assert finding.work == (
        f"bakeoff crash --config default --fault worker-kill {_POINTS} --kills 6 --out DIR, "
        "given beside runs/crash"
    )


@pytest.mark.parametrize("at_most", [0.5, 0.15, 0.1, 0.04])
def test_as_many_kills_as_the_interval_takes(at_most: float) -> None:
    """One fewer would not do."""
    wanted = Survives(says="", fault="x", kills=1, at_most=at_most).wanted
    enough, fewer = proportion(0, wanted), proportion(0, wanted - 1)

    assert enough is not None
    assert enough.high <= at_most
    assert fewer is not None
    assert fewer.high > at_most


def test_a_slow_rate_takes_a_longer_load() -> None:
    assert work.load("inline", 20.0) == "bakeoff load --rate 20 --out DIR"
    assert work.load("inline", 1.0) == "bakeoff load --rate 1 --duration 50 --out DIR"


def test_a_server_that_stands_in_is_not_measured_again() -> None:
    facts = Facts(label="temporal", loads=[load(20, 1.0)], stand_in="its dev server stands in")

    finding = Carries(says="", rate_per_s=20.0, p95_s=2.0).judge(facts)

    assert finding.work == f"bakeoff load --rate 20 --out DIR, {work.STOOD_IN}"


def test_a_command_is_about_those_of_whom_something_is_unknown() -> None:
    labels = ["celery[valkey]", "temporal", "dramatiq[valkey]"]
    one = "bakeoff crash --config recommended --fault worker-kill --kills 1 --out DIR"

    assert work.for_(one, labels).startswith(
        "bakeoff crash --engine celery --engine temporal --engine dramatiq --broker valkey --config recom"
    )
    assert "--broker" not in work.for_(one, ["celery[valkey]", "celery[rabbitmq]"])
    assert work.for_(work.RUN, labels[:1]) == "bakeoff run --engine celery --out DIR"


def test_the_contract_suite_takes_one_broker_at_a_time() -> None:
    labels = ["celery[valkey]", "celery[rabbitmq]", "dramatiq[rabbitmq]", "temporal"]
    groups = work.apart(work.CONTRACT, labels)

    assert groups == [["celery[valkey]"], ["celery[rabbitmq]", "dramatiq[rabbitmq]"], ["temporal"]]
    assert [work.for_(work.CONTRACT, group) for group in groups] == [
        "pytest --engine=celery --broker valkey --contract-json contract.json",
        "pytest --engine=celery --engine=dramatiq --broker rabbitmq --contract-json contract.json",
        "pytest --engine=temporal --contract-json contract.json",
    ]


def test_a_label_is_taken_apart() -> None:
    found = work.named("celery[rabbitmq, as shipped, prefetch=1] over nats")

    assert (found.engine, found.broker, found.config, found.bridge) == (
        "celery",
        "rabbitmq",
        ConfigClass.DEFAULT,
        "nats",
    )


@pytest.mark.parametrize(
    "command",
    [
        work.kills("inline", "worker-kill", 20, 370.0),
        work.recoveries("inline", "server-kill", 300.0),
        work.load("inline", 0.5),
        *(work.measure(of) for of in Measure),
    ],
)
def test_every_command_is_understood(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With an engine that there is not, it gets as far as to look for it: its options are right."""
    monkeypatch.chdir(tmp_path)
    words = shlex.split(work.for_(command, ["no-such-engine"]).partition(",")[0])

    assert run(words[1:]) == 2

    printed = capfd.readouterr().err
    assert "no-such-engine" in printed
    assert "No such option" not in printed
