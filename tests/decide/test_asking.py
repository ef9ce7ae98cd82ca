"""``bakeoff decide --init``: its questions, the file that comes of them, and what it says is to be done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.decide.asking import _worth
from bakeoff_bench.decide.at_hand import at_hand
from bakeoff_bench.decide.decision import decide
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.musts import ENOUGH_KILLS, Survives
from bakeoff_bench.decide.reading import read_requirements
from bakeoff_bench.decide.stored import write_facts
from bakeoff_bench.significance import proportion
from tests.decide.facts import kills, measured, promise

Capture = pytest.CaptureFixture[str]
_ENTERS = [""] * 20


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _answer(
    home: Path, monkeypatch: pytest.MonkeyPatch, answers: Sequence[str], *places: str, code: int = 0
) -> None:
    """Have ``r.toml`` made of these answers."""
    file = home / "answers.txt"
    file.write_text("\n".join(answers) + "\n")
    with file.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert run(["decide", "--init", "r.toml", *places]) == code


def _quick(home: Path, *more: Facts) -> list[Facts]:
    """What a quick run of two engines tells, in a file."""
    found = [
        replace(
            measured("inline", cpu=1.0),
            kills={"worker-kill": kills(2, 2)},
            servers=[],
            servers_evidence="runs/first",
        ),
        replace(
            measured("dramatiq[valkey]", cpu=10.0),
            kills={"worker-kill": replace(kills(2), upper=0.66, short_leases=True)},
            servers=["valkey"],
            servers_evidence="runs/first",
        ),
        *more,
    ]
    write_facts(home / "first.json", found, [])
    return found


def test_questions_make_a_file_that_can_be_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["shop", "y", "", "n", "y", "n", "n", "y", "20", "1.5", "valkey, rabbitmq", "3", "0", "1"]
    _answer(home, monkeypatch, answers)

    asked = read_requirements(home / "r.toml")
    assert asked.title == "shop"
    assert [must.says for must in asked.musts] == [
        "no harm when a worker dies",
        "a saga waits for a person or an event",
        "every event is kept",
        "p95 of at most 1.5 s at 20 sagas per second",
        "no server to operate besides valkey, rabbitmq",
    ]
    assert [(wish.says, wish.weight) for wish in asked.wishes] == [("little CPU", 3.0), ("few servers", 1.0)]
    assert (home / "r.toml").read_text().startswith("# What a choice must satisfy")


def test_enter_everywhere_asks_for_what_a_whole_run_answers(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """It kills workers, and no server; it kills often enough; it wishes for what a short load tells."""
    _answer(home, monkeypatch, _ENTERS)

    asked = read_requirements(home / "r.toml")
    assert [must.says for must in asked.musts] == ["no harm when a worker dies"]
    assert [str(wish.of) for wish in asked.wishes] == ["cpu", "servers"]
    assert at_hand([]).beyond(asked) == []
    printed = capfd.readouterr().out
    assert "`bakeoff run`: at least 29 of each engine; with --quick 2) [20]" in printed
    assert "evidence: bakeoff run --out runs/first (kills a worker once at each of 29 points)" in printed
    assert printed.endswith("then: bakeoff decide r.toml runs/first\n")


def test_enter_everywhere_over_a_quick_run_ends_in_a_recommendation(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """It asks for as many kills as there are, and the file says what these are worth."""
    everyone = _quick(home)

    _answer(home, monkeypatch, _ENTERS, "first.json")

    printed = capfd.readouterr().out
    assert "(first.json: at least 2 of each engine) [2]" in printed
    assert printed.endswith("then: bakeoff decide r.toml first.json\n")
    assert "evidence: " not in printed
    text = (home / "r.toml").read_text()
    assert "\nkills = 2 # so many without harm, before it is believed\n" in text
    assert "# 2 without harm say that at most 66 % do any (95 %, Wilson's upper end).\n" in text
    asked = read_requirements(home / "r.toml")
    assert decide(asked, everyone).recommended == ["dramatiq[valkey]"]
    assert run(["decide", "r.toml", "first.json"]) == 0
    assert "Recommendation: dramatiq[valkey]." in capfd.readouterr().out


def test_every_line_that_is_commented_out_can_be_taken_in(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The share that is proposed is one that so few kills can show."""
    everyone = _quick(home)
    _answer(home, monkeypatch, _ENTERS, "first.json")
    file = home / "r.toml"

    changed = re.sub(r"(?m)^# (\w+ = )", r"\1", file.read_text())
    file.write_text(changed)

    assert "\nat_most = 0.66 " in changed
    assert decide(read_requirements(file), everyone).recommended == ["dramatiq[valkey]"]


