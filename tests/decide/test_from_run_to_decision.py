"""A newcomer's way: `bakeoff run`, a requirements file, a decision, and what it says is to be done."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.steady import run_steadily
from tests.tiers import thorough

_ENGINES = ["--engine", "inline", "--engine", "dramatiq"]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """With a kept run: two kills of each, few sagas, one short load."""
    found = Terminal(tmp_path_factory.mktemp("decide"))
    line = ["run", "--quick", *_ENGINES, "--config", "ci", "--count", "6", "--out", "kept"]
    done = run_steadily(found, line, 240, makes=["kept"], again=lambda _: _is_void(found))
    assert done.returncode == 0, done.stdout + done.stderr
    return found


def _is_void(terminal: Terminal) -> bool:
    """Whether a load says nothing, because its generator was late: of forty starts one is enough for that."""
    rows = (terminal.folder / "kept" / "load" / "loads.jsonl").read_text().splitlines()
    return any(json.loads(row)["measured"]["void"] for row in rows)


def _asks(terminal: Terminal, kills: int) -> None:
    """By Enter alone, but for the kills: a whole run makes 29, this one two."""
    asked = terminal.folder / "r.toml"
    asked.unlink(missing_ok=True)
    assert terminal.run("yes '' | head -20 | bakeoff decide r.toml --init").returncode == 0
    text = asked.read_text()
    assert "# kills = 20" in text
    asked.write_text(text.replace("# kills = 20", f"kills = {kills}"))


def _decided(terminal: Terminal, *places: str) -> dict[str, Any]:
    done = terminal.run(["decide", "r.toml", *places, "--json"])
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def _evidence(found: dict[str, Any]) -> set[str]:
    """Of everything that is met or not, and of every value."""
    findings = [one for own in found["findings"].values() for one in own if one["answer"] != "unknown"]
    assert findings
    places = {one["evidence"] for one in findings}
    places |= {
        value["evidence"] for one in found["granted"].values() for value in one["values"] if value is not None
    }
    assert "" not in places
    return places


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(800)
def test_a_run_is_enough_for_a_recommendation_whose_sentences_lead_to_evidence(terminal: Terminal) -> None:
    _asks(terminal, kills=2)

    found = _decided(terminal, "kept")

    assert found["recommended"] == ["dramatiq[valkey, ci]"]
    assert [one["answer"] for one in found["findings"]["inline[ci]"]] == ["not met"]
    places = _evidence(found)
    assert places == {"kept/crash", "kept/load"}
    assert all((terminal.folder / place / "manifest.json").is_file() for place in places)
    listed = {one["evidence"]: one for one in found["evidence"]}
    assert places <= set(listed)
    assert all(listed[place]["command"].startswith("bakeoff run --quick ") for place in places)
    assert all(listed[place]["created_at"] for place in places)
    answer, *reasons = found["because"]
    assert answer == "Recommendation: dramatiq[valkey, ci]."
    meets, has, out = reasons
    assert "(0 of 2 kills did harm (95 %: at most 66 %), kept/crash)" in meets
    assert "kept/load at 4/s)" in has
    assert out == "Ruled out, by the constraints above: inline[ci] (1)."
    assert found["changes"] == [
        "without “no harm when a worker dies”: inline[ci] (2 of 2 kills did harm, kept/crash)"
    ]


@thorough
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_unknown_is_known_when_the_work_is_done(terminal: Terminal) -> None:
    """The command that is printed makes the kills that are missing, and no more."""
    _asks(terminal, kills=4)
    done = terminal.run(["decide", "r.toml", "kept"])
    assert done.returncode == 1
    (work,) = [
        line for line in done.stdout.splitlines() if "bakeoff crash" in line and "given beside" in line
    ]
    assert "dramatiq[valkey, ci]: 0 of 2 kills did harm" in work
    command, _, beside = work.partition(": bakeoff ")[2].partition(", given beside ")
    assert beside == "kept/crash"

    made = terminal.run(shlex.split(command.replace("--out DIR", "--out more")), 120)
    assert made.returncode == 0, made.stdout + made.stderr

    found = _decided(terminal, "kept", "more")
    assert found["recommended"] == ["dramatiq[valkey, ci]"]
    (finding,) = found["findings"]["dramatiq[valkey, ci]"]
    assert finding["why"].startswith("0 of 4 kills did harm")
    assert finding["evidence"] == "kept/crash, more"
