"""docs/ci.md and its workflow, ``examples/ci/bakeoff.yml``: each step ends a job that it is there to end."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.terminal import Terminal
from tests.docs.fences import ROOT, block_of
from tests.tiers import thorough

_FILE = ROOT / "examples" / "ci" / "bakeoff.yml"
_SAGA = _FILE.with_name("checkout.py")
_PATIENCE_S = 200.0
_PROMISES, _KILLS, _PAGE = "Promises, test by test", "A dead worker loses nothing", "One page"
_BEFORE, _AFTER, _COMPARED = "Without the change", "With it", "Not slower, beyond chance"
#: A load of seconds, on no engine.
_SMALL = {
    "--engine celery --broker valkey": "--engine inline",
    "--rate 10 --duration 20 --rounds 10": "--rate 10 --duration 3 --warm-up 1 --rounds 3",
}

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(500)]


def _steps() -> list[dict[str, Any]]:
    workflow = yaml.safe_load(block_of("docs/ci.md", "name: bakeoff").text)
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture
def runner(tmp_path: Path) -> Terminal:
    """What GitHub gives every step; both sides of a change lie where the second job checks them out."""
    terminal = Terminal(tmp_path, {"PYTHONPATH": str(ROOT)})
    terminal.environ["GITHUB_STEP_SUMMARY"] = str(terminal.folder / "summary.md")
    for side in ("before", "after"):
        (terminal.folder / side).mkdir()
        shutil.copy(_SAGA, terminal.folder / side)
    return terminal


def _do(
    runner: Terminal, name: str, instead: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One step as GitHub does it, with ``{words of it: what stands there in the test}``."""
    (step,) = [one for one in _steps() if one.get("name") == name]
    line = str(step["run"])
    for words, others in (instead or {}).items():
        assert words in line
        line = line.replace(words, others)
    script = runner.folder.parent / "step.sh"
    script.write_text(line)
    folder = runner.folder / step.get("working-directory", ".")
    return runner.run(f"cd {folder} && bash -e {script}", _PATIENCE_S)


#: So small a load has no 95th percentile, and what run A does not tell cannot be limited.
_TOO_FEW = {" --fail-if p95:50%": ""}


def _measured(runner: Terminal) -> None:
    """Both sides. A round that other tests disturbed is void, which is no matter to what is tested here."""
    for name, side in ((_BEFORE, "before"), (_AFTER, "after")):
        done = _do(runner, name, _SMALL)
        assert done.returncode in (0, 1), done.stderr
        loads = runner.folder / "runs" / side / "loads.jsonl"
        rows = [json.loads(line) for line in loads.read_text().splitlines()]
        for row in rows:
            row["measured"]["void"] = []
        loads.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_the_page_shows_the_file() -> None:
    assert block_of("docs/ci.md", "name: bakeoff").text == _FILE.read_text().rstrip()
    assert "`examples/ci/bakeoff.yml`" in (ROOT / "docs" / "ci.md").read_text()


def test_a_step_that_fails_fails_its_job() -> None:
    """What is done behind it makes nothing good."""
    steps = _steps()

    assert [step.get("name") for step in steps if "run" in step and "name" in step] == [
        *(_PROMISES, _KILLS, _PAGE),
        *(_BEFORE, _AFTER, _COMPARED),
    ]
    assert {step["if"] for step in steps if "if" in step} == {"${{ !cancelled() }}"}
    assert [step.get("name", step.get("uses")) for step in steps if "if" in step] == [
        *(_KILLS, _PAGE),
        "actions/upload-artifact@v4",
    ]
    assert not any("continue-on-error" in step for step in steps)
    assert not any("|" in step.get("run", "") for step in steps)


def test_a_broken_promise_and_a_lost_order_fail_their_steps(runner: Terminal) -> None:
    """An engine that is known to keep all, with one promise less; and no engine. Both are on the page."""
    broken = "--engine=inline --engine-plugin inline=tests.saboteurs.catalogue:loses_results"
    one = "-k test_results_of_earlier_steps_are_visible -p no:cacheprovider"
    promises = _do(runner, _PROMISES, {"--engine=celery": f"{broken} {one}"})
    kills = _do(runner, _KILLS, {"--engine celery --broker valkey": "--engine inline --deadline 30"})
    page = _do(runner, _PAGE)

    assert promises.returncode == 1, promises.stdout + promises.stderr
    assert "on inline: failed, but reviewed as passed" in promises.stdout
    assert 'failures="1"' in (runner.folder / "contract.xml").read_text()
    assert kills.returncode == 1, kills.stdout + kills.stderr
    assert "lost" in kills.stdout
    assert page.returncode == 0, page.stderr
    told = (runner.folder / "report.html").read_text()
    assert "test_results_of_earlier_steps_are_visible" in told
    assert "lost" in told


@thorough
def test_a_slower_saga_fails_it(runner: Terminal) -> None:
    """Each side is measured with its own module; half a second more in a step is beyond chance."""
    module = runner.folder / "after" / "checkout.py"
    quick = "def take_payment(call: Call) -> dict[str, str]:\n"
    assert quick in module.read_text()
    module.write_text(module.read_text().replace(quick, f'{quick}    __import__("time").sleep(0.5)\n'))
    _measured(runner)
    compared = _do(runner, _COMPARED, _TOO_FEW)

    assert compared.returncode == 1, compared.stderr
    summary = (runner.folder / "summary.md").read_text()
    assert "**bakeoff compare**: A is `before`, B is `after`" in summary
    assert "**worse than allowed**" in summary


@thorough
def test_the_steps_of_the_workflow_work(runner: Terminal) -> None:
    """Of the contract suite a part, as it runs anyway on every engine."""
    tests = _do(runner, _PROMISES, {"--engine=celery": "--engine=celery -k test_forward"})
    killed, reported = _do(runner, _KILLS), _do(runner, _PAGE)

    assert tests.returncode == 0, tests.stdout
    assert (runner.folder / "contract.xml").exists()
    assert killed.returncode == 0, killed.stdout
    assert reported.returncode == 0, reported.stderr
    assert (runner.folder / "report.html").exists()


@thorough
def test_two_sides_that_are_the_same(runner: Terminal) -> None:
    _measured(runner)
    compared = _do(runner, _COMPARED, _TOO_FEW)

    assert compared.returncode in (0, 1), compared.stderr  # three short rounds of a busy machine
    assert (runner.folder / "summary.md").read_text().startswith("**bakeoff compare**")
    assert json.loads((runner.folder / "runs" / "after" / "manifest.json").read_text())["complete"]
