"""``bakeoff decide`` on real folders, and its file."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from tests.report.conftest import runs

__all__ = ["runs"]

pytestmark = pytest.mark.service

Capture = pytest.CaptureFixture[str]
_DOCS = Path(__file__).parents[2] / "docs" / "decide.md"
_ONE = '[[must]]\nsays = "a"\nsurvives = "worker-kill"\n'


def _block(language: str) -> str:
    """The first block of the page in this language."""
    return _DOCS.read_text().split(f"```{language}\n")[1].split("```")[0]


@pytest.fixture
def home(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "runs").symlink_to(runs)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_line_and_the_file_of_the_page_work(home: Path, capfd: Capture) -> None:
    toml = _block("toml").replace(
        'only = ["celery[valkey]", "celery[rabbitmq]", "temporal"]', "only = ['inline']"
    )
    (home / "requirements.toml").write_text(toml)
    program, *arguments = shlex.split(_block("sh").strip())

    assert program == "bakeoff"
    assert run(arguments) == 1

    printed = capfd.readouterr().out
    assert "inline: not met: 2 of 2 kills did harm (runs/crash)" in printed
    assert "inline: not met: absent: <nobody> listens (runs/contract.json)" in printed
    assert "Recommendation: none." in printed


def test_a_recommendation_as_json(home: Path, capfd: Capture) -> None:
    (home / "r.toml").write_text('format = 1\n[[must]]\nsays = "no server"\nservers = []\n')

    assert run(["decide", "r.toml", "runs/first", "--json"]) == 0

    found = json.loads(capfd.readouterr().out)
    assert found["recommended"] == ["inline"]
    assert found["findings"]["inline"][0]["answer"] == "met"


def test_a_wish_says_where_its_values_stand(home: Path, capfd: Capture) -> None:
    wishes = "".join(f'[[wish]]\nsays = "{of}?"\nof = "{of}"\n' for of in ("cpu", "recovery"))
    (home / "r.toml").write_text(f'format = 1\n[[must]]\nsays = "no server"\nservers = []\n{wishes}')

    assert run(["decide", "r.toml", "runs/first", "runs/load"]) == 0

    printed = capfd.readouterr().out
    assert "  cpu?: from runs/load at 6/s\n" in printed
    assert "recovery?: from" not in printed
    assert "inline has of what was wished for: cpu? (" in printed
    assert "\nEvidence\n  runs/first: " in printed
    assert "\n  runs/load: bakeoff load --engine inline --rate 6 " in printed
    assert len(re.findall(r", \d{4}-\d\d-\d\d$", printed, re.MULTILINE)) == 2


def test_what_is_unknown_is_work_and_no_verdict(home: Path, capfd: Capture) -> None:
    (home / "r.toml").write_text(f"format = 1\n{_ONE}")

    assert run(["decide", "r.toml", "runs/first"]) == 1

    printed = capfd.readouterr().out
    assert "Not ruled out: inline" in printed
    command = "bakeoff crash --engine inline --config recommended --fault worker-kill --point charge_payment"
    assert f"inline: no worker-kill was judged: {command}" in printed
    assert "--kills 10 --out DIR" in printed


def test_facts_in_a_file_stand_for_the_runs(home: Path, capfd: Capture) -> None:
    (home / "r.toml").write_text(
        f'format = 1\n{_ONE}[[must]]\nsays = "b"\ncapability = "signals"\n'
        '[[must]]\nsays = "c"\nrate_per_s = 1\np95_s = 9\n[[wish]]\nsays = "d"\nof = "cpu"\n'
    )
    line = ["decide", "r.toml", "runs/first", "runs/crash", "runs/load", "runs/contract.json"]
    assert run([*line, "--facts", "facts.json"]) == 1
    told = capfd.readouterr().out

    assert run(["decide", "r.toml", "facts.json"]) == 1

    assert capfd.readouterr().out == told
    made_of = json.loads((home / "facts.json").read_text())["made_of"]
    assert [one["kind"] for one in made_of] == ["run", "crash", "load", "contract"]
    assert [one["evidence"] for one in made_of] == line[2:]
    assert made_of[0]["machine"]["cpus"] > 0
    assert re.search(r"\nEvidence\n  runs/first: bakeoff.*, \d{4}-\d\d-\d\d\n", told)

    assert run(["decide", "r.toml", "facts.json", "--facts", "again.json"]) == 1
    first, again = (json.loads((home / name).read_text()) for name in ("facts.json", "again.json"))
    assert {**again, "written_at": ""} == {**first, "written_at": ""}


def test_a_run_counts_once(home: Path, capfd: Capture) -> None:
    """Its kills would be twice as many as there were."""
    (home / "r.toml").write_text(f"format = 1\n{_ONE}")
    assert run(["decide", "r.toml", "runs/crash", "--facts", "facts.json"]) == 1
    capfd.readouterr()

    assert run(["decide", "r.toml", "facts.json", "runs/crash"]) == 2

    printed = capfd.readouterr().err
    assert "runs/crash and runs/crash are the same run (bakeoff" in printed
    assert printed.count("\n") == 1


def test_facts_of_format_1_are_read(home: Path, capfd: Capture) -> None:
    """Nothing of what it left out is made up, but for what follows: two of five kills were not judged."""
    kills = {
        **{"judged": 3, "harmed": 0, "upper": 0.56, "recovered_s": [1.0, 2.0, 3.0, 4.0], "unrecovered": 1},
        **{"evidence": "crash", "gap": "", "short_leases": False},
    }
    promise = {"support": "native", "passed": 2, "failed": 0, "reason": "", "evidence": "contract.json"}
    facts = {
        **{"label": "inline", "kills": {"worker-kill": kills}, "loads": [], "stand_in": ""},
        **{"capabilities": {"signals": promise}, "promises": {}, "servers": []},
        "measures": {"cpu": [2.5, "load"]},
    }
    made_of = {"name": "crash", "kind": "crash", "command": "bakeoff crash", "created_at": "2026-11-28T01"}
    found = {"kind": "facts", "format": 1, "made_of": [{**made_of, "machine": None}], "facts": [facts]}
    (home / "facts.json").write_text(json.dumps(found))
    (home / "r.toml").write_text(
        f'format = 1\n{_ONE}kills = 2\n[[must]]\nsays = "b"\ncapability = "signals"\n'
        '[[must]]\nsays = "c"\nservers = []\n[[wish]]\nsays = "d"\nof = "cpu"\n'
    )

    assert run(["decide", "r.toml", "facts.json"]) == 1

    printed = capfd.readouterr().out
    assert "inline: unknown: 0 of 3 kills did harm, and 2 more were not seen to their end (crash)" in printed
    assert "inline: met: native, 2 tests passed (contract.json)" in printed
    assert "inline: met: it needs no server (facts.json)" in printed
    assert "  crash: bakeoff crash, 2026-11-28\n" in printed


@pytest.mark.parametrize(
    "text", ['{"kind": "facts"}', '{"kind": "facts", "format": 1, "facts": [{"label": "x"}]}']
)
def test_damaged_facts_are_one_line(home: Path, capfd: Capture, text: str) -> None:
    (home / "r.toml").write_text(f"format = 1\n{_ONE}")
    (home / "facts.json").write_text(text)

    assert run(["decide", "r.toml", "facts.json"]) == 2

    printed = capfd.readouterr().err
    assert "facts.json is damaged" in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("format = 1\n", "it asks for nothing"),
        ("format = 2\n" + _ONE, "format = 2: this bakeoff reads format 1"),
        (_ONE, "format = None: this bakeoff reads format 1"),
        ("format = 1\n[[must]", "no TOML"),
        ("format = 1\nmust = 3\n", "write [[must]], with two brackets"),
        ("format = 1\n[must]\nsays = 'a'\n", "write [[must]], with two brackets"),
        ("format = 1\nmust = [3]\n", "must 1: a table, not 3"),
        ("format = 1\n[[must]]\nsays = 'a'\n", "must 1: it must have one of survives, "),
        ("format = 1\n[[must]]\nsurvives = 'worker-kill'\n", "must 1: says = None: some words"),
        (f"format = 1\n{_ONE}capability = 'signals'\n", "it has survives and capability"),
        (f"format = 1\n{_ONE}kils = 3\n", "must 1: kils: nothing is known by that name here"),
        (f"format = 1\n{_ONE}kills = 0\n", "must 1: kills = 0: a positive number"),
        (f"format = 1\n{_ONE.replace('kill', 'kil')}", "is not known; did you mean 'worker-kill'?"),
        (
            "format = 1\n[[must]]\nsays = 'a'\ncapability = 'signal'\n",
            "must 1: capability = 'signal' is not known; did you mean 'signals'?",
        ),
        (f"format = 1\n{_ONE}at_most = 2\n", "must 1: at_most = 2: a positive number up to 1"),
        (f"format = 1\n{_ONE}wishes = 3\n", "wishes"),
        ("format = 1\n[[wish]]\nsays = 'a'\nof = 'speed'\n", "wish 1: of = 'speed': known are cpu, "),
        ("format = 1\n[[wish]]\nsays = 'a'\nof = 'cpu'\nweight = 'much'\n", "wish 1: weight = 'much'"),
        ("format = 1\n[[wish]]\nsays = 'a'\nof = 'cpu'\nalike = 0.5\n", "alike = 0.5: a factor of 1 or more"),
        ("format = 1\nonly = 'inline'\n" + _ONE, "only = 'inline': a list of words"),
        ("format = 1\nonly = ['kafka']\n" + _ONE, "only: kafka: these runs know inline"),
        ("format = 1\n[[must]]\nsays = 'a'\nrate_per_s = true\np95_s = 1\n", "rate_per_s = True: a positive"),
        (
            "format = 1\n[[must]]\nsays = 'a'\ncapability = 'signals'\nnative = 'no'\n",
            "native = 'no': true or false",
        ),
    ],
)
def test_a_mistake_in_the_file_is_one_line(home: Path, capfd: Capture, text: str, told: str) -> None:
    (home / "r.toml").write_text(text)

    assert run(["decide", "r.toml", "runs/first"]) == 2

    printed = capfd.readouterr()
    assert printed.err.count("\n") == 1
    assert told in printed.err
    assert printed.out == ""


def test_no_file_and_no_evidence(home: Path, capfd: Capture) -> None:
    assert run(["decide", "nothing.toml", "runs/first"]) == 2
    assert "`bakeoff decide --init` writes one" in capfd.readouterr().err
    (home / "r.toml").write_text(f"format = 1\n{_ONE}")
    assert run(["decide", "r.toml"]) == 2
    assert "no evidence" in capfd.readouterr().err
