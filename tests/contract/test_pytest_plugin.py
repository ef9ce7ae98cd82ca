"""``pytest --engine``: what runs, what it says, how it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TWO = "all_steps_act_once or event_history_tells"


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=100,
    )


def by_test(file: Path) -> dict[str, str]:
    """``{test: status}`` of a result of one engine."""
    tests = json.loads(file.read_text())["tests"]
    return {name: found["status"] for name, entry in tests.items() for found in entry["results"].values()}


def test_engine_alone_collects_the_contract_and_nothing_else() -> None:
    done = run("--engine=inline", "--collect-only", "-q")

    collected = [line for line in done.stdout.splitlines() if "::" in line]
    assert done.returncode == 0
    assert len(collected) > 100
    assert all(line.startswith("core/bakeoff/contract/") and "[inline" in line for line in collected)


def test_what_kills_processes_comes_last_and_can_be_asked_for_alone() -> None:
    """First tests that share the engine, then those that disturb it, then those with one of their own."""
    everything = run("--engine=inline", "--collect-only", "-q").stdout.splitlines()
    alone = run("--engine=inline", "--collect-only", "-q", "-m", "recovery").stdout.splitlines()

    tests = [line for line in everything if "::" in line]
    recovery = [line for line in alone if "::" in line]
    assert tests[-len(recovery) :] == recovery
    assert all("/test_recovery" in line for line in recovery)
    assert "/test_survival" in tests[-len(recovery) - 1]


@pytest.fixture
def their_project(tmp_path: Path) -> Path:
    """Somebody's own tests, with options that are called as ours."""
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--engine', default='pg')\n"
        "    parser.addoption('--set', action='store_true')\n"
    )
    (tmp_path / "test_theirs.py").write_text(
        "def test_theirs(pytestconfig):\n"
        "    assert pytestconfig.getoption('--engine') == 'mysql'\n"
        "    assert pytestconfig.getoption('--set') is True\n"
    )
    return tmp_path


def test_a_project_keeps_its_own_options_of_these_names(their_project: Path) -> None:
    done = run("--engine=mysql", "--set", cwd=their_project)

    assert done.returncode == 0, done.stdout
    assert "bakeoff: its options are left out, this project has its own --engine, --set" in done.stdout
    assert "1 passed" in done.stdout


def test_where_a_project_has_its_own_the_contract_is_refused(their_project: Path) -> None:
    done = run("--engine=inline", "--pyargs", "bakeoff.contract", cwd=their_project)

    assert done.returncode != 0
    assert "run it from another folder: pytest --engine=NAME" in done.stdout


def test_help_has_the_options(tmp_path: Path) -> None:
    assert "run the contract suite on this engine" in run("--help", cwd=tmp_path).stdout


def test_several_engines_run_each_test_once_each() -> None:
    done = run("--engine=inline", "--engine=temporal", "--collect-only", "-q", "-k", "all_steps_act_once")

    assert [line.rpartition("[")[2] for line in done.stdout.splitlines() if "::" in line] == [
        "inline]",
        "temporal]",
    ]


def test_all_means_every_installed_engine() -> None:
    done = run("--engine=all", "--collect-only", "-q", "-k", "all_steps_act_once")

    for label in ("celery[valkey]", "choreography", "dramatiq[valkey]", "inline", "temporal"):
        assert f"[{label}]" in done.stdout


def test_broker_and_settings_are_part_of_the_column() -> None:
    done = run(
        *("--engine=celery", "--engine=inline", "--broker=rabbitmq", "--set", "inline.threads=3"),
        *("--collect-only", "-q", "-k", "all_steps_act_once"),
    )

    assert "[celery[rabbitmq]]" in done.stdout
    assert "[inline[threads=3]]" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--engine=temporall"],
            "installed: celery, celery-sagalog, choreography, dramatiq, inline, temporal. Did you mean",
        ),
        (["--engine=inline", "--set", "inline.thread=3"], "did you mean inline.threads?"),
        (["--engine=inline", "--set", "inline.threads=many"], "'many' is not a whole number"),
        (["--engine=inline", "--set", "celery.broker=rabbitmq"], "not among the engines asked for: inline"),
        (["--engine=inline", "--set", "threads"], "write it as ENGINE.NAME=VALUE"),
        (["--engine=inline", "--config=best"], "known are default, recommended, tuned, ci"),
        (["--engine=x", "--engine-plugin", "x"], "write it as NAME=MODULE"),
        (["--engine=x", "--engine-plugin", "x=tests.contract.nowhere"], "cannot be loaded"),
        (
            ["--engine=x", "--engine-plugin", "x=tests.contract.fake_engines:without_sdk"],
            'pip install "bakeoff[nothing]"',
        ),
        (["--engine=inline", "--broker=rabbitmq"], "no engine asked for has a choice of brokers: inline"),
        (["--broker=rabbitmq"], "no engine asked for has a choice of brokers: inline"),
        (["--engine=celery", "--broker=kafka"], "kafka"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[str], message: str) -> None:
    done = run(*arguments)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1
    assert lines[0].startswith("ERROR: ")
    assert message in lines[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--contract-json", "nowhere/result.json"], "it cannot be written: No such file or directory"),
        (["--contract-reviewed", "missing.json"], "no such file; --contract-store would write it"),
        (["--contract-reviewed", "broken.json"], "broken.json: it is not JSON"),
        (["--contract-reviewed", "nowhere/reviewed.json", "--contract-store"], "it cannot be written"),
    ],
)
def test_files_that_cannot_be_used_are_told_before_the_suite(
    tmp_path: Path, options: list[str], message: str
) -> None:
    """In one line, and nothing has run."""
    (tmp_path / "broken.json").write_text("broken")
    done = run("--engine=inline", "-k", "all_steps_act_once", *options, cwd=tmp_path)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.strip()]
    assert line.startswith("ERROR: ")
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["broken.json"]


