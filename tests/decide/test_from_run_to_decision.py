"""A newcomer's way, as the pages have it: a quick run, Enter at every question, a decision, and its work."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.docs.fences import block_of, lines_of
from tests.steady import run_steadily
from tests.tiers import thorough

_RUN, _INIT, _DECIDE = lines_of(block_of("docs/decide.md", "bakeoff run --quick"))
_KEPT = _RUN.rpartition("--out ")[2]
#: Few sagas on two engines; class ``ci`` because its leases are short.
_SMALL = "--engine inline --engine dramatiq --config ci --count 6"


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """With a kept run: two kills of each, few sagas, one short load."""
    found = Terminal(tmp_path_factory.mktemp("decide"))
    done = run_steadily(found, f"{_RUN} {_SMALL}", 240, makes=[_KEPT], again=lambda _: _is_void(found))
    assert done.returncode == 0, done.stdout + done.stderr
    return found


def _is_void(terminal: Terminal) -> bool:
    """Whether a load says nothing, because its generator was late: of forty starts one is enough for that."""
    rows = (terminal.folder / _KEPT / "load" / "loads.jsonl").read_text().splitlines()
    return any(json.loads(row)["measured"]["void"] for row in rows)


def _asks(terminal: Terminal) -> str:
    """By Enter alone; returns what the file says."""
    asked = terminal.folder / "requirements.toml"
    asked.unlink(missing_ok=True)
    done = terminal.run(f"yes '' | head -20 | {_INIT}")
    assert done.returncode == 0, done.stderr
    return asked.read_text()


def _decided(terminal: Terminal, *more: str) -> dict[str, Any]:
    done = terminal.run(" ".join([_DECIDE, *more, "--json"]))
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


def test_the_readme_has_the_same_lines() -> None:
    main_job = block_of("README.md", "python3 -m venv .venv && .venv/bin/pip install -q -e '.[all]'").text
    *_, init, decide = lines_of(block_of("README.md", "# Which guarantees"))

    assert main_job.endswith(f" && .venv/bin/{_RUN}")
    assert [init, decide] == [_INIT, _DECIDE]


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(800)
def test_the_lines_of_the_page_end_in_a_recommendation_whose_sentences_lead_to_evidence(
    terminal: Terminal,
) -> None:
    """As typed, Enter at every question; the file says what two kills are worth."""
    text = _asks(terminal)
    assert "\nkills = 2 # so many without harm, before it is believed\n" in text
    assert "at most 66 % " in text

    found = _decided(terminal)

    assert found["recommended"] == ["dramatiq[valkey, ci]"]
    assert [one["answer"] for one in found["findings"]["inline[ci]"]] == ["not met"]
    places = _evidence(found)
    assert places == {f"{_KEPT}/crash", f"{_KEPT}/load"}
    assert all((terminal.folder / place / "manifest.json").is_file() for place in places)
    listed = {one["evidence"]: one for one in found["evidence"]}
    assert places <= set(listed)
    assert all(listed[place]["command"].startswith("bakeoff run --quick ") for place in places)
    assert all(listed[place]["created_at"] for place in places)
    answer, *reasons = found["because"]
    assert answer == "Recommendation: dramatiq[valkey, ci]."
    meets, has, out = reasons
    assert "(0 of 2 kills did harm (95 %: at most 66 %), runs/first/crash)" in meets
    assert "runs/first/load at 4/s)" in has
    assert out == "Ruled out, by the constraints above: inline[ci] (1)."
    assert found["changes"] == [
        "without “no harm when a worker dies”: inline[ci] (2 of 2 kills did harm, runs/first/crash)"
    ]


@thorough
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_unknown_is_known_when_the_work_is_done(terminal: Terminal) -> None:
    """The command that is printed makes the kills that are missing, and no more."""
    changed = re.sub(r"(?m)^kills = 2 ", "kills = 4 ", _asks(terminal))
    (terminal.folder / "requirements.toml").write_text(changed)
    done = terminal.run(_DECIDE)
    assert done.returncode == 1
    (work,) = [
        line for line in done.stdout.splitlines() if "bakeoff crash" in line and "given beside" in line
    ]
    assert "dramatiq[valkey, ci]: 0 of 2 kills did harm" in work
    command, _, beside = work.partition(": bakeoff ")[2].partition(", given beside ")
    assert beside == "runs/first/crash"

    made = terminal.run(shlex.split(command.replace("--out DIR", "--out more")), 120)
    assert made.returncode == 0, made.stdout + made.stderr

    found = _decided(terminal, "more")
    assert found["recommended"] == ["dramatiq[valkey, ci]"]
    (finding,) = found["findings"]["dramatiq[valkey, ci]"]
    assert finding["why"].startswith("0 of 4 kills did harm")
    assert finding["evidence"] == "runs/first/crash, more"