@pytest.mark.parametrize("count", [1, 2, 3, 19, 20, 29, 400])
def test_the_share_in_the_file_takes_no_more_kills(count: int) -> None:
    *words, last = _worth(count)
    share = float(last.removeprefix("at_most = ").partition(" ")[0])
    interval = proportion(0, count)

    assert Survives(says="", fault="x", kills=count, at_most=share).wanted == count
    assert interval is not None
    assert f"at most {100 * interval.high:.0f} % " in words[0]
    assert (len(words) > 1) == (count < ENOUGH_KILLS)


def test_whoever_has_fewest_kills_counts_and_never_more_than_enough(home: Path) -> None:
    _quick(home, Facts(label="celery", kills={"worker-kill": kills(1)}), Facts(label="temporal"))
    assert at_hand([home / "first.json"]).kills("worker-kill") == 1
    assert at_hand([home / "first.json"]).kills("server-kill") == 0
    assert at_hand([]).kills("worker-kill") > ENOUGH_KILLS


def test_what_the_runs_do_not_tell_is_not_asked_for_by_enter(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """Contract results alone: no kill, no cost."""
    write_facts(home / "first.json", [Facts(label="a", capabilities={"signals": promise()})], [])

    _answer(home, monkeypatch, _ENTERS, "first.json", code=2)
    assert "nothing is asked for, so no file is written" in capfd.readouterr().err
    assert not (home / "r.toml").exists()

    _answer(home, monkeypatch, ["", "", "", "y", *_ENTERS], "first.json")
    asked = read_requirements(home / "r.toml")
    assert [must.says for must in asked.musts] == ["a saga waits for a person or an event"]
    assert asked.wishes == []
    assert capfd.readouterr().out.endswith("\nthen: bakeoff decide r.toml first.json\n")


def test_what_a_run_does_not_answer_is_said_with_the_command_that_does(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    answers = ["shop", "y", "", "y", "", "y", "n", "n", "n", "20", "1.5", "all", "1", "1", "1"]
    _answer(home, monkeypatch, answers)

    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("what it asks for")]
    assert [line.partition(": ")[2].partition(" --")[0] for line in lines] == [
        "bakeoff crash",
        "pytest",
        "bakeoff load",
        "bakeoff crash",
    ]
    assert "--fault server-kill" in lines[0]
    assert "--own-leases" in lines[3]


def test_kills_that_are_missing_are_told(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    _quick(home)

    _answer(home, monkeypatch, ["", "", "5", *_ENTERS], "first.json")

    assert "kills = 5 " in (home / "r.toml").read_text()
    printed = capfd.readouterr().out
    assert "what it asks for beyond that: bakeoff crash --config recommended --fault worker-kill" in printed
    assert "--kills 2 --out DIR, given beside runs/crash\n" in printed
    assert printed.endswith("then: bakeoff decide r.toml first.json RUN...\n")


def test_questions_overwrite_nothing(home: Path, capfd: Capture) -> None:
    (home / "requirements.toml").write_text("mine")

    assert run(["decide", "--init"]) == 2

    assert "it exists already" in capfd.readouterr().err
    assert (home / "requirements.toml").read_text() == "mine"


def test_a_run_that_is_not_there_is_told_before_any_question(home: Path, capfd: Capture) -> None:
    assert run(["decide", "--init", "r.toml", "runs/first"]) == 2

    printed = capfd.readouterr()
    assert "there is no such folder or file" in printed.err
    assert printed.out == ""
    assert not (home / "r.toml").exists()