def test_trying_whether_a_file_can_be_written_leaves_no_trace(tmp_path: Path) -> None:
    """A run that ends without results writes nothing."""
    kept = tmp_path / "kept.json"
    kept.write_text("kept")
    for file in (kept, tmp_path / "new.json"):
        done = run("--engine=inline", "--collect-only", "-q", "--contract-json", str(file))
        assert done.returncode == 0, done.stderr

    assert kept.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.json"]


def test_engine_whose_server_does_not_come_up_fails(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    done = run(
        *("--engine=x", "--engine-plugin", "x=tests.contract.fake_engines:with_broken_server", "-k", _TWO),
        *("--contract-json", str(result)),
    )

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "broken ended at once" in done.stdout
    assert {name.rpartition("::")[2]: status for name, status in by_test(result).items()} == {
        "test_all_steps_act_once_in_order": "failed",
        "test_event_history_tells_what_happened": "not supported",
    }
    assert "1 error" in done.stdout
    assert "skipped" not in done.stdout


def test_statuses_are_shown_and_written(tmp_path: Path) -> None:
    result, junit = tmp_path / "result.json", tmp_path / "junit.xml"
    files = ("--contract-json", str(result), "--junitxml", str(junit))
    done = run("--engine=inline", "-k", f"{_TWO} or thirty_days", *files)

    assert done.returncode == 0
    assert "inline: 1 passed, 1 not supported, 1 unknown" in done.stdout
    assert "- inline: event_history: nothing is kept but the current state" in done.stdout
    written = json.loads(result.read_text())
    assert written["engines"]["inline"]["config_class"] == "ci"
    act_once = written["tests"]["test_forward::test_all_steps_act_once_in_order"]
    assert act_once["promise"].startswith("Every step acts once")
    assert act_once["needs"] == ["order", "outcome"]
    found = {name.rpartition("::")[2]: entry["results"]["inline"] for name, entry in written["tests"].items()}
    assert found["test_all_steps_act_once_in_order"]["status"] == "passed"
    assert found["test_event_history_tells_what_happened"]["status"] == "not supported"
    assert found["test_timer_of_thirty_days"]["status"] == "unknown"
    assert "30 days" in found["test_timer_of_thirty_days"]["reason"]
    assert re.findall(r'skipped type="pytest.skip" message="([^:"]+): ', junit.read_text()) == [
        "not supported",
        "unknown",
    ]


def test_deviation_from_the_reviewed_matrix_is_red_either_way(tmp_path: Path) -> None:
    reviewed = tmp_path / "reviewed.json"
    matrix = {
        "test_forward::test_all_steps_act_once_in_order": "failed",
        "test_observe::test_event_history_tells_what_happened": "passed",
    }
    reviewed.write_text(json.dumps({"inline": matrix}))
    arguments = ("--engine=inline", "-k", _TWO, "--contract-reviewed", str(reviewed))
    done = run(*arguments)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_all_steps_act_once_in_order on inline: passed, but reviewed as failed" in done.stdout
    assert "on inline: not supported, but reviewed as passed" in done.stdout

    stored = run(*arguments, "--contract-store")
    assert stored.returncode == 0
    assert json.loads(reviewed.read_text())["inline"] == {
        "test_forward::test_all_steps_act_once_in_order": "passed",
        "test_observe::test_event_history_tells_what_happened": "not supported",
    }
    assert run(*arguments).returncode == 0


def test_failure_as_reviewed_is_green_and_shown(tmp_path: Path) -> None:
    reviewed = tmp_path / "reviewed.json"
    reviewed.write_text(
        json.dumps({"runs_steps_twice": {"test_forward::test_all_steps_act_once_in_order": "failed"}})
    )
    done = run(
        *("--engine=runs_steps_twice", "-k", "all_steps_act_once", "--contract-reviewed", str(reviewed)),
        *("--engine-plugin", "runs_steps_twice=tests.saboteurs.catalogue:runs_steps_twice"),
    )

    assert done.returncode == 0
    assert "1 failed as reviewed" in done.stdout


def test_failure_that_nobody_reviewed_is_red_and_shows_the_ledger(tmp_path: Path) -> None:
    done = run(
        *("--engine=runs_steps_twice", "-k", "all_steps_act_once"),
        *("--engine-plugin", "runs_steps_twice=tests.saboteurs.catalogue:runs_steps_twice"),
    )

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "ledger of all-steps-act-once-in-order" in done.stdout
    assert "attempt   book_flight, attempt 2 (engine: 2)" in done.stdout
    assert "nobody has reviewed: runs_steps_twice" in done.stdout


def test_suite_runs_from_any_folder(tmp_path: Path) -> None:
    for arguments in (["--pyargs", "bakeoff.contract", "--engine=inline"], ["--engine=inline"]):
        done = run(*arguments, "-k", "all_steps_act_once", cwd=tmp_path)

        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout


def test_other_projects_are_not_disturbed(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys, pytest\n"
        "@pytest.fixture\n"
        "def lab(): return 'theirs'\n"
        "def test_theirs(lab):\n"
        "    assert lab == 'theirs'\n"
        "    assert sorted(n for n in sys.modules if n.startswith('bakeoff.')) <= "
        "['bakeoff.engine', 'bakeoff.errors', 'bakeoff.hookspecs', 'bakeoff.outcome', "
        "'bakeoff.pytest_plugin', 'bakeoff.saga']\n"
        "    assert 'sqlalchemy' not in sys.modules\n"
    )
    done = run("-W", "error", "--strict-markers", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "contract matrix" not in done.stdout
